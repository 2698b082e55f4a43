"""sequence.near_end: inserts will fail when it is used up."""

from __future__ import annotations

import math
from collections.abc import Iterator

from dbtrust.judge.rules.indexes import identifier, named
from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding, sql_name

_WIDEST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}
_WARN, _FAIL = 0.7, 0.9


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Used up by a share of what the sequence, or the narrower type of its column, can hold."""
    for row in now.sections["sequences"]:
        used = _used(row)
        if used is None or row["cycles"] or used < _WARN:
            continue
        end = _end(row)
        yield finding(
            RULE.id, "error" if used >= _FAIL else "warning", f"sequence:{named(row['schema'], row['name'])}",
            f"{row['name']} has used {_percent(used)}% of its values: at {end:,} every insert fails",
            _fix(row), last=row["last"], end=end, used=used, column_type=row["column_type"],
        )  # fmt: skip


def _end(row: Row) -> int:
    """The last value that fits; a sequence that goes down ends at its minimum."""
    if row["increment"] < 0:
        return int(row["min"])
    most = int(row["max"])
    return min(most, _WIDEST.get(str(row["column_type"]), most))


def _used(row: Row) -> float | None:
    if row["last"] is None:
        return None
    first, end = (row["max"], row["min"]) if row["increment"] < 0 else (row["min"], _end(row))
    return (row["last"] - first) / (end - first) if end != first else None


def _percent(used: float) -> int:
    """Rounded down: 100% is said of nothing that still has a value."""
    return math.floor(used * 100)


def _fix(row: Row) -> str:
    """Only SQL; a sequence that goes down is widened below."""
    bound = "MINVALUE -9223372036854775808" if row["increment"] < 0 else "MAXVALUE 9223372036854775807"
    sequence = f"ALTER SEQUENCE {sql_name(row)} AS bigint {bound};"
    if not row["table"] or row["column_type"] == "bigint":
        return sequence
    table = sql_name(row, "table_schema", "table")
    return f"ALTER TABLE {table} ALTER COLUMN {identifier(row['column'])} TYPE bigint; {sequence}"


RULE = Rule("sequence.near_end", "postgres", "Sequences near their end", ("sequences",), decide)
