"""Ids that run out: what transaction ids and multixact ids have in common."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.judge.rules.indexes import named
from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.counters import number
from dbtrust.monitor.rules.postgres._common import finding

#: An error from this age on, whatever is set; a warning from so many times the setting.
_END, _BEHIND = 1_500_000_000, 2


def old_ids(
    now: Snapshot, rule: str, field: str, setting: str, default: int, what: str, fix: str
) -> Iterator[Finding]:
    """Databases whose oldest id, the age in `field`, is far above the point where autovacuum starts to freeze."""
    limit = number(now, setting, default)
    for row in now.sections["databases"]:
        age = row[field]
        if age < min(_END, _BEHIND * limit):
            continue
        worst = sorted((t for t in now.sections["tables"] if t[field]), key=lambda t: -t[field])[:5]
        yield finding(
            rule, "error" if age >= _END else "warning", f"database:{row['name']}",
            f"the oldest {what} of {row['name']} is {age:,} old; at 2,147,483,648 the server stops writing",
            fix, age=age, setting=setting, limit=limit,
            oldest_tables={named(t["schema"], t["name"]): t[field] for t in worst if row["current"]},
        )  # fmt: skip
