"""collection.big_documents: documents on their way to the limit of 16 MB."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.model.units import size
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import collection_subject, finding

#: A document may have 16 MB; one of this size is moved whole for each change and each read.
_BIG, _LIMIT = 4 << 20, 16 << 20


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """By the largest document of a sample."""
    for row in now.sections["samples"]:
        if row["max_bytes"] >= _BIG:
            message = (
                f"a sampled document has {size(row['max_bytes'])} of the {size(_LIMIT)} that one may have"
            )
            fix = "move what grows into a collection of its own, or files into GridFS"
            evidence = {key: row[key] for key in ("max_bytes", "mean_bytes", "sampled")}
            yield finding(RULE.id, "warning", collection_subject(row), message, fix, **evidence)


RULE = Rule("collection.big_documents", "mongo", "Big documents", ("samples",), decide)
