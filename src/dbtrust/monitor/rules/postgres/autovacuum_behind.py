"""autovacuum.behind: dead rows pile up past the point where autovacuum starts."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._autovacuum import autovacuum_starts
from dbtrust.monitor.rules.postgres._common import finding, sql_name, stored, table_subject

_DEAD = 1_000


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Twice the table's own threshold, and no vacuum of it running."""
    running = {row["relid"] for row in now.sections["progress"] if row["kind"] == "vacuum"}
    for row in stored(now.sections["tables"]):
        limit = autovacuum_starts(now, row, "vacuum", 0.2)
        if row["dead"] < max(_DEAD, 2 * limit) or row["oid"] in running:
            continue
        yield finding(
            RULE.id, "warning", table_subject(row),
            f"{row['name']} has {row['dead']:,} dead rows; autovacuum starts at {limit:,.0f}",
            f"VACUUM (ANALYZE) {sql_name(row)}; then see whether it is off, too slow, or held back by an old transaction",
            dead=row["dead"], live=row["live"], threshold=limit, last_autovacuum=row["last_autovacuum"],
            last_vacuum=row["last_vacuum"],
        )  # fmt: skip


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
