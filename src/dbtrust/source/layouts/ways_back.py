"""Where each layout keeps what takes a migration back: the file, and the marks around it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dbtrust.model.errors import DbtrustError
from dbtrust.model.project import Migration
from dbtrust.source.text import exact_text


@dataclass(frozen=True, slots=True)
class WayBack:
    """The file of a down, relative to the root; the comment line before it where the up stands in the same file.

    `begin` and `end` stand around a statement that holds semicolons of its own.
    """

    file: str
    mark: str = ""
    begin: str = ""
    end: str = ""


_MARKS = {
    "dbmate": ("-- migrate:down", "", ""),
    "goose": ("-- +goose Down", "-- +goose StatementBegin", "-- +goose StatementEnd"),
    "sql-migrate": ("-- +migrate Down", "-- +migrate StatementBegin", "-- +migrate StatementEnd"),
}
#: A word of a plain up -> that of its down.
_WORDS = {"up": "down", "do": "undo", "forward": "backward", "deploy": "revert", "apply": "revert"}
_WORD = re.compile(rf"(?<=[-_.])({'|'.join(_WORDS)})(?=[-_.])", re.IGNORECASE)
_FOLDERS = {"up": "down", "ups": "downs", "forward": "rollback", "deploy": "revert", "do": "undo"}


@dataclass(frozen=True, slots=True)
class Home:
    """A history's place: what the paths of its patches are relative to. `root` is None where no file is at hand."""

    root: Path | None = None
    layout: str = "dbtrust"
    migrations: Sequence[Migration] = ()

    def text(self, file: str) -> str | None:
        """The exact text of a file; None where it cannot be read."""
        try:
            return exact_text(self.root / file) if self.root is not None else None
        except DbtrustError:
            return None

    def way_back(self, migration: Migration) -> WayBack | None:
        """Where a migration's down is, or would be. None where the layout has none: R__ of Flyway, sqlx's single files."""
        up = str(migration.location.file)
        if self.layout in _MARKS:
            return WayBack(up, *_MARKS[self.layout])
        if migration.down is not None:
            shared = "-- migrate:down" if migration.down.file == up else ""
            return WayBack(migration.down.file, shared)
        file = self._missing(PurePosixPath(up))
        return None if file is None or file == up else WayBack(file)

    def _missing(self, up: PurePosixPath) -> str | None:
        match self.layout:
            case "golang-migrate" | "sqlx":
                name = re.sub(r"\.up(?=\.(?:\w+\.)?sql$)", ".down", up.name)
                return str(up.with_name(name)) if name != up.name else None
            case "diesel" | "Prisma":
                return str(up.with_name("down.sql"))
            case "Flyway":
                return str(up.with_name(f"U{up.name[1:]}")) if up.name.startswith("V") else None
            case "dbtrust" | "plain":
                return self._like_others(up) or _beside(up, plain=self.layout == "plain")
            case _:
                return None

    def _like_others(self, up: PurePosixPath) -> str | None:
        """Named as the downs that are there are: with the same end, or in the same folder."""
        for other in self.migrations:
            if other.down is None or other.location.file == other.down.file:
                continue
            there, down = PurePosixPath(str(other.location.file)), PurePosixPath(other.down.file)
            if there.parent != up.parent:
                continue
            if down.parent != there.parent and down.name == there.name:
                return str(down.parent / up.name)
            if down.parent == there.parent and down.stem.startswith(there.stem):
                return str(up.with_name(f"{up.stem}{down.name.removeprefix(there.stem)}"))
        return None


def _beside(up: PurePosixPath, *, plain: bool) -> str:
    if not plain:
        return str(up.with_name(f"{up.name.removesuffix('.sql').removesuffix('.up')}.down.sql"))
    folder = _FOLDERS.get(up.parent.name.lower())
    if folder is not None:
        return str(up.parent.with_name(folder) / up.name)
    name = _WORD.sub(lambda m: _WORDS[m[0].lower()], up.name, count=1)
    return str(up.with_name(name if name != up.name else f"{up.stem}.down.sql"))
