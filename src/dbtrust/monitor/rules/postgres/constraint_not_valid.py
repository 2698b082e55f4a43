"""constraint.not_valid: a promise that old rows may break."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.judge.rules.indexes import identifier, named
from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding, sql_name


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Constraints that are enforced for new rows and were never checked against the old ones."""
    for row in now.sections["constraints"]:
        yield finding(
            RULE.id, "warning", f"constraint:{named(row['schema'], row['table'], row['name'])}",
            f"{row['name']} on {row['table']} is NOT VALID: rows from before it may break it",
            f"ALTER TABLE {sql_name(row, name='table')} VALIDATE CONSTRAINT {identifier(row['name'])};",
            definition=row["definition"],
        )  # fmt: skip


RULE = Rule(
    "constraint.not_valid",
    "postgres",
    "Constraints that were never validated",
    ("constraints",),
    decide,
    in_check=True,
)
