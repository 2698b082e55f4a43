"""The profiler, switched on for a moment and put back as it was, whatever happens.

Only the level and the filter of a database are changed, and only where the level was 0: slowms and sampleRate are
the whole process's, and where somebody profiles already there is nothing to switch on. What was before is written
down first, in a file whose lock says whether its writer still runs; the next run puts back what a killed one left.
"""

from __future__ import annotations

import datetime
import hashlib
import os
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

from bson import json_util
from pymongo.errors import AutoReconnect, PyMongoError

from dbtrust.engine.home import home, make_folder
from dbtrust.engine.locks import try_lock
from dbtrust.engine.mongo.errors import describe
from dbtrust.engine.mongo.monitor_ask import APP, Asker, Rows, T, not_own, number
from dbtrust.engine.mongo.profile_leftover import (
    OTHERS,
    PROFILE,
    drop_all,
    drop_owed,
    is_primary,
    server_time,
    there,
)
from dbtrust.engine.mongo.shapes import filter_shape

Document = Mapping[str, Any]
#: The profiler is switched on for so many databases at most.
MOST = 20
_RIGHT = "enableProfiler on {} (role dbAdmin)"
_SECTION = "profiler"
_ON_PRIMARY = f"a primary: a secondary does not drop the {PROFILE} that profiling makes"
_PUT_BACK, _FAILED = "put back", "not put back: "


def filter_of(slow_ms: int) -> dict[str, Any]:
    """Only what is slow, and nothing of dbtrust's own."""
    return {**not_own(), "millis": {"$gte": slow_ms}}


@dataclass(frozen=True, slots=True)
class Settings:
    """The profiler's four settings. `filter` is None where there is none; `kept`: system.profile was there.

    `owed`: since this time of the server they are put back, and only dbtrust's system.profile is still to be dropped.
    """

    level: int
    slowms: int
    sample_rate: float
    filter: Any = None
    kept: bool = True
    owed: datetime.datetime | None = None

    @property
    def without_profile(self) -> tuple[Any, ...]:
        return self.level, self.slowms, self.sample_rate, self.filter

    def row(self, database: str) -> dict[str, Any]:
        """As a snapshot shows it: of the filter the shape, which holds no values."""
        filter_text = None if self.filter is None else filter_shape(self.filter)
        return {
            "database": database, "level": self.level, "slow_ms": self.slowms, "sample_rate": self.sample_rate,
            "filter": filter_text,
        }  # fmt: skip


def settings(ask: Asker, database: str) -> Settings:
    """The present settings, read without a change. Raises PyMongoError."""
    found = ask.command(database, {"profile": -1})
    return Settings(
        int(found["was"]),
        int(number(found.get("slowms")) or 0),
        float(found.get("sampleRate", 1.0)),
        found.get("filter"),
    )


def read_settings(ask: Asker, databases: Iterable[str]) -> Rows:
    """One row for each database. Raises PyMongoError."""
    return [settings(ask, database).row(database) for database in databases]


class Record:
    """The file that remembers, for one server, what its settings were; locked while its writer runs."""

    def __init__(self, server: str) -> None:
        folder = make_folder(home() / "profiler")
        self.path = folder / f"{hashlib.sha256(server.encode()).hexdigest()[:16]}.json"
        self._lock: int | None = None

    def take(self) -> bool:
        """Is the file ours until `release`? False: another run holds it."""
        self._lock = try_lock(self.path.with_suffix(".lock"), create=True)
        return self._lock is not None

    def release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def read(self) -> dict[str, Any] | None:
        """What a run left that was killed; None where nothing was left."""
        try:
            return cast("dict[str, Any]", json_util.loads(self.path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return None

    def write(self, before: Mapping[str, Settings], ours: Document) -> None:
        """Lasts through a crash of the machine: written beside, synchronised, renamed."""
        document = {"filter": ours, "databases": {name: _plain(item) for name, item in before.items()}}
        beside = self.path.with_suffix(".new")
        with beside.open("w", encoding="utf-8") as file:
            file.write(json_util.dumps(document))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)


def _plain(item: Settings) -> dict[str, Any]:
    return {
        "level": item.level, "slowms": item.slowms, "sampleRate": item.sample_rate, "filter": item.filter,
        "kept": item.kept, "owed": item.owed,
    }  # fmt: skip


def _settings_of(found: Document) -> Settings:
    return Settings(
        int(found["level"]), int(found["slowms"]), float(found["sampleRate"]), found["filter"], found["kept"],
        found.get("owed"),
    )  # fmt: skip


def put_back(ask: Asker, database: str, before: Settings) -> str:
    """Level and filter as they were, if they are still dbtrust's; what was done, in words. Raises PyMongoError."""
    present = settings(ask, database)
    if not _is_ours(present):
        return "somebody changed them meanwhile: left as they are"
    wanted: dict[str, Any] = {
        "profile": before.level,
        "filter": "unset" if before.filter is None else before.filter,
    }
    ask.command(database, wanted)
    return _PUT_BACK


def _twice(act: Callable[[], T]) -> T:
    """A member that steps down closes its connections: the first command after it fails. Raises PyMongoError."""
    with suppress(AutoReconnect):
        return act()
    return act()


def _is_ours(present: Settings) -> bool:
    """The server writes a filter in its own way, but the name in it stays."""
    return present.level == 1 and present.filter is not None and f'"{APP}"' in json_util.dumps(present.filter)


class Profiling:
    """The profiler of one server's databases during one reading."""

    def __init__(self, ask: Asker, server: str) -> None:
        self._ask = ask
        self._record = Record(server)
        self._before: dict[str, Settings] = {}
        #: What an earlier run left and this one could not put back or drop.
        self._left: dict[str, Settings] = {}
        self._since = 0.0
        self._mine = False
        #: What an earlier run left and this one put back: {database, level, outcome}.
        self.repaired: Rows = []

    def pending(self) -> str:
        """What an earlier run left that is still to be put back or dropped; "" where there is nothing."""
        left = self._record.read()
        if left is None:
            return ""
        owed = all(found.get("owed") for found in left["databases"].values())
        return f"{PROFILE} left by an earlier run" if owed else "profiler settings left by a killed run"

    @contextmanager
    def held(self) -> Generator[None]:
        """No other run profiles this server; what a killed one left is put back first, and ours at the end."""
        self._mine = self._record.take()
        try:
            if self._mine:
                self._repair()
            else:
                self._ask.notes.add(_SECTION, "that no other run of dbtrust profiles this server now")
            yield
        finally:
            self._restore()
            self._record.release()

    def mended(self) -> Rows:
        """Puts back what a killed run left on this server, where it left something; what was done."""
        if self.pending():
            with self.held():
                pass
        return self.repaired

    def arm(self, databases: Sequence[str], slow_ms: int) -> None:
        """Inside `held`: what is slow is in system.profile from now on, where the role allows it."""
        if self._mine:
            self._arm(databases, slow_ms)
            self._since = time.monotonic()

    @property
    def armed(self) -> bool:
        """Was it switched on anywhere?"""
        return bool(self._before)

    def wait(self, seconds: float) -> None:
        """Until the profiler has been on for so long; not at all where it was switched on nowhere."""
        if self._before:
            time.sleep(max(0.0, self._since + seconds - time.monotonic()))

    def _repair(self) -> None:
        left = self._record.read()
        if left is None:
            return
        found = {name: _settings_of(item) for name, item in left["databases"].items()}
        owed = {name: item for name, item in found.items() if item.owed}
        armed = {name: item for name, item in found.items() if not item.owed}
        self._left = {name: item for name, item in owed.items() if self._still_owed(name, item)}
        self._left |= self._put_back(armed, self._repaired)
        self._remember(self._left)

    def _repaired(self, database: str, before: Settings, outcome: str) -> None:
        self.repaired.append(before.row(database) | {"outcome": outcome})

    def _still_owed(self, database: str, item: Settings) -> bool:
        assert item.owed is not None
        needs = drop_owed(self._ask, database, item.owed)
        if needs:
            self._tell_profile(database, needs)
        return needs not in ("", OTHERS)

    def _tell_profile(self, database: str, needs: str) -> None:
        address = self._ask.client.address
        where = f" on {address[0]}:{address[1]}" if address else ""
        self._ask.notes.add(
            f"the end of {PROFILE} of {database}{where}, which holds commands with values", needs
        )

    def _arm(self, databases: Sequence[str], slow_ms: int) -> None:
        if any(item.owed is None for item in self._left.values()):
            self._ask.notes.add(_SECTION, "the settings that an earlier run left to be put back first")
            return
        if len(databases) > MOST:
            self._ask.notes.add(f"{_SECTION} of {len(databases) - MOST} databases", "a run for one database")
        off = {name: found for name in databases[:MOST] if (found := self._off(name)) is not None}
        if not off:
            return
        ours = filter_of(slow_ms)
        self._record.write({**self._left, **off}, ours)
        self._before = off
        for name in list(off):
            try:
                self._ask.command(name, {"profile": 1, "filter": ours})
            except PyMongoError as error:
                del self._before[name]
                needs = _RIGHT.format(name) if getattr(error, "code", None) == 13 else describe(error)
                self._ask.notes.add(_SECTION, needs)
        if not self._before:
            self._remember(self._left)

    def _off(self, database: str) -> Settings | None:
        """The settings of a database that nobody profiles; None where somebody does, or they cannot be read."""
        with self._ask.noting(_SECTION, _RIGHT.format(database)):
            found = settings(self._ask, database)
            kept = database not in self._left and there(self._ask, database)
            if found.level == 0 and not kept and not is_primary(self._ask):
                self._ask.notes.add(f"{_SECTION} of {database}", _ON_PRIMARY)
            elif found.level == 0:
                return Settings(found.level, found.slowms, found.sample_rate, found.filter, kept)
        return None

    def _restore(self) -> None:
        """Every database is tried; the file stays where one failed, or where a system.profile is still owed."""
        if not self._before:
            return
        before, self._before = self._before, {}
        failed = self._put_back(before, self._told)
        others = {name: item for name, item in self._left.items() if name not in before}
        self._remember({**others, **failed})

    def _told(self, database: str, before: Settings, outcome: str) -> None:
        if outcome.startswith(_FAILED):
            needs = outcome.removeprefix(_FAILED)
            self._ask.notes.add(f"{_SECTION} of {database}", f"to be put back at the next run: {needs}")

    def _put_back(
        self, wanted: Mapping[str, Settings], tell: Callable[[str, Settings, str], None]
    ) -> dict[str, Settings]:
        """Settings first, so that nothing more is profiled, then system.profile; what is left to the next run."""
        left, owed = dict[str, Settings](), dict[str, Settings]()
        for name, before in wanted.items():
            try:
                outcome = _twice(partial(put_back, self._ask, name, before))
                if outcome == _PUT_BACK and not before.kept and before.level == 0:
                    owed[name] = replace(before, owed=server_time(self._ask))
            except PyMongoError as error:
                outcome, left[name] = f"{_FAILED}{describe(error)}", before
            tell(name, before, outcome)
        return left | self._dropped(owed, {**self._left, **left})

    def _dropped(self, owed: Mapping[str, Settings], left: Mapping[str, Settings]) -> dict[str, Settings]:
        """Those of `owed` whose system.profile stays, which is told; written down first, beside what is `left`."""
        if not owed:
            return {}
        self._remember({**left, **owed})
        stays = drop_all(self._ask, owed)
        for name, needs in stays.items():
            self._tell_profile(name, needs)
        return {name: owed[name] for name in stays}

    def _remember(self, left: Mapping[str, Settings]) -> None:
        """What the next run has to do; nothing is kept where that is nothing."""
        if left:
            self._record.write(left, {})
        else:
            self._record.forget()
