"""index.boolean: two values make no index worth reading."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.judge.rules.indexes import identifier
from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.model.units import size
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import SMALL, finding, index_subject, sql_name


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Whole btrees of one boolean column; a partial index on the rare value is what is meant."""
    for row in now.sections["indexes"]:
        if (
            row["boolean"]
            and row["keys"] == 1
            and not row["partial"]
            and not row["unique"]
            and row["bytes"] >= SMALL
        ):
            yield finding(
                RULE.id, "info", index_subject(row),
                f"{row['name']} on {row['table']} indexes a boolean ({size(row['bytes'])}): at most one value is rare",
                f"CREATE INDEX CONCURRENTLY ON {sql_name(row, 'table_schema', 'table')} (…)"
                f" WHERE {identifier(row['column'])}; and drop this one",
                bytes=row["bytes"], idx_scan=row["idx_scan"],
            )  # fmt: skip


RULE = Rule("index.boolean", "postgres", "Indexes of a boolean", ("indexes",), decide)
