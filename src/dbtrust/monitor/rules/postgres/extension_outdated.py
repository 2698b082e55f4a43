"""extension.outdated: the files of a newer version are there, and not in use."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.judge.rules.indexes import identifier
from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Extensions whose default version on disk is another one."""
    for row in now.sections["extensions"]:
        if row["default_version"] is not None and row["default_version"] != row["version"]:
            yield finding(
                RULE.id, "info", f"extension:{row['name']}",
                f"{row['name']} is {row['version']}; {row['default_version']} is installed on the server",
                f"ALTER EXTENSION {identifier(row['name'])} UPDATE;",
                version=row["version"], available=row["default_version"],
            )  # fmt: skip


RULE = Rule("extension.outdated", "postgres", "Outdated extensions", ("extensions",), decide)
