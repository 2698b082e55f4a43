"""sequence.wider_than_column: the column overflows before the sequence ends."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.judge.rules.indexes import identifier, named
from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding, sql_name

_WIDEST = {"smallint": 2**15 - 1, "integer": 2**31 - 1}


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """A bigint sequence behind an integer column fails with "out of range", not with "reached maximum"."""
    for row in now.sections["sequences"]:
        widest = _WIDEST.get(row["column_type"])
        if widest is not None and row["max"] > widest:
            yield finding(
                RULE.id, "info", f"sequence:{named(row['schema'], row['name'])}",
                f"{row['name']} counts to {row['max']:,}, and {row['table']}.{row['column']} is {row['column_type']}",
                f"ALTER TABLE {sql_name(row, 'table_schema', 'table')} ALTER COLUMN"
                f" {identifier(row['column'])} TYPE {row['type']}; (rewrites the table)",
                max=row["max"], column_type=row["column_type"],
            )  # fmt: skip


RULE = Rule(
    "sequence.wider_than_column",
    "postgres",
    "Sequences wider than their column",
    ("sequences",),
    decide,
    in_check=True,
)
