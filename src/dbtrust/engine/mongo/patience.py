"""Doing a thing again when the server was lost for a moment: a restart, an election, a network that blinked."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from pymongo.errors import PyMongoError

from dbtrust.engine.mongo.errors import describe, failure_of, lost
from dbtrust.model.progress import Progress

T = TypeVar("T")
#: So long is a server waited for that was lost in the middle.
SECONDS = 30.0
_POLL_SECONDS = 0.2
#: Write conflicts, a node that stops being the primary (11600, 11602, 189, 10107, 13435, 13436) or goes down (91), and one
#: that has just come back and has not yet read the keys that sign the cluster's time (211, KeyNotFound).
#: 11601 is not among them: somebody killed the operation.
_MOMENTS = frozenset({112, 91, 189, 211, 10107, 11600, 11602, 13435, 13436})


def of_the_moment(error: BaseException) -> bool:
    """May the same command work in a moment? It may also have worked already: look first."""
    return lost(error) or failure_of(error).code in _MOMENTS


def patiently(work: Callable[[bool], T], progress: Progress, *, again: bool = False) -> T:
    """`work(again)`; `again` is True when an earlier attempt may have had its effect. Raises the last PyMongoError."""
    first: float | None = None
    while True:
        start = time.monotonic()
        try:
            return work(again)
        except PyMongoError as error:
            now = time.monotonic()
            if not of_the_moment(error):
                raise
            # What failed after a long time of work is a new loss, not the same one.
            first = now if first is None or now - start > 2 * SECONDS else first
            if now - first > SECONDS:
                raise
            progress(f"trying again: {describe(error).partition(', Timeout:')[0][:120]}")
        again = True
        time.sleep(_POLL_SECONDS)
