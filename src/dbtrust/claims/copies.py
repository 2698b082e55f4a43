"""Claims that need a copy: an index is hidden, or other rows are made."""

from __future__ import annotations

from dbtrust.judge.claims import Judged
from dbtrust.judge.grammar import Claim

_COPY = "run the same claim without naming a target"


def needs_copy(claim: Claim) -> Judged | None:
    """What no live database can answer: a claim for which an index is hidden or other rows are made."""
    if claim.at is not None:
        return Judged(
            "unproved", "a stated number of rows is made on a copy, not found", "no_data", next=_COPY
        )
    if claim.kind == "faster":
        message = "an index is hidden on a copy alone, never on a database in use"
        return Judged("unproved", message, "no_server", next=_COPY)
    return None
