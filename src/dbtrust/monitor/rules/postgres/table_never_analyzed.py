"""table.never_analyzed: the planner guesses: it has no statistics."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import FEW_ROWS, finding, sql_name, table_subject


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Tables with rows that neither ANALYZE nor autovacuum has looked at since the counters began."""
    for row in now.sections["tables"]:
        seen = row["last_analyze"] or row["last_autoanalyze"]
        if row["kind"] in ("r", "m") and row["rows"] is None and not seen and row["live"] >= FEW_ROWS:
            yield finding(
                RULE.id, "warning", table_subject(row),
                f"{row['name']} has about {row['live']:,} rows and was never analyzed: the planner guesses",
                f"ANALYZE {sql_name(row)};", live=row["live"], modified=row["modified_since_analyze"],
            )  # fmt: skip


RULE = Rule("table.never_analyzed", "postgres", "Tables never analyzed", ("tables",), decide)
