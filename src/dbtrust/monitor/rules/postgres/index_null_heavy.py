"""index.null_heavy: most entries are NULL, which few queries look for."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.judge.rules.indexes import identifier
from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.model.units import size
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import SMALL, finding, index_subject, sql_name

_SHARE = 0.8


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Indexes of one column, whole, that no constraint or foreign key needs."""
    seen = {
        (r["schema"], r["table"], r["column"]): r["null_fraction"] for r in now.sections["column_statistics"]
    }
    for row in now.sections["indexes"]:
        nulls = seen.get((row["table_schema"], row["table"], row["column"]))
        plain = not (row["partial"] or row["unique"] or row["constraints"] or row["foreign_key"])
        if nulls is not None and nulls >= _SHARE and plain and row["keys"] == 1 and row["bytes"] >= SMALL:
            column = identifier(row["column"])
            yield finding(
                RULE.id, "info", index_subject(row),
                f"{nulls:.0%} of the {size(row['bytes'])} of {row['name']} on {row['table']} are NULLs",
                f"CREATE INDEX CONCURRENTLY ON {sql_name(row, 'table_schema', 'table')} ({column})"
                f" WHERE {column} IS NOT NULL; and drop this one",
                null_fraction=nulls, bytes=row["bytes"],
            )  # fmt: skip


RULE = Rule(
    "index.null_heavy",
    "postgres",
    "Indexes of NULLs",
    (
        "indexes",
        "column_statistics",
    ),
    decide,
)
