"""collection.free_space: space that deleted documents left in a file."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.model.units import size
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import collection_subject, finding, sibling, text

#: So much of a file, and so many bytes, are worth giving back.
_SHARE, _BYTES = 0.5, 16 << 20


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """The server uses free space for new documents: it is lost only where no more come."""
    for row in now.sections["collections"]:
        free, stored = row.get("free_bytes") or 0, row.get("storage_bytes") or 0
        if free >= _BYTES and free >= _SHARE * stored:
            message = f"{size(free)} of {size(stored)} are free: {free / stored:.0%} of the file"
            fix = f"if it will not be filled again: {sibling(row)}.runCommand({{compact: {text(row['collection'])}}}) on each member"
            evidence = {"free_bytes": free, "storage_bytes": stored}
            yield finding(RULE.id, "info", collection_subject(row), message, fix, **evidence)


RULE = Rule("collection.free_space", "mongo", "Free space in collections", ("collections",), decide)
