"""Every history in a folder that has no dbtrust.toml."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from dbtrust.model.errors import ConfigError, QueryFileError
from dbtrust.model.location import Location
from dbtrust.model.report import NotExamined
from dbtrust.source.layouts import alembic, flyway, folders, marked, own, pairs, plain, unsupported
from dbtrust.source.layouts.dialects import other_database, other_files, other_folder
from dbtrust.source.layouts.folder import Folder, read_tree
from dbtrust.source.layouts.reading import Reader, Reading
from dbtrust.source.layouts.unsupported import Unsupported

#: The first reader that knows a folder has it: those that need a mark or a shape before those that need only a number.
READERS: tuple[Reader, ...] = (
    alembic.read,
    folders.read,
    folders.read_prisma,
    flyway.read,
    marked.read_goose,
    marked.read_sql_migrate,
    own.read_dbmate,
    own.read_own,
    pairs.read,
    pairs.read_simple,
)
#: Asked only where no layout that is known by sight is there.
LAST: tuple[Reader, ...] = (plain.read, plain.read_numbered_folders)


_NUMBERED = re.compile(r"[VURvur]?\d")
#: A folder of diesel's or Prisma's, where it is a link.
_FOLDER = re.compile(r"\d+[-_][^.]*$")


@dataclass(slots=True)
class Found:
    """All histories in order of their folders, and what was seen and is not read."""

    readings: list[Reading] = field(default_factory=list[Reading])
    unsupported: list[Unsupported] = field(default_factory=list[Unsupported])
    not_examined: list[NotExamined] = field(default_factory=list[NotExamined])


def find_histories(root: Path) -> Found:
    """Reads every history below a folder; no file is run. Raises ConfigError where there is no such folder."""
    if not root.is_dir():
        raise ConfigError(f"{root} is not a folder", next="name the folder that holds the migrations")
    tree = read_tree(root)
    found = Found(not_examined=[NotExamined(path, why) for path, why in tree.left_out])
    _look(tree.root, found, set())
    return found


def _look(folder: Folder, found: Found, consumed: set[str]) -> None:
    if other_database(folder) is not None:
        found.not_examined += other_folder(folder)
        return
    if folder.path not in consumed or not folder.path:
        found.not_examined += other_files(folder)
        if (reading := _first(folder, READERS)) is not None:
            _keep(reading, folder, found, consumed)
        elif (strange := unsupported.recognise(folder)) is not None:
            found.unsupported.append(strange)
        elif (reading := _first(folder, LAST)) is not None:
            _keep(reading, folder, found, consumed)
        else:
            found.not_examined += _passed_over(folder)
    for child in folder.folders.values():
        _look(child, found, consumed)


def _first(folder: Folder, readers: tuple[Reader, ...]) -> Reading | None:
    return next((reading for read in readers if (reading := read(folder)) is not None), None)


def _passed_over(folder: Folder) -> list[NotExamined]:
    """What looks like a migration and cannot be read, where no other file says which layout it is of."""
    unread = {str(error.location.file): error.message for error in folder.unread}
    strange = {folder.place(name): why for name, why in folder.strange.items() if name.endswith(".sql")}
    return [
        NotExamined(place, why) for place, why in sorted((unread | strange).items())
        if _NUMBERED.match(place.rpartition("/")[2])
    ]  # fmt: skip


def _told(reading: Reading, folder: Folder) -> None:
    """An error for each thing in a history's folders that is named like a migration and is no file; dbtrust's own reader tells it itself."""
    places = {reading.folder, *reading.consumed}
    for place in folder.walk():
        for name, why in place.strange.items() if place.path in places else ():
            if name.lower().endswith(".py" if reading.program is not None else ".sql") or _FOLDER.match(name):
                at = Location(place.place(name), 1, 1)
                reading.errors.append(
                    QueryFileError(f"{why} is no migration", location=at, next="mend or remove it")
                )


def _odd_names(reading: Reading, folder: Folder) -> None:
    """No pattern of a layout takes a name of two lines: its file would be passed over in silence."""
    for file in folder.files:
        if "\n" in file and file.endswith(".sql"):
            place = Location(folder.place(file), 1, 1)
            error = QueryFileError(
                "a line break in a file's name", location=place, next="give it another name"
            )
            reading.errors.append(error)


def _keep(reading: Reading, folder: Folder, found: Found, consumed: set[str]) -> None:
    _odd_names(reading, folder)
    if reading.layout != "dbtrust":
        _told(reading, folder)
    consumed |= reading.consumed
    found.not_examined += reading.not_examined
    if reading.reads or reading.errors:
        found.readings.append(reading)
