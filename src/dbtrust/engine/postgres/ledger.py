"""The ledger of a PostgreSQL database: the table `dbtrust_migration`, read and written with its schema's name.

Writes are text: they travel in the same message as what they tell of, and commit with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from typing import Any, cast

import psycopg
from psycopg import sql

from dbtrust.engine.postgres.errors import describe
from dbtrust.engine.postgres.simple import Simple
from dbtrust.engine.postgres.sql import load
from dbtrust.model.ledger import (
    LEDGER,
    LEDGER_FORMAT,
    Entry,
    MigrationStopped,
    Origin,
    State,
    StepEntry,
    check_states,
    unreadable,
)
from dbtrust.model.report import VERSION

#: Texts longer than this are not kept.
_LONGEST = 1 << 20
#: Number of the row about the ledger itself.
META = -1
Value = str | float | None


class Ledger:
    """`schema` is found once, when first asked for, so that a migration's SET search_path changes nothing."""

    #: How many statements of `fenced` stand before the one that checks the token.
    fence_position = 2

    def __init__(self, connection: psycopg.Connection[Any], simple: Simple) -> None:
        self._connection, self._simple = connection, simple
        self.schema: str | None = None
        self.there = False
        #: The token of the lock that is held; every write checks it.
        self.fence = -1

    def find(self) -> None:
        """Looks where the ledger is. Raises MigrationStopped where there are several, or no schema for one."""
        rows = self._connection.execute(load("ledger_find")).fetchall()
        there = [row for row in rows if row[1]]
        if len(there) > 1 and not there[0][2]:
            names = ", ".join(str(row[0]) for row in there)
            raise MigrationStopped(
                f"several schemas have a ledger ({names}) and none is current",
                next="choose one: ?options=-csearch_path%3DSCHEMA in the URL",
            )
        if not rows[0][3]:
            raise unreadable(f"{rows[0][0]}.{LEDGER}", "it is no table")
        self.schema, self.there = rows[0][0], bool(there)

    def entries(self) -> dict[int, Entry]:
        """By number; empty where there is no ledger. Raises MigrationStopped (format, rights), psycopg.Error."""
        if not self.there:
            self.find()
        if not self.there:
            return {}
        try:
            rows = self._connection.execute(self._sql("ledger_entries")).fetchall()
        except psycopg.errors.InsufficientPrivilege as error:
            raise self.refused(error) from error
        except psycopg.errors.UndefinedColumn as error:
            raise unreadable(f"table {self.schema}.{LEDGER}") from error
        return _entries(rows, f"table {self.schema}.{LEDGER}")

    def create(self) -> None:
        """Makes the table where it is missing. Raises MigrationStopped for a role without the right, psycopg.Error."""
        self.find()
        if self.there:
            return
        if self.schema is None:
            raise MigrationStopped(
                "no schema of the search path exists, so the ledger has no place",
                next="create that schema, or give ?options=-csearch_path%3DSCHEMA in the URL",
            )
        try:
            self._simple.run(self._sql("ledger_create", format=str(LEDGER_FORMAT)))
        except psycopg.errors.InsufficientPrivilege as error:
            raise self._no_rights(error, f"CREATE on schema {self.schema}") from error
        except (psycopg.errors.UniqueViolation, psycopg.errors.DuplicateTable):
            # Somebody else made it in the same moment, without our lock (behind a pooler).
            self._simple.roll_back()
        except psycopg.errors.ReadOnlySqlTransaction as error:
            raise MigrationStopped(
                f"the server only reads: {describe(error)}", next="name the primary server in the URL"
            ) from error
        self.there = True

    # Statements, to be sent with others

    def fenced(self) -> bytes:
        """Fails where the lock is no longer ours. Behind a SET ROLE the ledger is written as the one who connected."""
        return (
            b"SET LOCAL SESSION AUTHORIZATION DEFAULT;SET LOCAL ROLE NONE;"
            + self._sql("ledger_fence", fence=str(self.fence))
            + b";"
        )

    def add(self, number: int, step: int, state: str, **values: Value) -> bytes:
        """A new row; `values` are its columns."""
        columns: dict[str, Value] = dict.fromkeys(
            ("written", "name", "origin", "checksum", "source", "duration_ms")
        )
        columns |= {"who": who(), "dbtrust": VERSION, "at_least_once": False, "stored": "{}"} | values
        source = columns["source"]
        if isinstance(source, str) and len(source) > _LONGEST:
            columns["source"] = None
        text = {name: self._simple.literal(value).decode() for name, value in columns.items()}
        return self._sql("ledger_add", number=str(number), step=str(step), state=f"'{state}'", **text) + b";"

    def set_state(
        self, number: int, step: int, state: str, duration_ms: float | None, checksum: str, source: str
    ) -> bytes:
        kept = source if len(source) <= _LONGEST else None
        return (
            self._sql(
                "ledger_state", number=str(number), step=str(step), state=f"'{state}'",
                duration_ms=self._text(duration_ms), checksum=self._text(checksum), source=self._text(kept),
            )
            + b";"
        )  # fmt: skip

    def remove(self, number: int, from_step: int = 0) -> bytes:
        return self._sql("ledger_remove", number=str(number), step=str(from_step)) + b";"

    def sql(self, question: str, /, **values: Value) -> bytes:
        """Another question about the ledger or a session, with values as SQL literals."""
        return self._sql(question, **{key: self._text(value) for key, value in values.items()})

    def _text(self, value: Value) -> str:
        return self._simple.literal(value).decode()

    def _sql(self, question: str, /, **values: str) -> bytes:
        return _template(question).format(ledger=_qualified(self.schema or "public"), **values).encode()

    def refused(self, error: psycopg.errors.InsufficientPrivilege) -> MigrationStopped:
        """The GRANT on the ledger's table that the role lacks."""
        return self._no_rights(error, f"SELECT, INSERT, UPDATE and DELETE on {self.schema}.{LEDGER}")

    def _no_rights(self, error: psycopg.Error, needed: str) -> MigrationStopped:
        role = self._connection.info.user
        return MigrationStopped(
            f"role {role} may not use the ledger: {describe(error)}",
            next=f"grant {role} {needed}, or run this as the owner",
        )


@cache
def _template(name: str) -> str:
    return load(name).decode()


@cache
def _qualified(schema: str) -> str:
    return sql.Identifier(schema, LEDGER).as_string()


@cache
def who() -> str:
    """user@host of this process."""
    import getpass
    import socket

    user = "unknown"
    with suppress(OSError, KeyError, ImportError):
        user = getpass.getuser()
    return f"{user}@{socket.gethostname()}"


def check_format(format: Any) -> None:
    """Raises MigrationStopped for a ledger that a later dbtrust wrote."""
    if not isinstance(format, int) or format > LEDGER_FORMAT:
        raise MigrationStopped(
            f"the ledger has format {format}, and this dbtrust knows up to {LEDGER_FORMAT}",
            next="update dbtrust: a newer one has migrated this database",
        )


def _entries(rows: Iterable[tuple[Any, ...]], where: str) -> dict[int, Entry]:
    """Raises MigrationStopped for rows that dbtrust did not write."""
    found: dict[int, Entry] = {}
    steps: dict[int, list[StepEntry]] = {}
    ours = False
    try:
        for row in rows:
            number, step = int(row[0]), row[1]
            if number == META:
                ours = True
                check_format(json.loads(row[13]).get("format"))
            elif step:
                steps.setdefault(number, []).append(_step(row))
            else:
                found[number] = _entry(number, row)
    except (ValueError, TypeError, AttributeError) as error:
        raise unreadable(where, str(error)) from error
    if not ours:
        raise unreadable(where, f"the row {META} about itself is missing")
    for number, those in steps.items():
        if number in found:
            found[number] = _with_steps(found[number], tuple(those))
    for entry in found.values():
        check_states(where, entry)
    return found


def _entry(number: int, row: tuple[Any, ...]) -> Entry:
    return Entry(
        number, row[3] or str(number), row[4] or "", "postgres", cast(State, row[2]), cast(Origin, row[5]),
        row[6] or "", row[7], row[8] or "", row[9] or "", row[10], row[11],
    )  # fmt: skip


def _step(row: tuple[Any, ...]) -> StepEntry:
    stored = cast("Mapping[str, Any]", json.loads(row[13]))
    return StepEntry(row[1], row[7] or "", row[2], row[6] or "", row[11], row[12], stored)


def _with_steps(entry: Entry, steps: tuple[StepEntry, ...]) -> Entry:
    from dataclasses import replace

    return replace(entry, steps=steps)
