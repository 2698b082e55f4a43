"""index.invalid: an index that every write maintains and no query may use."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding, index_subject, sql_name


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Not those that are being built right now."""
    built = {row["index_oid"] for row in now.sections.get("progress", ())}
    for row in now.sections["indexes"]:
        if not row["valid"] and row["oid"] not in built:
            yield finding(
                RULE.id, "warning", index_subject(row),
                f"{row['name']} on {row['table']} is invalid: no query uses it, and writes may maintain it",
                f"REINDEX INDEX CONCURRENTLY {sql_name(row)}; or DROP INDEX CONCURRENTLY {sql_name(row)};",
                unique=row["unique"], bytes=row["bytes"],
            )  # fmt: skip


RULE = Rule("index.invalid", "postgres", "Invalid indexes", ("indexes",), decide, in_check=True)
