"""table.bloat_estimate: space that a rewrite might give back, by an estimate."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.model.units import size
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import LARGE, finding, option, table_subject

_PAGE = 8192
#: Alignment alone can make an estimate wrong by a quarter.
_SHARE = 0.6


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Only of what was not measured: the rows' average width against the pages that they take."""
    measured = {row["oid"] for row in now.sections.get("table_bloat", ())}
    tables = {row["oid"]: row for row in now.sections["tables"]}
    for found in now.sections["widths"]:
        row = tables.get(found["oid"])
        if row is None or row["oid"] in measured or not row["rows"] or row["bytes"] < LARGE:
            continue
        needed = _needed(row, found)
        if row["bytes"] - needed >= _SHARE * row["bytes"]:
            yield finding(
                RULE.id, "info", table_subject(row),
                f"by estimate {size(row['bytes'] - needed)} of the {size(row['bytes'])} of {row['name']} are bloat",
                "CREATE EXTENSION pgstattuple to have it measured before anything is rewritten",
                bytes=row["bytes"], needed_bytes=needed, rows=row["rows"], width=found["width"],
                method="estimate from pg_stats: wrong for padded columns and for old statistics",
            )  # fmt: skip


def _needed(row: Row, found: Row) -> float:
    """Bytes that the rows would take when written anew: header, null bitmap, alignment, fillfactor."""
    header = 24 + (8 if found["nulls"] and found["columns"] > 8 else 0)
    tuple_bytes = 4 + header + (found["width"] + 7) // 8 * 8
    fill = float(option(row, "fillfactor") or 100) / 100
    per_page = max(1.0, (_PAGE - 24) * fill // tuple_bytes)
    return (row["rows"] // per_page + 1) * _PAGE


RULE = Rule(
    "table.bloat_estimate",
    "postgres",
    "Tables that look bloated",
    (
        "tables",
        "widths",
    ),
    decide,
)
