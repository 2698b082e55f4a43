"""Both halves in one file behind comments: goose (-- +goose Up) and sql-migrate (-- +migrate Up)."""

from __future__ import annotations

import re
from collections.abc import Callable

from dbtrust.model.errors import DbtrustError, QueryFileError
from dbtrust.model.location import Location
from dbtrust.model.project import Migration
from dbtrust.source.layouts.dialects import sql_files
from dbtrust.source.layouts.folder import Folder
from dbtrust.source.layouts.reading import Half, Hole, Read, Reading, paired, unique, with_hole
from dbtrust.source.layouts.scripts import (
    NO_TRANSACTION,
    blank,
    half,
    has_statements,
    sections,
    unreadable,
    variables,
)

_GOOSE = re.compile(
    r"^[ \t]*--[ \t]*\+goose[ \t]+(?P<word>[a-z]+)(?P<rest>[^\n]*)$", re.IGNORECASE | re.MULTILINE
)
_SQL_MIGRATE = re.compile(
    r"^[ \t]*--[ \t]*\+migrate[ \t]+(?P<word>[a-z]+)(?P<rest>[^\n]*)$", re.IGNORECASE | re.MULTILINE
)
_NUMBER = re.compile(r"^(?P<number>\d+)(?:[-_.](?P<name>.*))?\.(?P<kind>sql|go)$")
#: What goose puts in where ENVSUB is on; a dollar quote's tag is none.
_VARIABLE = re.compile(r"\$\{[A-Za-z_][^}\n]*\}|\$[A-Za-z_]\w*(?![\w$])")


def read_goose(folder: Folder) -> Reading | None:
    """None where no file has goose's marks. Migrations in Go are holes: they are a program."""
    if not _any(folder, _GOOSE):
        return None
    reading, taken = Reading("goose", folder.path), dict[str, str]()
    names = [*sql_files(folder).values(), *(f for f in folder.files if f.endswith(".go"))]
    found = [(m, f) for f in names if not f.endswith("_test.go") and (m := _NUMBER.match(f))]
    for match, file in sorted(found, key=lambda u: (int(u[0]["number"]), u[1])):
        if match["kind"] == "go":
            unique(reading, _in_go(folder, file, match), taken)
        elif (both := _halves(folder, file, reading, _GOOSE, _goose_options)) is not None:
            read = paired(match["number"], match["name"] or "", *both)
            unique(reading, with_hole(read, _substituted(folder, file)), taken)
    return reading


def read_sql_migrate(folder: Folder) -> Reading | None:
    """None where no file has sql-migrate's marks. The order is that of the leading numbers, then of the names."""
    if not _any(folder, _SQL_MIGRATE):
        return None
    reading = Reading("sql-migrate", folder.path)
    files = [f for f in sql_files(folder).values() if not f.startswith(".")]
    for file in sorted(files, key=lambda f: (not f[:1].isdecimal(), _leading(f), f)):
        both = _halves(folder, file, reading, _SQL_MIGRATE, _migrate_options)
        if both is not None:
            match = _NUMBER.match(file)
            number, name = (
                (match["number"], match["name"] or "") if match else (file.removesuffix(".sql"), "")
            )
            reading.reads.append(paired(number, name, *both))
    return reading


def _leading(file: str) -> int:
    digits = re.match(r"\d+", file)
    return int(digits.group()) if digits else 0


def _any(folder: Folder, mark: re.Pattern[str]) -> bool:
    return any(
        (m := mark.search(folder.try_text(file))) is not None and m["word"].lower() in ("up", "down", "no")
        for file in sql_files(folder).values()
    )


def _halves(
    folder: Folder, file: str, reading: Reading, mark: re.Pattern[str], options: Callable[[str, str], bool]
) -> tuple[Half, Half | None] | None:
    """The up and the down of a file; None, with an error, where it has no up."""
    place = folder.place(file)
    try:
        text = folder.text(file)
    except DbtrustError as error:
        return unreadable(place, error, reading), None
    marks = [
        (m.start(), m.end(), m["word"].lower())
        for m in mark.finditer(text)
        if m["word"].lower() in ("up", "down")
    ]
    parts = sections(text, marks)
    if "up" not in parts:
        step = "write the mark of the up, or move the file"
        reading.errors.append(QueryFileError("the file has no up", location=Location(place, 1, 1), next=step))
        return None
    lines = {kind: text.count("\n", 0, start) + 1 for start, _, kind in reversed(marks)}
    try:
        made = {
            kind: half(body, text, place, NO_TRANSACTION if options(text, kind) else {}, lines[kind])
            for kind, body in parts.items()
        }
    except DbtrustError as error:
        return unreadable(place, error, reading), None
    down = made.get("down")
    # A mark with nothing behind it is a way back that nobody wrote.
    written = down is not None and has_statements(parts["down"])
    return made["up"], down if written else None


def _goose_options(text: str, kind: str) -> bool:
    del kind  # goose's mark is for the whole file
    return any(
        m["word"].upper() == "NO" and "TRANSACTION" in m["rest"].upper() for m in _GOOSE.finditer(text)
    )


def _migrate_options(text: str, kind: str) -> bool:
    return any(
        m["word"].lower() == kind and "notransaction" in m["rest"].lower()
        for m in _SQL_MIGRATE.finditer(text)
    )


def _substituted(folder: Folder, file: str) -> Hole | None:
    """A variable between ENVSUB ON and OFF."""
    text = folder.try_text(file)
    on, start, shown = False, 0, ""
    for mark in [*_GOOSE.finditer(text), None]:
        end = mark.start() if mark else len(text)
        shown += text[start:end] if on else blank(text[start:end])
        start = end
        if mark and mark["word"].upper() == "ENVSUB":
            on = mark["rest"].strip().upper().startswith("ON")
    bare = re.sub(r"--[^\n]*", lambda m: blank(m.group()), shown)
    return variables(bare, folder.place(file), _VARIABLE, "goose (ENVSUB)")


def _in_go(folder: Folder, file: str, match: re.Match[str]) -> Read:
    place = folder.place(file)
    migration = Migration("postgres", match["number"], match["name"] or "", Location(place, 1, 1))
    hole = Hole(
        "program",
        "a migration in Go is a program of the project",
        "prove it where that program runs",
        Location(place, 1, 1),
    )
    return Read(migration, (place,), hole)
