"""Flyway: V1.2__name.sql, U1.2__name.sql takes it back, R__name.sql runs after all the others."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from dbtrust.model.location import Location
from dbtrust.model.project import Migration
from dbtrust.model.report import NotExamined
from dbtrust.source.layouts.dialects import other_database, sql_files
from dbtrust.source.layouts.folder import Folder
from dbtrust.source.layouts.reading import Half, Hole, Read, Reading, paired, unique, with_hole, without_up
from dbtrust.source.layouts.scripts import NO_TRANSACTION, options_of, read_half, variables

_NAME = re.compile(r"^(?P<kind>[VUBR])(?P<version>\d[\d._]*?)?__(?P<name>.+)\.(?P<end>sql|java|kt|py)$")
_PLACEHOLDER = re.compile(r"\$\{[^}\n]+\}")
_PLACES = ("migration", "migrations")


@dataclass(slots=True)
class _Found:
    """(match, folder, file) by kind."""

    by_kind: dict[str, list[tuple[re.Match[str], Folder, str]]] = field(
        default_factory=dict[str, list[tuple[re.Match[str], Folder, str]]]
    )

    def of(self, kind: str) -> list[tuple[re.Match[str], Folder, str]]:
        return self.by_kind.get(kind, [])


def read(folder: Folder) -> Reading | None:
    """None without a versioned file here, or in the sub-folders of a folder `migration`, Flyway's own place."""
    here, all_below = _files([folder]), _files(_mine(folder))
    if not here.of("V") and not (folder.name in _PLACES and all_below.of("V") and _apart(all_below)):
        return None
    found = all_below if _apart(all_below) else here
    below = (
        frozenset(f.path for f in folder.walk() if f is not folder)
        if found is all_below
        else frozenset[str]()
    )
    reading = Reading("Flyway", folder.path, consumed=below)
    _versioned(found, reading)
    for match, place, file in sorted(found.of("R"), key=lambda r: r[0]["name"]):
        up = _half(place, file, reading)
        reading.reads.append(paired(f"R__{match['name']}", match["name"], up, None))
    for _, place, file in found.of("B"):
        reading.not_examined.append(
            NotExamined(place.place(file), "an empty database that starts from this baseline")
        )
    reading.reads = [_holes(read) for read in reading.reads]
    return reading


def _mine(folder: Folder) -> list[Folder]:
    """This folder and those below, without the ones for other databases."""
    if other_database(folder) is not None:
        return []
    return [folder, *(inner for child in folder.folders.values() for inner in _mine(child))]


def _files(folders: list[Folder]) -> _Found:
    found = _Found()
    for folder in folders:
        programs = [f for f in folder.files if f.endswith((".java", ".kt", ".py"))]
        for file in (*sql_files(folder).values(), *programs):
            match = _NAME.match(file)
            if match and (match["kind"] == "R") == (match["version"] is None):
                found.by_kind.setdefault(match["kind"], []).append((match, folder, file))
    return found


def _key(version: str) -> tuple[int, ...]:
    parts = [int(p) for p in re.split(r"[._]", version) if p]
    while len(parts) > 1 and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def _apart(found: _Found) -> bool:
    """Does each version stand once?"""
    keys = [_key(m["version"]) for m, _, _ in found.of("V")]
    return len(keys) == len(set(keys))


def _versioned(found: _Found, reading: Reading) -> None:
    undos = {_key(m["version"]): (folder, file) for m, folder, file in found.of("U")}
    taken: dict[str, str] = {}
    for match, folder, file in sorted(found.of("V"), key=lambda v: (_key(v[0]["version"]), v[2])):
        key = str(_key(match["version"]))
        undo = undos.pop(_key(match["version"]), None)
        if match["end"] != "sql":
            unique(reading, _program(folder, file, match), taken, key)
            continue
        up = _half(folder, file, reading)
        down = _half(*undo, reading) if undo else None
        extra = [folder.place(f"{file}.conf")] if f"{file}.conf" in folder.files else []
        read = paired(match["version"], match["name"], up, down, extra)
        unique(reading, read, taken, key)
    for version, (folder, file) in undos.items():
        without_up(reading, ".".join(map(str, version)), folder.place(file))


def _half(folder: Folder, file: str, reading: Reading) -> Half:
    """Flyway leaves out the transaction where a statement refuses one, or where the file's .conf says so."""
    text = folder.try_text(file)
    settings = folder.try_text(f"{file}.conf") if f"{file}.conf" in folder.files else ""
    alone = re.search(r"executeInTransaction\s*=\s*false", settings, re.IGNORECASE) is not None
    return read_half(folder, file, reading, NO_TRANSACTION if alone else options_of(text))


def _program(folder: Folder, file: str, match: re.Match[str]) -> Read:
    place = folder.place(file)
    hole = Hole(
        "program",
        "a migration that is a program of the project",
        "prove it where that program runs",
        Location(place, 1, 1),
    )
    return Read(Migration("postgres", match["version"], match["name"], Location(place, 1, 1)), (place,), hole)


def _holes(read: Read) -> Read:
    """Flyway puts placeholders in everywhere, in strings and comments, too."""
    for script in (read.migration.up, read.migration.down):
        if script is not None:
            read = with_hole(read, variables(script.sql, script.file, _PLACEHOLDER, "Flyway"))
    return read
