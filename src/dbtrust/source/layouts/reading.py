"""What a layout's reader gives: migrations in order, and what of them dbtrust cannot run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from dbtrust.model.errors import DbtrustError, QueryFileError
from dbtrust.model.location import Location
from dbtrust.model.project import Migration, Script
from dbtrust.model.report import NotExamined
from dbtrust.source.layouts.folder import Folder
from dbtrust.source.migrations import History

#: The reason of a hole behind which nothing can be judged: two files have one number.
AMBIGUOUS = "number"


@dataclass(frozen=True, slots=True)
class Hole:
    """Why a migration cannot be run as it stands: verdicts about it are unproved, with this reason."""

    reason: str
    message: str
    next: str
    location: Location
    #: What is left of its scripts can be applied, so that later migrations have a ground to stand on.
    partly: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """One migration of a layout. `files` are all files that it is made of, relative to the root."""

    migration: Migration
    files: tuple[str, ...]
    hole: Hole | None = None


@dataclass(slots=True)
class Reading:
    """One history: the layout's name, its folder (relative, "" for the root), and what was read of it.

    `consumed` are the sub-folders that belong to it.
    """

    layout: str
    folder: str
    reads: list[Read] = field(default_factory=list[Read])
    errors: list[DbtrustError] = field(default_factory=list[DbtrustError])
    not_examined: list[NotExamined] = field(default_factory=list[NotExamined])
    consumed: frozenset[str] = frozenset()
    #: The folder of an Alembic project's configuration file: its revisions run in a program of their own.
    program: str | None = None

    @property
    def history(self) -> History:
        return History(tuple(r.migration for r in self.reads), tuple(self.errors))


#: Looks at one folder: its history, or None where it is not of this layout.
Reader = Callable[[Folder], "Reading | None"]


@dataclass(slots=True)
class Half:
    """A script as a layout reads it, before it is known what it belongs to."""

    file: str
    script: Script | None
    hole: Hole | None = None


def _ambiguous(reading: Reading, first: str, second: str, other: Read) -> None:
    """Which of the two comes first, and which halves belong together, nobody can say: neither is run."""
    at, read = next((n, r) for n, r in enumerate(reading.reads) if str(r.migration.location.file) == first)
    hole = Hole(
        AMBIGUOUS, f"{first} and {second} have the same number", "give one of them another number",
        read.migration.location,
    )  # fmt: skip
    files = tuple(dict.fromkeys([*read.files, *other.files]))
    reading.reads[at] = replace(read, hole=hole, files=files)


def unique(reading: Reading, read: Read, taken: dict[str, str], key: str = "") -> bool:
    """Adds a migration whose number no other one of the history may have. False, and an error, for a second one.

    `key` says which numbers are the same; it is the number without leading zeros where none is given.
    """
    key = key or read.migration.number.lstrip("0") or "0"
    place = str(read.migration.location.file)
    if key in taken:
        reading.errors.append(
            QueryFileError(
                f"number {read.migration.number} is taken by {taken[key]}", location=Location(place, 1, 1),
                next="give one of them another number",
            )
        )  # fmt: skip
        _ambiguous(reading, taken[key], place, read)
        return False
    taken[key] = place
    reading.reads.append(read)
    return True


def paired(number: str, name: str, up: Half, down: Half | None, extra: Sequence[str] = ()) -> Read:
    """A migration of an up and a down that were read."""
    migration = Migration(
        "postgres", number, name, Location(up.file, 1, 1), up=up.script, down=down.script if down else None
    )
    files = [up.file, *([down.file] if down else []), *extra]
    return Read(migration, tuple(dict.fromkeys(files)), up.hole or (down.hole if down else None))


def without_up(reading: Reading, number: str, file: str) -> None:
    """A down that belongs to no up."""
    reading.errors.append(
        QueryFileError(
            f"a down without an up for number {number}", location=Location(file, 1, 1),
            next="add the up or remove the down",
        )
    )  # fmt: skip


def with_hole(read: Read, hole: Hole | None) -> Read:
    """The migration with one more reason, where it has none yet."""
    return read if hole is None or read.hole is not None else replace(read, hole=hole)
