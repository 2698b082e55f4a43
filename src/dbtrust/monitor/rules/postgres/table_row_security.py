"""table.row_security: policies that nothing applies, or none where they are on."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding, sql_name, table_subject


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Policies without ENABLE ROW LEVEL SECURITY protect nothing; row security without policies hides all."""
    for row in now.sections["tables"]:
        if row["policies"] and not row["row_security"]:
            yield finding(
                RULE.id, "warning", table_subject(row),
                f"{row['name']} has {row['policies']} policies, and row security is off: none is applied",
                f"ALTER TABLE {sql_name(row)} ENABLE ROW LEVEL SECURITY;", policies=row["policies"],
            )  # fmt: skip
        elif row["row_security"] and not row["policies"]:
            yield finding(
                RULE.id, "info", table_subject(row),
                f"{row['name']} has row security on and no policy: only its owner and superusers see a row",
                f"CREATE POLICY … ON {sql_name(row)} …;", policies=0,
            )  # fmt: skip


RULE = Rule(
    "table.row_security", "postgres", "Row security that does nothing", ("tables",), decide, in_check=True
)
