"""Numbered files of nobody's tool: NNN_name.sql, with its way back beside it or in a folder of its own, or without."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dbtrust.source.layouts.dialects import sql_files
from dbtrust.source.layouts.folder import Folder, natural
from dbtrust.source.layouts.reading import Half, Reading, paired, without_up
from dbtrust.source.layouts.scripts import options_of, read_half

_NUMBER = re.compile(
    r"^[vV]?(?P<number>\d{4}-\d\d-\d\d(?:[-_T]\d{4,6})?|\d+)(?P<rest>(?:[-_. a-zA-Z].*)?)\.sql$"
)
_BACK = "down|rollback|undo|revert|backward|back"
_FORTH = "up|do|forward|deploy|apply"
_END = re.compile(rf"^(?P<name>.*?)[-_.](?:(?P<back>{_BACK})|(?P<forth>{_FORTH}))$", re.IGNORECASE)
_START = re.compile(rf"^[-_.](?:(?P<back>{_BACK})|(?P<forth>{_FORTH}))(?P<name>[-_.].*)?$", re.IGNORECASE)
_BACK_FOLDERS = ("rollback", "rollbacks", "down", "downs", "undo", "revert", "reverts")
_FORTH_FOLDERS = ("up", "ups", "forward", "deploy", "do")
#: Where numbered files are no migrations, the folder is called something else.
_PLACE = re.compile(r"migrat|evolution|delta|upgrade|changes|patch|schema_versions|ddl", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _File:
    number: str
    name: str
    back: bool
    folder: Folder
    file: str


def read(folder: Folder) -> Reading | None:
    """None where no file is numbered, or where neither a way back nor the folder's name says that they are migrations."""
    ups, downs, consumed = _gather(folder)
    if not ups or not (downs or folder.path == "" or _is_place(folder)):
        return None
    return _reading(folder, "plain", ups, downs, consumed)


def read_numbered_folders(folder: Folder) -> Reading | None:
    """A folder for each number, with any files in it: 54/first.sql, 54/second.sql."""
    children = [
        c for name, c in folder.folders.items() if re.fullmatch(r"[vV]?\d+(\.\d+)*", name) and sql_files(c)
    ]
    if not children or not (_is_place(folder) or folder.path == ""):
        return None
    ups: list[_File] = []
    downs: list[_File] = []
    for child in children:
        for name, file in sql_files(child).items():
            number = child.path.rsplit("/", 1)[-1].lstrip("vV")
            stem, back = _stem(name.removesuffix(".sql"))
            (downs if back else ups).append(_File(number, stem, back, child, file))
    return _reading(folder, "plain", ups, downs, frozenset(c.path for c in children))


def _gather(folder: Folder) -> tuple[list[_File], list[_File], frozenset[str]]:
    here = _numbered(folder, None)
    found = list(here)
    consumed: list[str] = []
    for name, child in folder.folders.items():
        back = name.lower() in _BACK_FOLDERS
        if back or (name.lower() in _FORTH_FOLDERS and not here):
            found += _numbered(child, back)
            consumed.append(child.path)
    return [f for f in found if not f.back], [f for f in found if f.back], frozenset(consumed)


def _numbered(folder: Folder, back: bool | None) -> list[_File]:
    files: list[_File] = []
    for name, file in sql_files(folder).items():
        if match := _NUMBER.match(name):
            stem, undoes = _stem(match["rest"])
            files.append(_File(match["number"], stem, undoes if back is None else back, folder, file))
    return files


def _stem(rest: str) -> tuple[str, bool]:
    """The name without the word of the half, and whether that word takes back."""
    for pattern in (_START, _END):
        if match := pattern.match(rest):
            return (match["name"] or "").strip("-_. "), match["back"] is not None
    return rest.strip("-_. "), False


def _reading(
    folder: Folder, layout: str, ups: list[_File], downs: list[_File], consumed: frozenset[str]
) -> Reading:
    reading = Reading(layout, folder.path, consumed=consumed)
    for up in sorted(ups, key=lambda f: (natural(f.number), natural(f.name), f.file)):
        down = _taken(downs, up, alone=sum(u.number == up.number for u in ups) == 1)
        halves = [_half(f, reading) if f else None for f in (up, down)]
        assert halves[0] is not None
        reading.reads.append(paired(up.number, up.name, halves[0], halves[1]))
    for down in downs:
        without_up(reading, down.number, down.folder.place(down.file))
    return reading


def _taken(downs: list[_File], up: _File, *, alone: bool) -> _File | None:
    """The down of an up, taken out of the list: of the same number and name, or of the number where it stands alone."""
    same = [d for d in downs if d.number == up.number]
    found = next((d for d in same if d.name == up.name), same[0] if alone and len(same) == 1 else None)
    if found is not None:
        downs.remove(found)
    return found


def _half(file: _File, reading: Reading) -> Half:
    text = file.folder.try_text(file.file)
    return read_half(file.folder, file.file, reading, options_of(text))


def _is_place(folder: Folder) -> bool:
    return any(_PLACE.search(part.name) for part in folder.above())
