"""index.redundant on a server: the rule of `check`, with sizes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dbtrust.judge.rules.redundancy import redundant_indexes
from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.model.units import size
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import LOCKS_ALL, catalog, index_subject, partitioned


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """`check` calls it an error of the design; on a server it costs writes and space, so it is a warning."""
    rows = {index_subject(row): row for row in now.sections["indexes"]}
    parents = partitioned(now)
    for found in redundant_indexes(catalog(now)):
        row = rows.get(found.subject)
        whole = row is None or (row["table_schema"], row["table"]) in parents
        fix = (
            f"{found.fix} {LOCKS_ALL}"
            if whole
            else found.fix.replace("DROP INDEX", "DROP INDEX CONCURRENTLY", 1)
        )
        bytes_ = row["bytes"] if row else 0
        yield replace(
            found, severity="warning", fix=fix, message=f"{found.message} and takes {size(bytes_)}",
            evidence={**found.evidence, "bytes": bytes_, "idx_scan": row["idx_scan"] if row else None},
        )  # fmt: skip


RULE = Rule(
    "index.redundant", "postgres", "Indexes that another index covers", ("catalog", "indexes"), decide
)
