"""How long the code of a project may keep MongoDB busy: a change stream or a tailable cursor never ends by itself."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import pymongo
from pymongo.errors import ConnectionFailure, ExecutionTimeout, NetworkTimeout

#: As long as a query of PostgreSQL may run.
SECONDS = 15.0
#: The server's code of MaxTimeMSExpired.
_EXPIRED = 50
T = TypeVar("T")


class OutOfTime(ExecutionTimeout):
    """dbtrust's own time was over, not one that the code asked for."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The moment at which the time is over."""

    seconds: float
    end: float

    @property
    def over(self) -> bool:
        return time.monotonic() >= self.end

    def steps(self, values: Iterable[T]) -> Iterator[T]:
        """The values, for as long as there is time. Raises OutOfTime."""
        for value in values:
            if self.over:
                raise self.expired()
            yield value

    def expired(self) -> OutOfTime:
        return OutOfTime(f"it did not end within {self.seconds:g} seconds", _EXPIRED)


@contextmanager
def limited(seconds: float | None = None) -> Generator[Clock]:
    """Every command that the block sends ends with the time (default SECONDS), and the block with it.

    Raises OutOfTime. What fails after the end failed since the time was over; a lost server is lost.
    """
    seconds = SECONDS if seconds is None else seconds
    clock = Clock(seconds, time.monotonic() + seconds)
    try:
        with pymongo.timeout(seconds):
            yield clock
    except Exception as error:
        # The driver gives up a round trip earlier than the clock says.
        late = clock.over or time.monotonic() >= clock.end - 0.2
        if late and (isinstance(error, NetworkTimeout) or not isinstance(error, ConnectionFailure)):
            raise clock.expired() from error
        raise
