"""index.redundant: an index that a longer one does the work of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dbtrust.judge.mongo_indexes import redundant_indexes
from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import catalogs, shell, text


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """As `check` decides it, as a warning; the subject names the database where several are looked at."""
    for row, catalog in catalogs(now):
        for found in redundant_indexes(catalog):
            name = found.subject.removeprefix(f"index:{row['collection']}.")
            fix = f"{shell(row)}.dropIndex({text(name)})"
            yield replace(found, severity="warning", subject=f"index:{row['label']}.{name}", fix=fix)


RULE = Rule("index.redundant", "mongo", "Redundant indexes", ("indexes",), decide)
