"""NNN_name.up.sql beside NNN_name.down.sql: golang-migrate, and sqlx where the folder belongs to a Rust crate."""

from __future__ import annotations

import re

from dbtrust.source.layouts.dialects import sql_files
from dbtrust.source.layouts.folder import Folder
from dbtrust.source.layouts.reading import Half, Reading, paired, unique, without_up
from dbtrust.source.layouts.scripts import NO_TRANSACTION, options_of, read_half

_NAME = re.compile(r"^(?P<number>\d+)[-_](?P<name>.*)\.(?P<half>up|down)\.sql$")
_SIMPLE = re.compile(r"^(?P<number>\d+)_(?P<name>.+)\.sql$")
_SQLX_ALONE = re.compile(r"\A\s*--[ \t]*no-transaction\b")


def read(folder: Folder) -> Reading | None:
    """None without one .up.sql."""
    names = sql_files(folder)
    found = [(m, file) for name, file in names.items() if (m := _NAME.match(name))]
    if not any(m["half"] == "up" for m, _ in found):
        return None
    sqlx = in_crate(folder)
    reading = Reading("sqlx" if sqlx else "golang-migrate", folder.path)
    downs = {
        (m["number"], m["name"]): _half(folder, file, reading, sqlx)
        for m, file in found
        if m["half"] == "down"
    }
    ups = [(m, file) for m, file in found if m["half"] == "up"]
    if sqlx:
        ups += [
            (m, file) for name, file in names.items() if not _NAME.match(name) and (m := _SIMPLE.match(name))
        ]
    taken: dict[str, str] = {}
    for match, file in sorted(ups, key=lambda u: (int(u[0]["number"]), u[1])):
        up, down = _half(folder, file, reading, sqlx), _down_of(match, downs)
        unique(reading, paired(match["number"], match["name"], up, down), taken)
    for (number, _), down in downs.items():
        without_up(reading, number, down.file)
    return reading


def _down_of(up: re.Match[str], downs: dict[tuple[str, str], Half]) -> Half | None:
    """The down of the same name, or the only one of the number."""
    same = [key for key in downs if key[0] == up["number"]]
    key = (up["number"], up["name"])
    return downs.pop(key) if key in downs else downs.pop(same[0]) if len(same) == 1 else None


def read_simple(folder: Folder) -> Reading | None:
    """sqlx's simple migrations: NNN_name.sql, without a way back, in a Rust crate's folder `migrations`."""
    if folder.name != "migrations" or not in_crate(folder):
        return None
    found = [(m, file) for name, file in sql_files(folder).items() if (m := _SIMPLE.match(name))]
    if not found:
        return None
    reading = Reading("sqlx", folder.path)
    taken: dict[str, str] = {}
    for match, file in sorted(found, key=lambda u: (int(u[0]["number"]), u[1])):
        unique(
            reading, paired(match["number"], match["name"], _half(folder, file, reading, True), None), taken
        )
    return reading


def in_crate(folder: Folder) -> bool:
    """Does a Cargo.toml stand beside or above?"""
    return any("Cargo.toml" in above.files for above in folder.above())


def _half(folder: Folder, file: str, reading: Reading, sqlx: bool) -> Half:
    """golang-migrate sends the file as one: a single statement may refuse transactions. sqlx needs its mark for that."""
    text = folder.try_text(file)
    if sqlx:
        options = dict(NO_TRANSACTION) if _SQLX_ALONE.match(text) else options_of(text, alone=False)
    else:
        options = options_of(text)
    return read_half(folder, file, reading, options)
