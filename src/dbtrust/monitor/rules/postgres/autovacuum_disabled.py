"""autovacuum.disabled: a table that autovacuum leaves alone."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding, option, sql_name, table_subject


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """The storage parameter autovacuum_enabled=false; it also stops automatic ANALYZE."""
    for row in now.sections["tables"]:
        if str(option(row, "autovacuum_enabled")).lower() in ("false", "off", "no", "0", "f", "n"):
            yield finding(
                RULE.id, "warning", table_subject(row),
                f"autovacuum is switched off for {row['name']}: dead rows stay, and statistics grow old",
                f"ALTER TABLE {sql_name(row)} RESET (autovacuum_enabled);",
                dead=row["dead"], live=row["live"], last_vacuum=row["last_vacuum"], last_analyze=row["last_analyze"],
            )  # fmt: skip


RULE = Rule(
    "autovacuum.disabled",
    "postgres",
    "Autovacuum switched off for a table",
    ("tables",),
    decide,
    in_check=True,
)
