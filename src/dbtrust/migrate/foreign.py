"""Which migrations of the folder another tool's ledger says are applied. Pure; what does not fit is said, not guessed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dbtrust.migrate.order import Item, Refused
from dbtrust.model.errors import USAGE
from dbtrust.model.foreign import ForeignLedger, ForeignRow


@dataclass(frozen=True, slots=True)
class Mapped:
    """`items` are ours that are applied; `unmapped` are rows of the other ledger with no counterpart, and why."""

    items: tuple[Item, ...]
    unmapped: tuple[tuple[ForeignRow, str], ...]


def mapped(ledger: ForeignLedger, items: Sequence[Item]) -> Mapped:
    """The counterparts among `items` of the ledger's engine. Raises Refused for a ledger that is in a bad state."""
    if ledger.dirty:
        raise Refused(
            f"{ledger.where} of {ledger.tool}: {ledger.dirty}",
            next=f"mend the database and the ledger with {ledger.tool} first",
        )
    own = [item for item in items if item.engine == ledger.engine and item.migration is not None]
    return _by_head(ledger, own) if ledger.kind == "head" else _by_row(ledger, own)


def of_app(ledger: ForeignLedger, app: str | None, project: str) -> tuple[ForeignLedger, list[ForeignRow]]:
    """A ledger of Django with the rows of one app, and those of the others; any other ledger as it is.

    Each app counts from 0001, so that a number alone says nothing. Raises Refused where the app is not clear.
    """
    if ledger.tool != "django":
        if app is not None:
            raise Refused(
                f"--app {app}: {ledger.where} of {ledger.tool} has no apps", next="leave it out", code=USAGE
            )
        return ledger, []
    apps = sorted({_app(row) for row in ledger.rows})
    if app is None and apps and apps != [project]:
        raise Refused(
            f"{ledger.where} has migrations of {', '.join(apps)}, and which of them the folder holds is not said",
            next="choose with --app NAME",
        )
    if app is not None and app not in apps:
        step = f"it has {', '.join(apps)}" if apps else "it is empty"
        raise Refused(f"--app {app}: {ledger.where} has no such app", next=step, code=USAGE)
    mine = tuple(row for row in ledger.rows if _app(row) == (app or project))
    return replace(ledger, rows=mine), [row for row in ledger.rows if row not in mine]


def _app(row: ForeignRow) -> str:
    return row.version.partition(".")[0]


def _by_head(ledger: ForeignLedger, items: Sequence[Item]) -> Mapped:
    """One row names the last: it and everything of that engine before it."""
    row = next(iter(ledger.rows), None)
    if row is None:
        return Mapped((), ())
    if len(ledger.rows) > 1:
        names = ", ".join(row.version for row in ledger.rows)
        raise Refused(
            f"{ledger.where} of {ledger.tool} has {len(ledger.rows)} heads: {names}",
            next=f"merge them with {ledger.tool} first",
        )
    last = (
        _numbered(row.version, items)
        if row.version.isdigit() and ledger.tool != "alembic"
        else _naming(row, items)
    )
    if last is None:
        raise Refused(
            f"{ledger.where} of {ledger.tool} is at {row.version}, and no file of the folder is of that version",
            next="name the version in the file's name, or use dbtrust migrate baseline --to N",
        )
    return Mapped(tuple(item for item in items if item.number <= last.number), ())


def _naming(row: ForeignRow, items: Sequence[Item]) -> Item | None:
    """The one file whose name or text has the version as a word (a revision of Alembic); None for none or several."""
    word = re.compile(rf"(?<![0-9A-Za-z]){re.escape(row.version)}(?![0-9A-Za-z])")
    found = [i for i in items if word.search(i.name) or (i.migration and _revises(word, i.migration.text))]
    return found[0] if len(found) == 1 else None


def _revises(word: re.Pattern[str], text: str) -> bool:
    """Does a line say that this is the revision (`-- Revision ID: 1a2b`), and not what it comes after?"""
    lines = [line for line in text.splitlines() if word.search(line)]
    return any(re.search(r"(?i)\brevision( id)?\b", line) and "revises" not in line.lower() for line in lines)


def _numbered(version: str, items: Sequence[Item]) -> Item | None:
    number = int(version) if version.isascii() and version.isdigit() and len(version) < 100 else -1
    return next((item for item in items if item.number == number), None)


def _number(version: str) -> int:
    """What a version counts as: 2 and 2.1 stand for all up to 2; -1 where it begins with no number."""
    digits = re.match(r"[0-9]{1,99}(?![0-9])", version)
    return int(digits[0]) if digits else -1


def _by_row(ledger: ForeignLedger, items: Sequence[Item]) -> Mapped:
    """A row for each: of the same number, and where both have a name, of the same name; and all up to the base."""
    found: dict[int, Item] = {}
    unmapped: list[tuple[ForeignRow, str]] = []
    for row in ledger.rows:
        item, why = _counterpart(row, items)
        if item is not None and item.number in found:
            item, why = None, f"{item.written} is the counterpart of another row, too"
        if item is None:
            unmapped.append((row, why))
        else:
            found[item.number] = item
    found |= {item.number: item for item in items if item.number <= _number(ledger.base)}
    return Mapped(tuple(found[number] for number in sorted(found)), tuple(unmapped))


def _counterpart(row: ForeignRow, items: Sequence[Item]) -> tuple[Item | None, str]:
    digits = re.match(r"[0-9]+", row.name if "." in row.version else row.version)
    item = _numbered(digits[0], items) if digits else None
    if item is None:
        return None, "the folder has no migration of that number"
    if row.name and _word(row.name) != _word(item.name):
        return None, f"{item.written} has another name, {item.name}"
    return item, ""


def _word(name: str) -> str:
    """A name without its number, its suffix and its punctuation: 0001_Add-users.sql -> addusers."""
    bare = re.sub(r"\.(up\.)?(sql|js|ts|py)$", "", name)
    return re.sub(r"[^a-z0-9]", "", re.sub(r"^[0-9]+[_\-. ]*", "", bare).lower())
