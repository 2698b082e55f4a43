"""At how many rows does a claim's verdict turn? Found by building the data anew, doubling and then halving."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from dbtrust.model.errors import DbtrustError
from dbtrust.model.progress import Progress
from dbtrust.model.why import Change

#: How far from the configured rows the search goes, up and down; a small table may grow to `CHEAP` rows.
FARTHEST, CHEAP = 10, 100_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many times data are built at most, and the seconds of the whole run after which nothing more is begun."""

    builds: int = 8
    seconds: float = 120.0
    started: float = field(default_factory=time.monotonic)

    def over(self) -> bool:
        """Is the time up?"""
        return time.monotonic() > self.started + self.seconds


@dataclass(frozen=True, slots=True)
class Seen:
    """One number of rows: does the claim hold there, and what was found."""

    rows: int
    holds: bool
    message: str


#: Builds the data with so many rows and judges the claim over every example.
Judge = Callable[[int], Seen]


def search_rows(relation: str, now: Seen, judge: Judge, bounds: Bounds, progress: Progress) -> Change:
    """The change of kind "rows": the two neighbouring numbers between which the verdict turns, both judged."""
    tries = _Tries(relation, judge, bounds, progress)
    pair = _outward(now, tries)
    if pair is None:
        seen = sorted({now.rows, *(s.rows for s in tries.seen)})
        why = f" ({tries.stopped})" if tries.stopped else ""
        message = f"tried from {seen[0]:,} to {seen[-1]:,} rows, {len(tries.seen)} builds{why}"
        return Change("rows", f"other numbers of rows in {relation}", "no", message)
    pair = _inward(*pair, tries)
    bad, good = pair
    word = "up" if good.rows > bad.rows else "down"
    title = f"{good.rows:,} rows in {relation} and {word}wards instead of {now.rows:,}"
    message = f"at {bad.rows:,} rows: {bad.message}; at {good.rows:,} rows: {good.message}"
    return Change("rows", title, "flips", message)


class _Tries:
    """Judges numbers of rows while the bounds allow."""

    def __init__(self, relation: str, judge: Judge, bounds: Bounds, progress: Progress) -> None:
        self._relation, self._judge, self._bounds, self._progress = relation, judge, bounds, progress
        self.seen: list[Seen] = []
        self.stopped = ""

    def at(self, rows: int) -> Seen | None:
        """None where a bound is reached or the generator cannot make so many."""
        if self.stopped:
            return None
        if len(self.seen) >= self._bounds.builds:
            self.stopped = f"at most {self._bounds.builds} builds"
        elif self._bounds.over():
            self.stopped = f"at most {self._bounds.seconds:g} seconds"
        else:
            self._progress(f"building {rows:,} rows of {self._relation}")
            try:
                self.seen.append(self._judge(rows))
                return self.seen[-1]
            except DbtrustError as error:
                self.stopped = error.message
        return None


def _outward(now: Seen, tries: _Tries) -> tuple[Seen, Seen] | None:
    """Twice the rows, ten times, on to `CHEAP`, then a tenth, until the claim holds: (does not, does)."""
    last, start = now, max(1, now.rows)
    steps = [start * 2, start * FARTHEST]
    while steps[-1] * FARTHEST <= CHEAP:
        steps.append(steps[-1] * FARTHEST)
    for rows in steps:
        seen = tries.at(rows)
        if seen is None:
            break
        if seen.holds:
            return last, seen
        last = seen
    seen = tries.at(now.rows // FARTHEST) if now.rows >= FARTHEST else None
    return (now, seen) if seen is not None and seen.holds else None


def _inward(bad: Seen, good: Seen, tries: _Tries) -> tuple[Seen, Seen]:
    """Halves the gap until it is small or a bound is reached."""
    while abs(good.rows - bad.rows) > max(1, min(good.rows, bad.rows) // 20):
        low, high = sorted((good.rows, bad.rows))
        seen = tries.at(math.isqrt(low * high) if high > 2 * low > 2 else (low + high) // 2)
        if seen is None:
            break
        bad, good = (bad, seen) if seen.holds else (seen, good)
    return bad, good
