"""index.hidden: indexes that are kept up to date and that no query may use."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import finding, index_subject, keys, shell, text


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """One finding for each."""
    for row in now.sections["indexes"]:
        if row["hidden"]:
            message = (
                f"{row['index']} {keys(row['definition'])} is hidden: every write keeps it, no query uses it"
            )
            fix = f"drop it, or show it again: {shell(row)}.unhideIndex({text(row['index'])})"
            yield finding(RULE.id, "info", index_subject(row), message, fix, bytes=row["bytes"])


RULE = Rule("index.hidden", "mongo", "Hidden indexes", ("indexes",), decide)
