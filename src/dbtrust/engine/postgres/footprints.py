"""What scripts make outside their database on a server of the user's: seen, kept apart, and taken back again.

A role that a migration makes belongs to the whole server, while the same migration is run on several databases. So each
database has a footprint: the objects that its own scripts made, which have their names only while that database is worked
on, and other names meanwhile. What was there before is never touched.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from dbtrust.engine.postgres.errors import describe
from dbtrust.engine.postgres.restore import Touched, touched
from dbtrust.engine.postgres.server_wide import Change, Key, State, changes, guarded_state, lasting, state
from dbtrust.engine.postgres.take_back import RENAME, Journal, hidden_name, take_back
from dbtrust.model.errors import FAILED, DbtrustError, ServerError

Connection = psycopg.Connection[Any]


class ChangesServer(DbtrustError):
    """A script changes the server (kind "server") or an object there that was there before: it is not let through."""

    code = FAILED
    #: Nothing is said about the script; model.report's word for why.
    unproved = "server_error"

    def __init__(self, kind: str, name: str) -> None:
        which = "the server itself" if kind == "server" else f"{kind} {name}, which was on this server before"
        super().__init__(
            f"it changes {which}, so it was not applied for good" + (f": {name}" if kind == "server" else ""),
            next="prove it on dbtrust's own servers (without --postgres), or on a server without that object",
        )


class ChangedServer(ChangesServer):
    """A script that commits by itself, or a program, has changed something of the server's own."""

    def __init__(self, told: Sequence[Touched]) -> None:
        super().__init__(told[0].kind, told[0].name)
        self.message = "it changed what was on this server before: " + "; ".join(
            f"{one} ({f'it stays: {one.stays}' if one.stays else 'put back'})" for one in told
        )
        self.args = (self.message,)


@dataclass(slots=True, eq=False)
class Footprint:
    """The objects that the scripts of one database have made, and what they changed between others.

    `parent` is that of the database of which this one is a copy: its roles have rights here, too. `ever` holds (kind,
    name) of all that was ever made.
    """

    guest: Guest
    parent: Footprint | None = None
    objects: dict[Key, str] = field(default_factory=dict[Key, str])
    changed: list[Change] = field(default_factory=list[Change])
    ever: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    hidden: bool = False

    def line(self) -> Iterator[Footprint]:
        yield self
        if self.parent is not None:
            yield from self.parent.line()

    def has_made(self, kind: str, name: str) -> bool:
        return any((kind, name) in one.ever for one in self.line())

    def show(self) -> None:
        """Its objects get their names back, those of other databases give theirs up. Raises ServerError."""
        self.guest.show(self)

    @contextmanager
    def in_transaction(self, connection: Connection) -> Generator[None]:
        """Around a script in an open transaction that is committed afterwards.

        What this session sees and no other one does is its own. Raises ChangesServer, psycopg.Error.
        """
        before = self.guest.look()
        yield
        own, after = state(connection), self.guest.look()
        ours = self.guest.ours()
        made = {k: f.name for k, f in own.items() if f.is_object and k not in after and k not in before}
        for change in lasting(before, own, ours | made.keys()):
            if after.get(change.key) == change.old and (fact := change.old or change.new):
                raise ChangesServer(fact.kind, fact.name)
        still = {key: fact for key, fact in after.items() if before.get(key) == fact}
        seen = {key: fact for key, fact in own.items() if key in still or key not in after}
        self._add(made, changes(still, seen, ours | made.keys()), own)

    @contextmanager
    def watched(self, text: str) -> Generator[None]:
        """Around a script that commits by itself: its own is what came meanwhile and what the text names.

        Raises ChangesServer where it changed something that was there before, which is put back where it can be.
        """
        before = self.guest.look_closely()
        self.guest.journal.began(text)
        told: list[Touched] = []
        try:
            yield
        finally:
            after = self.guest.look_closely()
            new = {key: f for key, f in after.items() if f.is_object and key not in before}
            made = {key: f.name for key, f in new.items() if f.named_in(text)}
            own = self.guest.ours() | new.keys()
            found = changes(before, after, own)
            named = [c for c in found if (c.new or c.old).named_in(text)]  # pyright: ignore[reportOptionalMemberAccess]
            self._add(made, named, after)
            told = self.guest.put_back(lasting(before, after, own), after, text)
            self.guest.journal.ended()
        if told:
            raise ChangedServer(told)

    def _add(self, made: dict[Key, str], changed: list[Change], now: State) -> None:
        """Writes the journal before anything of it may outlive this process."""
        for one in self.line():
            one.objects |= {key: now[key].name for key in one.objects if key in now}
        self.objects |= made
        self.changed += changed
        self.ever |= {(key[0], name) for key, name in made.items()}
        if made or changed:
            self.guest.write()

    def undo(self) -> None:
        """Takes everything back; its database is gone by then. What cannot be is kept in `guest.left`."""
        self.guest.undo(self)


class Guest:
    """A run on a server of the user's.

    `left` says what could not be taken back, and why; `touched` what was there before and was changed all the same.
    """

    def __init__(self, run: str, connect: Callable[[str], Connection], create: Callable[[str], str]) -> None:
        self._run, self._connect = run, connect
        self._own_connection: Connection | None = None
        self._footprints: list[Footprint] = []
        self._shown: Footprint | None = None
        self.journal = Journal(create, self._look_connection)
        self.left: list[str] = []
        self.touched: list[Touched] = []

    def _look_connection(self) -> Connection:
        if self._own_connection is None:
            self._own_connection = self._connect("")
        return self._own_connection

    def footprint(self, parent: Footprint | None = None) -> Footprint:
        made = Footprint(self, parent)
        self._footprints = [*self._footprints, made]
        return made

    @contextmanager
    def round(self) -> Generator[None]:
        """Undoes the footprints that were begun in the block; the one that was shown before it is shown again."""
        before, shown = self._footprints, self._shown
        try:
            yield
        finally:
            for one in [one for one in self._footprints if all(one is not other for other in before)]:
                one.undo()
            if shown is not None:
                self.show(shown)

    def look(self) -> State:
        """The server as a session sees it that has no part in the scripts. Raises psycopg.Error."""
        return state(self._look_connection())

    def look_closely(self) -> State:
        """`look` with what only a right tells: the configuration, and whether a password is another one."""
        return guarded_state(self._look_connection())

    def put_back(self, found: Sequence[Change], now: State, text: str) -> list[Touched]:
        """What the text names, which is put back at once; the rest is kept in `touched` alone."""
        told = [
            touched(
                self._look_connection(), change, now,
                sure=any(fact.named_in(text) for fact in (change.old, change.new) if fact),
            )
            for change in found
        ]  # fmt: skip
        self.touched += told
        return [one for one in told if one.sure]

    def ours(self) -> set[Key]:
        return {key for one in self._footprints for key in one.objects}

    def is_foreign(self, kind: str, name: str) -> bool:
        """Is there an object of that name which no script of this run has made?"""
        ours = self.ours()
        return any(f.kind == kind and f.name == name and key not in ours for key, f in self.look().items())

    def exists(self, kind: str, name: str) -> bool:
        return any(f.kind == kind and f.name == name for f in self.look().values())

    def show(self, wanted: Footprint) -> None:
        line = list(wanted.line())
        for one in self._footprints:
            if not one.hidden and all(one is not other for other in line):
                self._rename(one, hide=True)
        for one in line:
            if one.hidden:
                self._rename(one, hide=False)
        self._shown = wanted

    def _rename(self, one: Footprint, *, hide: bool) -> None:
        for (kind, key), name in one.objects.items():
            other = hidden_name(self._run, kind, key)
            names = (name, other) if hide else (other, name)
            try:
                self._look_connection().execute(sql.SQL(RENAME[kind]).format(*map(sql.Identifier, names)))
            except (psycopg.errors.UndefinedObject, psycopg.errors.InvalidCatalogName):
                continue  # a script has dropped it
            except psycopg.Error as error:
                raise ServerError(
                    f"{kind} {name}, which a migration made, cannot be put aside: {describe(error)}",
                    next="prove on dbtrust's own servers (without --postgres)",
                ) from error
        one.hidden = hide

    def write(self) -> None:
        """Everything that would have to be taken back, for a later run."""
        objects = [(k, key, name) for one in self._footprints for (k, key), name in one.objects.items()]
        self.journal.write(objects, [change for one in self._footprints for change in one.changed])

    def undo(self, one: Footprint) -> None:
        if all(one is not other for other in self._footprints):
            return
        try:
            if one.objects or one.changed:
                self.show(one)
                connection = self._look_connection()
                self.left += take_back(
                    connection,
                    lambda: self._connect(self.journal.database()),
                    one.objects,
                    one.changed,
                    self._run,
                )
        finally:
            self._footprints = [other for other in self._footprints if other is not one]
        if one.objects or one.changed:
            self.write()

    def close(self) -> None:
        """Takes back what is left; a lost server keeps its journal for the next run."""
        for one in list(self._footprints):
            with suppress(psycopg.Error, ServerError):
                self.undo(one)
        if self._own_connection is not None:
            self._own_connection.close()
