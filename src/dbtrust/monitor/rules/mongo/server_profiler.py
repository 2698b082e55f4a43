"""server.profiler_left_on: a profiler that somebody left on."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import finding, sibling


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Level 2, or level 1 for everything from 10 ms on: each operation writes a document. What dbtrust left is told, too."""
    for row in now.sections["profiler_settings"]:
        everything = row["level"] == 2 or (
            row["level"] == 1 and row["slow_ms"] < _FAST and row["filter"] is None
        )
        if everything:
            what = "everything" if row["level"] == 2 else f"what takes {row['slow_ms']} ms or more"
            message = f"the profiler of {row['database']} keeps {what} (level {row['level']})"
            fix = f"{sibling(row)}.setProfilingLevel(0)"
            evidence = {key: row[key] for key in ("level", "slow_ms", "sample_rate", "filter")}
            yield finding(RULE.id, "warning", f"database:{row['database']}", message, fix, **evidence)
    for row in now.sections.get("profiler_repairs", ()):
        message = f"a run of dbtrust was killed with the profiler on (before: level {row['level']}): {row['outcome']}"
        fix = f"compare with {sibling(row)}.getProfilingStatus()"
        yield finding(RULE.id, "info", f"database:{row['database']}", message, fix, **row)


_FAST = 10


RULE = Rule("server.profiler_left_on", "mongo", "A profiler that was left on", ("profiler_settings",), decide)
