"""A folder for each migration: diesel (up.sql and down.sql) and Prisma (migration.sql, without a way back)."""

from __future__ import annotations

import re
import tomllib

from dbtrust.source.layouts.dialects import sql_files
from dbtrust.source.layouts.folder import Folder
from dbtrust.source.layouts.reading import Reading, paired, unique, without_up
from dbtrust.source.layouts.scripts import NO_TRANSACTION, options_of, read_half

_NAME = re.compile(r"^(?P<number>\d[\d-]*)(?:_(?P<name>.*))?$")


def read(folder: Folder) -> Reading | None:
    """None where no numbered sub-folder holds an up.sql. The order is that of the digits as text, as diesel's is."""
    return _read(folder, "diesel", "up.sql", "down.sql")


def read_prisma(folder: Folder) -> Reading | None:
    """None where no numbered sub-folder holds a migration.sql, or where it is for another database."""
    lock = folder.try_text("migration_lock.toml") if "migration_lock.toml" in folder.files else ""
    if lock and not re.search(r'provider\s*=\s*"postgres(ql)?"', lock):
        return None
    return _read(folder, "Prisma", "migration.sql", "down.sql")


def _read(folder: Folder, layout: str, up: str, down: str) -> Reading | None:
    found = [(m, child) for name, child in folder.folders.items() if (m := _number(name)) is not None]
    if not any(up in sql_files(child) for _, child in found):
        return None
    reading = Reading(layout, folder.path, consumed=frozenset(child.path for _, child in found))
    taken: dict[str, str] = {}
    for (_, number, name), child in sorted(found, key=lambda f: (f[0][0], f[1].path)):
        names = sql_files(child)
        if up not in names:
            if down in names:
                without_up(reading, number, child.place(names[down]))
            continue
        options = _options(child)
        halves = [
            read_half(
                child, names[half], reading, options or options_of(child.try_text(names[half]), alone=False)
            )
            if half in names
            else None
            for half in (up, down)
        ]
        assert halves[0] is not None
        extra = [child.place("metadata.toml")] if "metadata.toml" in child.files else []
        unique(reading, paired(number, name, halves[0], halves[1], extra), taken)
    return reading


def _number(name: str) -> tuple[str, str, str] | None:
    """The digits that order, the number as written, and the name."""
    match = _NAME.match(name)
    if match is None:
        return None
    number = match["number"].strip("-")
    return (number.replace("-", ""), number, match["name"] or "")


def _options(child: Folder) -> dict[str, str]:
    """diesel's metadata.toml may say that the migration runs in no transaction."""
    text = child.try_text("metadata.toml") if "metadata.toml" in child.files else ""
    try:
        alone = tomllib.loads(text).get("run_in_transaction") is False
    except tomllib.TOMLDecodeError:
        alone = False
    return dict(NO_TRANSACTION) if alone else {}
