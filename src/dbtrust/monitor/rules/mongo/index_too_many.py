"""collection.too_many_indexes: collections with so many indexes that each write pays for it."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import by_collection, collection_subject, finding

#: The server refuses more than 64; each write keeps all of them.
_MANY, _MOST = 20, 64


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """One finding for each collection with more than 20."""
    for rows in by_collection(now.sections["indexes"]).values():
        if len(rows) > _MANY:
            message = f"{len(rows)} indexes of {_MOST} that the server allows: each write keeps all of them"
            fix = "drop what is unused or covered by another; one compound index often replaces several"
            names = [row["index"] for row in rows]
            yield finding(RULE.id, "warning", collection_subject(rows[0]), message, fix, indexes=names)


RULE = Rule("collection.too_many_indexes", "mongo", "Too many indexes", ("indexes",), decide)
