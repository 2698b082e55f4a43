"""autovacuum.behind: dead rows pile up past the point where autovacuum starts."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.monitor.counters import number
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding, option, sql_name, stored, table_subject

_DEAD = 1_000


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Twice the table's own threshold, and no vacuum of it running."""
    running = {row["relid"] for row in now.sections["progress"] if row["kind"] == "vacuum"}
    for row in stored(now.sections["tables"]):
        limit = _threshold(now, row)
        if row["dead"] < max(_DEAD, 2 * limit) or row["oid"] in running:
            continue
        yield finding(
            RULE.id, "warning", table_subject(row),
            f"{row['name']} has {row['dead']:,} dead rows; autovacuum starts at {limit:,.0f}",
            f"VACUUM (ANALYZE) {sql_name(row)}; then see whether it is off, too slow, or held back by an old transaction",
            dead=row["dead"], live=row["live"], threshold=limit, last_autovacuum=row["last_autovacuum"],
            last_vacuum=row["last_vacuum"],
        )  # fmt: skip


def _threshold(now: Snapshot, row: Row) -> float:
    base = option(row, "autovacuum_vacuum_threshold")
    scale = option(row, "autovacuum_vacuum_scale_factor")
    return float(base or number(now, "autovacuum_vacuum_threshold", 50)) + float(
        scale or number(now, "autovacuum_vacuum_scale_factor", 0.2)
    ) * (row["rows"] or row["live"])


RULE = Rule(
    "autovacuum.behind",
    "postgres",
    "Autovacuum is behind",
    (
        "tables",
        "settings",
        "progress",
    ),
    decide,
)
