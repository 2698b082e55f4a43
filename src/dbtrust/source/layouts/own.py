"""dbtrust's own folders, and dbmate's: -- migrate:up and -- migrate:down in one file."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from dbtrust.model.errors import ConfigError, DbtrustError
from dbtrust.model.project import Script
from dbtrust.source.layouts.dialects import sql_files
from dbtrust.source.layouts.folder import Folder
from dbtrust.source.layouts.reading import Half, Read, Reading, paired, unique
from dbtrust.source.layouts.scripts import (
    NO_TRANSACTION,
    has_statements,
    own_transactions,
    psql_only,
    unreadable,
)
from dbtrust.source.migrations import read_history, read_scripts

_MARK = re.compile(r"^[ \t]*--[ \t]*migrate:(up|down)\b", re.MULTILINE)
_NUMBER = re.compile(r"^(?P<number>\d+)_?(?P<name>.*)\.sql$")
_DOWN = re.compile(r"^\d+_.+(\.down|_rollback|\.rollback)\.sql$")
_PYTHON = re.compile(r"^\d+_.+\.py$")
#: What a MongoDB migration of dbtrust says: it imports its steps, or is a function of the database.
_SPEAKS = re.compile(r"dbtrust\.migrations|^def up\(\s*db\b", re.MULTILINE)


def read_dbmate(folder: Folder) -> Reading | None:
    """None where no file has both marks' word; a folder with downs of their own is dbtrust's."""
    names = {file: m for file in sql_files(folder).values() if (m := _NUMBER.match(file))}
    if any(_DOWN.match(f) for f in names) or not any(_MARK.search(folder.try_text(f)) for f in names):
        return None
    reading, taken = Reading("dbmate", folder.path), dict[str, str]()
    for file, match in sorted(names.items(), key=lambda u: (int(u[1]["number"]), u[0])):
        unique(reading, paired(match["number"], match["name"], *_both(folder, file, reading)), taken)
    return reading


def _both(folder: Folder, file: str, reading: Reading) -> tuple[Half, Half | None]:
    place = folder.place(file)
    try:
        up, down = read_scripts(folder.text(file), place)
    except DbtrustError as error:
        return unreadable(place, error, reading), None
    written = down is not None and has_statements(down.sql)
    return _half(place, up), _half(place, down) if down is not None and written else None


def _half(place: str, script: Script) -> Half:
    options = {**script.options, **NO_TRANSACTION} if own_transactions(script.sql) else script.options
    return Half(place, replace(script, options=options), psql_only(script.sql, place))


def read_own(folder: Folder) -> Reading | None:
    """None where nothing says that it is dbtrust's: a MongoDB migration with its steps or up(db), or marks beside downs."""
    python = any(
        _PYTHON.match(f) and _SPEAKS.search(folder.try_text(f)) for f in folder.files if f.endswith(".py")
    )
    marked = any(_DOWN.match(f) for f in folder.files) and any(
        _MARK.search(folder.try_text(f)) for f in sql_files(folder).values()
    )
    if not python and not marked:
        return None
    return reading_of(folder.root, folder.path)


def reading_of(root: Path, folder: str) -> Reading:
    """The history of a folder that is known to be dbtrust's, relative to the root. An absent one is an error of it."""
    if not (root / folder).is_dir():
        error = ConfigError(f"no folder {folder}", next="make it or mend [migrations] folder")
        return Reading("dbtrust", folder, errors=[error])
    history = read_history(root, folder)
    reading = Reading("dbtrust", folder, errors=list(history.errors))
    for migration in history.migrations:
        files = [str(migration.location.file), *([migration.down.file] if migration.down else [])]
        reading.reads.append(Read(migration, tuple(dict.fromkeys(files))))
    return reading
