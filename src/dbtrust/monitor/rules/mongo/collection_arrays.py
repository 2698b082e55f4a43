"""collection.unbounded_array: arrays that grow without an end."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import collection_subject, finding

#: An array of so many elements is no longer a detail of its document.
_LONG = 1_000


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """One finding for each collection, by the longest array of each field in a sample."""
    for row in now.sections["samples"]:
        long = {f["path"]: f["longest"] for f in row["fields"] if f["longest"] >= _LONG}
        if long:
            told = ", ".join(f"{path} with {count:,} elements" for path, count in list(long.items())[:5])
            fix = (
                "keep the last ones only ($push with $slice), or give the elements a collection of their own"
            )
            yield finding(
                RULE.id, "warning", collection_subject(row), f"{told} in one document", fix, longest=long
            )


RULE = Rule("collection.unbounded_array", "mongo", "Arrays without an end", ("samples",), decide)
