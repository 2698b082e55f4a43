"""index.invalid: an index that every write maintains and no query may use."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import drop_index, finding, index_subject, sql_name


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Not those that are being built right now."""
    built = {row["index_oid"] for row in now.sections.get("progress", ())}
    for row in now.sections["indexes"]:
        if not row["valid"] and row["oid"] not in built:
            yield finding(
                RULE.id, "warning", index_subject(row),
                f"{row['name']} on {row['table']} is invalid: no query uses it, and writes may maintain it",
                _fix(row),
                unique=row["unique"], bytes=row["bytes"],
            )  # fmt: skip


#: What REINDEX CONCURRENTLY leaves when it fails: the index itself is another one, and still there.
_LEFT_OVER = re.compile(r"_cc(new|old)\d*\Z")


def _fix(row: Row) -> str:
    drop = drop_index(row)
    if row.get("partitioned"):
        return f"ALTER INDEX {sql_name(row)} ATTACH PARTITION an index of each partition that has none in it; or {drop}"
    if _LEFT_OVER.search(row["name"]):
        return drop
    first = "remove duplicates first, then " if row["unique"] else ""
    return f"{first}REINDEX INDEX CONCURRENTLY {sql_name(row)}; or {drop}"


RULE = Rule("index.invalid", "postgres", "Invalid indexes", ("indexes",), decide, in_check=True)
