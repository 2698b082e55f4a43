"""What a server that was lent is to blame for, and what a script may not do there."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from dbtrust.engine.postgres.footprints import ChangesServer, Footprint
from dbtrust.engine.postgres.scripts import OnSkip, ScriptFailed
from dbtrust.judge.needs import needs_of
from dbtrust.judge.server_changes import SERVER, at_once, changed_by_program, changed_objects
from dbtrust.model.location import Location
from dbtrust.model.project import Migration, Script
from dbtrust.stage.scripts import run_text

_NAMED = re.compile(
    r'(?P<kind>role|database|tablespace) "(?P<name>.+)" (?P<what>does not exist|already exists)'
)
_MEMBER = re.compile(r'must be (?:able to SET ROLE|member of role) "(?P<name>.+)"')
#: undefined_object, invalid_catalog_name; duplicate_object, duplicate_database.
_MISSING, _THERE = frozenset({"42704", "3D000"}), frozenset({"42710", "42P04"})
_OWN = "prove it on dbtrust's own servers (without --postgres)"


def words_of(migration: Migration) -> str:
    """Everything that a migration's files say: only what they name can be theirs."""
    halves = [s.sql for s in (migration.up, migration.down) if s is not None]
    return "\n".join([*halves, migration.text, migration.python or ""])


@contextmanager
def seen(
    connection: psycopg.Connection[Any],
    migration: Migration,
    script: Script | None,
    footprint: Footprint | None,
) -> Generator[None]:
    """Around a half that is run for good: what it makes outside the database is in the footprint afterwards.

    Nothing is looked at without a footprint. Raises ChangesServer, and then nothing of the script is left.
    """
    if footprint is None or script is None:
        yield
        return
    footprint.show()
    _refuse_foreign(migration, script, footprint)
    if script.options.get("transaction", "true") != "false":
        with connection.transaction(), footprint.in_transaction(connection):
            yield
    else:
        with footprint.watched(words_of(migration)):
            yield


def run_declared(
    connection: psycopg.Connection[Any],
    text: str,
    file: str,
    footprint: Footprint | None,
    on_skip: OnSkip | None = None,
) -> None:
    """Runs a file of the declared schema for good. Raises ScriptFailed, and ChangesServer as `seen` does."""
    script = Script(text, file, Location(file, 1, 1))
    migration = Migration("postgres", file, file, script.location, up=script)
    with seen(connection, migration, script, footprint):
        run_text(connection, text, file, on_skip=on_skip)


def may_join(footprint: Footprint | None, role: str) -> bool:
    """A role of the server's own gets no members; on a server of ours there are only roles that were made for the run."""
    return footprint is None or not footprint.guest.is_foreign("role", role)


def refuse_at_once(script: Script | None, footprint: Footprint | None) -> None:
    """What no ROLLBACK takes back is not even tried. Raises ChangesServer."""
    if script is not None and footprint is not None:
        for kind, name in at_once(script.sql):
            raise ChangesServer(kind, name)


def _refuse_foreign(migration: Migration, script: Script, footprint: Footprint) -> None:
    """Nothing of the server's own is changed, not even what nobody may look at (a password)."""
    found = (
        changed_by_program(migration.python or "") if script.run is not None else changed_objects(script.sql)
    )
    for kind, name in found:
        if kind == SERVER or footprint.guest.is_foreign(kind, name):
            raise ChangesServer(kind, name)


def because_of_server(error: ScriptFailed, migration: Migration, footprint: Footprint) -> None:
    """Marks the error where the server lacks a role that the history expects, or has one that it makes."""
    if error.sqlstate == "42501" and (found := _MEMBER.search(error.message)) is not None:
        if footprint.guest.is_foreign("role", found["name"]):
            error.unproved = "server_error"
            error.next = f"name a role in the URL that is a member of {found['name']}, or {_OWN}"
        return
    for kind, name in _about(error, migration, footprint):
        if error.sqlstate in _MISSING:
            if footprint.has_made(kind, name) or _makes(migration, kind, name):
                continue
            error.unproved = "missing_object"
            error.next = f"create {kind} {name} on that server first, or {_OWN}"
        elif footprint.guest.is_foreign(kind, name):
            error.unproved = "server_error"
            error.message = f"{kind} {name} exists on this server: {error.message}"
            error.next = f"drop {kind} {name} there if nobody needs it, or {_OWN}"
        return


def _about(error: ScriptFailed, migration: Migration, footprint: Footprint) -> Iterator[tuple[str, str]]:
    """(kind, name) that the server's message is about, in whatever language it says it."""
    if error.sqlstate not in _MISSING | _THERE:
        return
    if (found := _NAMED.search(error.message)) is not None:
        yield found["kind"], found["name"]
    elif re.search(r'" (does not exist|already exists)', error.message) is None:
        roles = needs_of(words_of(migration)).roles if error.sqlstate in ("42704", "42710") else ()
        there = error.sqlstate in _THERE
        for role in sorted(roles):
            if role in error.message and footprint.guest.exists("role", role) is there:
                yield "role", role


def _makes(migration: Migration, kind: str, name: str) -> bool:
    """Does the migration itself make it, so that it is its own business that it is not there?"""
    return re.search(
        rf"(?is)\bCREATE\s+(?:ROLE|USER|GROUP|DATABASE|TABLESPACE)\s[^;]*?{re.escape(name)}", words_of(migration)
    ) is not None  # fmt: skip
