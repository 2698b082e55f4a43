"""The files of the next migration of a folder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from dbtrust.model.errors import ConfigError
from dbtrust.model.location import Location
from dbtrust.model.project import Config, Migration
from dbtrust.source.migrations import read_history
from dbtrust.source.text import replace_text

_UP = """\
-- What this does and why.
--
-- Options stand on a line of their own before the SQL:
--   `migrate:up lock_timeout:2s retry:3`   wait for locks only so long, and try again
--   `migrate:up transaction:false`         for CREATE INDEX CONCURRENTLY and VACUUM
-- A line `verify: SELECT-less SQL boolean` behind two dashes must be true afterwards.

"""
_DOWN = """\
-- Undoes {file} exactly: the whole catalog is as it was before (dbtrust migrate prove).
-- What cannot come back is declared behind two dashes: `lossy: column users.phone`.

"""
_PYTHON = '''\
"""What this does and why."""

from __future__ import annotations

from dbtrust.migrations import Step

#: create_collection, drop_collection, create_index, drop_index, set_validator, rename_collection,
#: update_in_batches, step: import those that are used. Most know how to undo themselves.
steps: list[Step] = []
'''


def write_migration(config: Config, name: str, engine: str) -> list[str]:
    """Writes an up and a down (MongoDB: one file) and gives their names. Raises ConfigError, QueryFileError.

    The folder is made where it is missing.
    """
    if config.migrations is None:
        place = Location(config.file, 1, 1)
        step = 'add [migrations] folder = "migrations"'
        raise ConfigError(f"{config.file} names no folder of migrations", location=place, next=step)
    word = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    if not word:
        raise ConfigError(f"{name!r} has no letter or digit", next="say what the migration does: add_users")
    folder = config.root / config.migrations
    existing: Sequence[Migration] = ()
    if folder.is_dir():
        history = read_history(config.root, config.migrations)
        if history.errors:
            raise history.errors[0]
        existing = history.migrations
    return _write(config.root, folder, f"{next_number(existing)}_{word}", engine)


def next_number(existing: Sequence[Migration], now: datetime | None = None) -> str:
    """One more than the highest, with as many digits; a timestamp after timestamps (14 digits)."""
    if not existing:
        return "0001"
    last = max(existing, key=lambda m: int(m.number))
    following = int(last.number) + 1
    if re.fullmatch(r"20[0-9]{12}", last.number):
        following = max(following, int((now or datetime.now(UTC)).strftime("%Y%m%d%H%M%S")))
    return str(following).zfill(len(last.number))


def _write(root: Path, folder: Path, stem: str, engine: str) -> list[str]:
    texts = {f"{stem}.py": _PYTHON}
    if engine == "postgres":
        texts = {f"{stem}.sql": _UP, f"{stem}.down.sql": _DOWN.format(file=f"{stem}.sql")}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in texts.items():
            replace_text(folder / file, text)
    except OSError as error:
        raise ConfigError(
            f"cannot write to {folder}: {error.strerror}", next="make the folder one that can be written"
        ) from error
    return [(folder / file).relative_to(root).as_posix() for file in texts]
