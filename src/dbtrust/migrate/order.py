"""One order over both engines: from the folder and both ledgers to what there is to do. Pure: nothing is asked."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from dbtrust.migrate.edited import Edit, edit_of
from dbtrust.model.engine import Engine
from dbtrust.model.errors import FAILED, NO_SERVER, USAGE, DbtrustError
from dbtrust.model.ledger import Entry
from dbtrust.model.location import NOWHERE, Location
from dbtrust.model.project import Migration

Ledgers = Mapping[Engine, Mapping[int, Entry]]
#: "late": pending, and a higher number of its own engine is applied. "untold": its engine has no target, so nobody
#: knows. "unknown": in a ledger, not in the folder. "conflict": in a ledger of the engine that it is not for.
State = Literal["applied", "pending", "late", "running", "reverting", "untold", "unknown", "conflict"]
LABELS: Mapping[str, str] = {"postgres": "PostgreSQL", "mongo": "MongoDB"}


class Refused(DbtrustError):
    """The folder or the ledgers do not allow what was asked; nothing was run. `subject` is a migration, or ""."""

    code = FAILED

    def __init__(
        self, message: str, *, location: Location = NOWHERE, next: str = "", subject: str = "",
        engine: Engine | None = None, difference: Sequence[str] = (), code: int = FAILED,
    ) -> None:  # fmt: skip
        super().__init__(message, location=location, next=next)
        self.subject, self.difference, self.code = subject, tuple(difference), code
        self.engine: Engine | None = engine


@dataclass(frozen=True)
class Item:
    """A number that the folder, a ledger or both know."""

    number: int
    state: State
    migration: Migration | None = None
    entry: Entry | None = None

    @property
    def engine(self) -> Engine:
        known = self.migration or self.entry
        assert known is not None
        return known.engine

    @property
    def written(self) -> str:
        """The number with its digits as written."""
        if self.migration is not None:
            return self.migration.number
        assert self.entry is not None
        return self.entry.written

    @property
    def name(self) -> str:
        known = self.migration or self.entry
        assert known is not None
        return known.name

    @property
    def subject(self) -> str:
        return f"migration:{self.written}"

    @property
    def location(self) -> Location:
        return self.migration.location if self.migration is not None else NOWHERE

    @property
    def is_done(self) -> bool:
        return self.state in ("applied", "unknown") and self.entry is not None and self.entry.state == "done"

    @cached_property
    def edit(self) -> Edit | None:
        """How the file differs from what was applied; None where it does not. A half-run one is the runner's to judge."""
        if self.state != "applied" or self.migration is None or self.entry is None:
            return None
        return edit_of(self.migration, self.entry)


class Order(NamedTuple):
    """Every number in order; `targets` are the engines whose ledger was read."""

    items: tuple[Item, ...]
    targets: frozenset[Engine]

    def within(self, only: Collection[Engine]) -> list[Item]:
        """The items of these engines; empty: of both."""
        return [item for item in self.items if not only or item.engine in only]

    def find(self, number: int) -> Item | None:
        return next((item for item in self.items if item.number == number), None)


def order_of(migrations: Sequence[Migration], ledgers: Ledgers) -> Order:
    """What the folder and the ledgers say together; `ledgers` has a key for each engine that has a target."""
    known = {int(m.number): m for m in migrations}
    highest: dict[Engine, int] = {engine: max(entries, default=-1) for engine, entries in ledgers.items()}
    items: list[Item] = []
    numbers = known.keys() | {number for entries in ledgers.values() for number in entries}
    for number in sorted(numbers):
        items += _items(number, known.get(number), ledgers, highest)
    return Order(tuple(items), frozenset(ledgers))


def _items(
    number: int, migration: Migration | None, ledgers: Ledgers, highest: Mapping[Engine, int]
) -> Iterator[Item]:
    entries = [entries[number] for entries in ledgers.values() if number in entries]
    strange = [e for e in entries if migration is None or e.engine != migration.engine]
    if migration is None:
        yield from (Item(number, "unknown", None, entry) for entry in strange)
        return
    own = next((e for e in entries if e.engine == migration.engine), None)
    if strange:
        yield Item(number, "conflict", migration, strange[0])
    elif migration.engine not in ledgers:
        yield Item(number, "untold", migration)
    elif own is None:
        yield Item(number, "late" if number < highest[migration.engine] else "pending", migration)
    else:
        yield Item(number, "applied" if own.state == "done" else own.state, migration, own)


def parse_number(text: str, order: Order | None, option: str) -> int:
    """A number as a person writes it, with or without leading zeros. Raises Refused (usage) for an unknown one."""
    if text.isascii() and text.isdigit() and len(text) < 1000:
        number = int(text)
        if order is None or number == 0 or order.find(number) is not None:
            return number
    there = ", ".join(item.written for item in order.items[-3:]) if order else ""
    step = f"the last ones are {there}" if there else "the folder has no migrations"
    raise Refused(f"{option} {text}: no migration of that number", next=step, code=USAGE)


# --- up


class Work(NamedTuple):
    """What `up` will do, in order; `stop` is why it ends before the rest, which is `left`."""

    items: tuple[Item, ...]
    stop: DbtrustError | None = None
    left: tuple[Item, ...] = ()


_OPEN = ("pending", "late", "running", "reverting", "untold", "conflict")


def up_work(
    order: Order, *, to: int | None = None, out_of_order: bool = False, only: Collection[Engine] = ()
) -> Work:
    """Every open migration of the engines up to `to`. Raises Refused where nothing may run at all.

    Nothing open is left out without a word: it is in `items`, or in `left` with the reason in `stop`.
    """
    items = order.within(only)
    _refuse_edited(items)
    wanted = [item for item in items if to is None or item.number <= to]
    _refuse_strange(wanted)
    if not out_of_order:
        _refuse_late(wanted)
    todo = [item for item in wanted if item.state in _OPEN]
    for place, item in enumerate(todo):
        if item.state == "untold":
            return Work(tuple(todo[:place]), no_target(item), tuple(todo[place:]))
    return Work(tuple(todo))


def no_target(item: Item) -> DbtrustError:
    """The error for a migration whose engine has no target."""
    other = "postgres" if item.engine == "mongo" else "mongo"
    return Refused(
        f"migration {item.written} is for {LABELS[item.engine]}, which has no target", location=item.location,
        next=f"give --{item.engine} URL, or leave it out with --only {other}", subject=item.subject,
        engine=item.engine, code=NO_SERVER,
    )  # fmt: skip


def _refuse_edited(items: Sequence[Item]) -> None:
    for item in items:
        if (edit := item.edit) is not None and not edit.harmless:
            message = f"{item.location.file} was applied and has been edited since"
            step = (
                "put the old text back and write a new migration; or, if the database is as the new text says: "
                f"dbtrust migrate repair --mark done {item.written}"
            )
            raise Refused(
                message, location=item.location, next=step, subject=item.subject, engine=item.engine,
                difference=edit.difference,
            )  # fmt: skip


def _refuse_strange(items: Sequence[Item]) -> None:
    for item in items:
        if item.state == "conflict":
            assert item.entry is not None
            raise Refused(
                f"number {item.written} is applied in {LABELS[item.entry.engine]}'s ledger, and the file is for "
                f"{LABELS[item.engine]}", location=item.location, next="give the file another number",
                subject=item.subject, engine=item.engine,
            )  # fmt: skip
        if item.state == "unknown" and not item.is_done:
            raise Refused(
                f"migration {item.written} is half done in {LABELS[item.engine]}, and its file is gone",
                next=f"bring the file back, or: dbtrust migrate repair --mark pending {item.written}",
                subject=item.subject, engine=item.engine,
            )  # fmt: skip


def _refuse_late(items: Sequence[Item]) -> None:
    late = [item for item in items if item.state == "late"]
    if late:
        names = ", ".join(item.written for item in late)
        raise Refused(
            f"{names} {'are' if len(late) > 1 else 'is'} not applied, and a higher number of "
            f"{LABELS[late[0].engine]} is", location=late[0].location,
            next="apply it all the same with --out-of-order, or give it a new number at the end",
            subject=late[0].subject, engine=late[0].engine,
        )  # fmt: skip


# --- down


def down_work(order: Order, *, to: int | None = None, only: Collection[Engine] = ()) -> list[Item]:
    """What `down` undoes, the highest number first: one migration, or everything above `to`. Raises Refused."""
    items = order.within(only)
    for item in items:
        if item.state == "untold" and (to is None or item.number > to):
            raise no_target(item)
    applied = [item for item in reversed(items) if item.entry is not None]
    chosen = applied[:1] if to is None else [item for item in applied if item.number > to]
    _refuse_unknown(chosen)
    return chosen


def _refuse_unknown(items: Sequence[Item]) -> None:
    for item in items:
        entry = item.entry
        assert entry is not None
        if item.state in ("unknown", "conflict"):
            raise Refused(
                f"migration {item.written} ({entry.name}) is applied in {LABELS[entry.engine]}, and its file is gone",
                next="bring its file back", subject=item.subject, engine=item.engine,
            )  # fmt: skip
        if item.state == "running":
            raise Refused(
                f"migration {item.written} is half applied", location=item.location,
                next=f"finish it with dbtrust migrate up --to {item.written}, or say what it is with migrate repair",
                subject=item.subject, engine=item.engine,
            )  # fmt: skip


# --- baseline and adopt


def agreeing(items: Sequence[Item]) -> list[Item]:
    """Those that the ledgers do not have yet. Raises Refused where a ledger says something else about one."""
    for item in items:
        edited = item.edit is not None and not item.edit.harmless
        if edited or item.state in ("running", "reverting", "conflict", "unknown"):
            what = "another text of it was applied" if edited else f"it is {item.state} there"
            raise Refused(
                f"the ledger of {LABELS[item.engine]} has migration {item.written}, and does not agree: {what}",
                location=item.location, next="look at dbtrust migrate status", subject=item.subject,
                engine=item.engine,
            )  # fmt: skip
        if item.state == "untold":
            raise no_target(item)
    return [item for item in items if item.state in ("pending", "late")]
