"""Takes back what scripts made outside their databases, now or after a run that was killed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from dbtrust.engine.postgres.errors import describe
from dbtrust.engine.postgres.server_wide import Change, Fact, Key, state

Connection = psycopg.Connection[Any]
RENAME: Mapping[str, LiteralString] = {
    "role": "ALTER ROLE {} RENAME TO {}",
    "database": "ALTER DATABASE {} RENAME TO {}",
    "tablespace": "ALTER TABLESPACE {} RENAME TO {}",
}
#: In the order in which they let go of each other.
_DROP: Mapping[str, LiteralString] = {
    "database": "DROP DATABASE IF EXISTS {} WITH (FORCE)",
    "tablespace": "DROP TABLESPACE IF EXISTS {}",
    "role": "DROP ROLE IF EXISTS {}",
}
_OWNED: LiteralString = "DROP OWNED BY {} CASCADE"
_MEMBER: LiteralString = "GRANT {} TO CURRENT_USER"
#: Characters of a script that a journal keeps, to say what ran when its run was killed.
_MANY = 2_000


def hidden_name(run: str, kind: str, key: str) -> str:
    """The name of an object while another database of the run is worked on."""
    return f"dbtrust_{run}_{kind[0]}{key}"


class Journal:
    """What a run would have to take back, as the comment of a database of its own: a later run reads it there.

    The database is made when there is something to write.
    """

    def __init__(self, create: Callable[[str], str], connection: Callable[[], Connection]) -> None:
        self._create, self._connection = create, connection
        #: The database's name, "" while there is none.
        self.name = ""
        self._kept: dict[str, Any] = {"objects": [], "changes": [], "running": ""}

    def database(self) -> str:
        """Makes it where there is none; what is run there hurts no data."""
        self.name = self.name or self._create("journal")
        return self.name

    def began(self, text: str) -> None:
        """A script that commits by itself runs: what it makes is known only afterwards."""
        self._kept["running"] = text[:_MANY]
        self._comment()

    def ended(self) -> None:
        self._kept["running"] = ""
        self._comment()

    def write(self, objects: Sequence[tuple[str, str, str]], changed: Sequence[Change]) -> None:
        self._kept |= {"objects": list(objects), "changes": [asdict(change) for change in changed]}
        self._comment()

    def _comment(self) -> None:
        statement = sql.SQL("COMMENT ON DATABASE {} IS {}")
        text = sql.Literal(json.dumps(self._kept))
        self._connection().execute(statement.format(sql.Identifier(self.database()), text))


def recover(
    connection: Connection, inside: Callable[[], Connection], run: str, text: str | None
) -> tuple[list[str], list[str]]:
    """Takes back what the journal of a killed run names, and nothing else: (what went, what stays and why)."""
    try:
        kept: dict[str, Any] = json.loads(text or "{}")
        objects = {(kind, key): name for kind, key, name in kept["objects"]}
        changed = [Change(_fact(c["old"]), _fact(c["new"])) for c in kept["changes"]]
    except (ValueError, TypeError, KeyError):
        return [], []
    there = state(connection)
    gone = [f"{key[0]} {name}" for key, name in objects.items() if key in there]
    gone += [change.name for change in changed]
    left = take_back(connection, inside, objects, changed, run)
    if kept.get("running"):
        left.append(f"it was killed while this ran, which may have made more: {kept['running'][:200]}")
    return [n for n in dict.fromkeys(gone) if not any(said.startswith(f"{n}:") for said in left)], left


def _fact(kept: Mapping[str, Any] | None) -> Fact | None:
    if kept is None:
        return None
    values: dict[str, Any] = {**kept, "parties": tuple(kept["parties"])}
    return Fact(**values)


def take_back(
    connection: Connection, inside: Callable[[], Connection], objects: Mapping[Key, str], changed: Iterable[Change],
    run: str,
) -> list[str]:  # fmt: skip
    """Changes first, then the objects, as far as they are still those; what stays and why ("role app: …").

    `inside` connects to a database of the run's own, where DROP OWNED finds rights and no data. Raises psycopg.Error
    where the server is lost.
    """
    left = [said for change in reversed(list(changed)) if (said := _put_back(connection, change))]
    there = state(connection)
    names = {
        key: there[key].name for key, name in objects.items()
        if key in there and there[key].name in (name, hidden_name(run, *key))
    }  # fmt: skip
    roles = [name for (kind, _), name in names.items() if kind == "role"]
    if roles:
        _let_go(inside, roles)
    for kind, statement in _DROP.items():
        left += _dropped(
            connection, kind, statement, {k: n for k, n in names.items() if k[0] == kind}, objects
        )
    return left


def _put_back(connection: Connection, change: Change) -> str:
    """Nothing where somebody has changed it again since."""
    now = state(connection).get(change.key)
    if (now.detail if now else None) != (change.new.detail if change.new else None):
        return ""
    statements = [change.new.unmake if change.new else None, change.old.make if change.old else None]
    try:
        with connection.transaction():
            for statement in filter(None, statements):
                connection.execute(statement.encode())
    except psycopg.Error as error:
        if connection.closed:
            raise
        return f"{change.name}: {describe(error)}"
    return ""


def _let_go(inside: Callable[[], Connection], roles: Sequence[str]) -> None:
    """Rights of the roles on objects of the server. Whoever may not is told by DROP ROLE."""
    with inside() as connection:
        for role in map(sql.Identifier, roles):
            try:
                connection.execute(sql.SQL(_OWNED).format(role))
            except psycopg.errors.InsufficientPrivilege:
                _as_member(connection, role)
            except psycopg.Error:
                continue


def _as_member(connection: Connection, role: sql.Identifier) -> None:
    """Who made a role may make himself a member, and then do what its members may."""
    try:
        connection.execute(sql.SQL(_MEMBER).format(role))
        connection.execute(sql.SQL(_OWNED).format(role))
    except psycopg.Error:
        return


def _dropped(
    connection: Connection, kind: str, statement: LiteralString, names: Mapping[Key, str], wanted: Mapping[Key, str]
) -> list[str]:  # fmt: skip
    """Drops them, and again as long as one went: they may hang on each other. What stays and why."""
    waiting, why = dict(names), dict[Key, str]()
    while waiting:
        before = len(waiting)
        for key, name in list(waiting.items()):
            try:
                connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
                del waiting[key]
            except psycopg.Error as error:
                if connection.closed:
                    raise
                why[key] = describe(error)
        if len(waiting) == before:
            break
    return [f"{kind} {wanted[key]}: {why[key]}" for key in waiting]
