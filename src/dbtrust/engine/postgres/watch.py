"""Looks at what a runner's statement waits for, and how far an index build is, while the statement runs."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from dbtrust.engine.postgres.exclusive import Exclusive
from dbtrust.engine.postgres.ledger import Ledger
from dbtrust.model.progress import Progress

#: Seconds between two lines about the same statement.
_TELL_SECONDS = 2.0
_LOOK_SECONDS = 0.25
#: A transaction that is older than this is waited for before the lock is tried, and before it is tried again.
_OLD_SECONDS = 1.0
#: Seconds for which the answer holds that no such transaction is there.
_CLEAR_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Blocker:
    """A session that another one waits for; `seconds` is the age of its transaction where it has one."""

    relation: str
    pid: int
    application: str
    state: str
    seconds: float | None
    since: str

    def __str__(self) -> str:
        age = f", its transaction {self.seconds:.0f} s old" if self.seconds is not None else ""
        state = self.state or "working"
        return f"process {self.pid} ({self.application or 'no application name'}, {state} since {self.since}{age})"


#: Would the statements wait for somebody who holds that mode on the relation of that name?
Waits = Callable[[str, str], bool]


@dataclass(slots=True)
class Way:
    """What a run knows of all its statements' way; `clear_until`: by time.monotonic(), nobody need be asked before."""

    clear_until: float = 0.0


class Watch:
    """Called by `Simple` while a statement is silent. `what` names the statement; `blockers` are the last ones seen."""

    def __init__(
        self, lock: Exclusive, ledger: Ledger, name: str, progress: Progress, way: Way | None = None
    ) -> None:
        self._lock, self._ledger, self._name, self.progress = lock, ledger, name, progress
        self._way = way or Way()
        self._told = ""
        self._next_look = self._next_line = 0.0
        self.what = ""
        self.builds = False
        self.blockers: list[Blocker] = []

    def begin(self, what: str, *, builds: bool = False) -> None:
        """A new statement: nothing of the earlier one is shown for it."""
        self.what, self.builds, self.blockers = what, builds, []
        self._next_look = self._next_line = 0.0

    def tell_old_snapshots(self) -> None:
        """Said before a statement that waits for every older snapshot, for the wait may be long."""
        try:
            rows = self._lock.ask(self._ledger.sql("runner_snapshots", me=self._name, seconds=_OLD_SECONDS))
        except psycopg.Error:
            # The lock's session is gone; the next check() says so.
            return
        if old := _blockers(rows):
            more = f" and {len(old) - 3} more" if len(old) > 3 else ""
            self.progress(
                f"{self.what}: it will wait for old snapshots of {'; '.join(map(str, old[:3]))}{more}"
            )

    def __call__(self, seconds: float) -> None:
        """Raises MigrationStopped where the lock is lost."""
        self._lock.check()
        if seconds < self._next_look:
            return
        self._next_look = seconds + _LOOK_SECONDS
        try:
            self._look(seconds)
        except psycopg.Error:
            # The lock's session is gone, or may not see this: the next check() says which.
            self._next_look = seconds + _TELL_SECONDS

    def _look(self, seconds: float) -> None:
        waits = _blockers(self._lock.ask(self._ledger.sql("runner_waits", me=self._name)))
        if waits:
            self.blockers = waits
        line = self._line(waits)
        if line and (line != self._told or seconds >= self._next_line):
            self._told, self._next_line = line, seconds + _TELL_SECONDS
            self.progress(line)

    def _line(self, waits: list[Blocker]) -> str:
        if waits:
            return f"{self.what}: waits for {waits[0]} on {waits[0].relation}"
        if self.builds:
            rows = self._lock.ask(self._ledger.sql("runner_progress", me=self._name))
            return f"{self.what}: {_build(rows[0])}" if rows else ""
        return ""

    def wait_before_first(self, waits: Waits, seconds: float) -> None:
        """Waits until no old transaction is in the way of the first attempt, at most `seconds`. Blocks nobody.

        Where there is no old transaction at all, one question answers for the next statements, too.
        """
        if time.monotonic() < self._way.clear_until:
            return
        deadline, pause = time.monotonic() + seconds, 0.05
        while (found := self._in_the_way(waits)) and time.monotonic() < deadline:
            line = f"{self.what}: does not queue behind {found[0]} on {found[0].relation}"
            if line.partition(", its transaction")[0] != self._told:
                self._told = line.partition(", its transaction")[0]
                self.progress(line)
            time.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(pause * 2, 1.0)
            self._lock.check()

    def _in_the_way(self, waits: Waits) -> list[Blocker]:
        try:
            rows = self._lock.ask(self._ledger.sql("runner_way", me=self._name, seconds=_OLD_SECONDS))
        except psycopg.Error:
            # The lock's session is gone; the next check() says so.
            return []
        if not rows:
            self._way.clear_until = time.monotonic() + _CLEAR_SECONDS
        return _blockers([row for row in rows if waits(row[6], row[7])])

    def wait_until_free(self, seconds: float) -> bool:
        """Waits until the blockers seen have ended their transactions; False after `seconds`. Blocks nobody."""
        deadline = time.monotonic() + seconds
        pause = 0.05
        while (left := self._left()) and time.monotonic() < deadline:
            self.progress(f"{self.what}: does not queue behind {left[0]}")
            time.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(pause * 2, 1.0)
            self._lock.check()
        return not left

    def _left(self) -> list[Blocker]:
        if not self.blockers:
            return []
        pids = "{" + ",".join(str(b.pid) for b in self.blockers) + "}"
        rows = self._lock.ask(self._ledger.sql("runner_blockers_left", pids=pids, seconds=_OLD_SECONDS))
        left = {row[0] for row in rows}
        return [b for b in self.blockers if b.pid in left]


def _blockers(rows: list[tuple[Any, ...]]) -> list[Blocker]:
    return [Blocker(str(r[0]), r[1], r[2], r[3], r[4], r[5] or "unknown") for r in rows]


def _build(row: tuple[Any, ...]) -> str:
    """One line of pg_stat_progress_create_index."""
    phase, blocks, of_blocks, tuples, of_tuples, lockers, of_lockers, locker, _ = row
    if of_lockers and lockers < of_lockers:
        return f"{phase} ({lockers} of {of_lockers}, now process {locker})"
    if of_blocks:
        return f"{phase}, {100 * blocks // of_blocks}% of the blocks"
    return f"{phase}, {100 * tuples // of_tuples}% of the rows" if of_tuples else str(phase)
