"""What a migration's script needs of the server around its database: extensions, and roles, which belong to all databases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from dbtrust.judge.statements import SqlSyntaxError, messages, parse_tree, script_segments

#: ObjectType.OBJECT_EXTENSION and RoleSpecType.ROLESPEC_CSTRING of libpg_query's protobuf.
_OBJECT_EXTENSION, _BY_NAME = 16, 1
_SERVER_WORDS = re.compile(r"\b(ROLE|USER|GROUP|DATABASE|TABLESPACE)\b", re.IGNORECASE)
#: ObjectType.OBJECT_DATABASE, _ROLE, _TABLESPACE.
_SERVER_TYPES = {10: "database", 34: "role", 43: "tablespace"}
_WORDS = re.compile(
    r"\b(EXTENSION|ROLE|USER|GROUP|GRANT|REVOKE|OWNER|OWNED|POLICY|AUTHORIZATION)\b", re.IGNORECASE
)
_IN_BLOCK = re.compile(
    r"\bCREATE\s+(?:ROLE|USER|GROUP)\s+(?:IF\s+NOT\s+EXISTS\s+)?(\"[^\"]+\"|[a-z_]\w*)", re.IGNORECASE
)
_NO_NAMES = frozenset({"public", "current_user", "session_user", "current_role", "mapping"})


Kind = Literal["extension", "role"]


@dataclass(frozen=True, slots=True)
class Part:
    """A statement about an extension or a role: 0-based characters from `start` to `end`; `name` is what it is about.

    `schema` is where an extension's objects are put, "" where it does not say.
    """

    kind: Kind
    name: str
    start: int
    end: int
    schema: str = ""


@dataclass(frozen=True, slots=True)
class Needs:
    """`parts` are whole statements, `roles` every role that is named anywhere."""

    parts: tuple[Part, ...] = ()
    roles: frozenset[str] = frozenset()


def needs_of(sql: str) -> Needs:
    """Nothing for text that does not parse: the server will say why."""
    if _WORDS.search(sql) is None:
        return Needs()
    roles = {name for name in map(_unquoted, _IN_BLOCK.findall(sql)) if name not in _NO_NAMES}
    parts: list[Part] = []
    try:
        for segment in script_segments(sql):
            parts += _parts(sql[segment.start : segment.end], segment.start, roles)
    except SqlSyntaxError:
        return Needs()
    return Needs(tuple(parts), frozenset(roles))


def _parts(sql: str, begin: int, roles: set[str]) -> Iterator[Part]:
    """The statements of a text that begins at character `begin`; adds the roles that they name. Raises SqlSyntaxError."""
    raw = sql.encode()
    for item in parse_tree(sql).stmts:
        roles.update(s.rolename for s in messages(item.stmt, "RoleSpec") if s.roletype == _BY_NAME)
        start = begin + len(raw[: item.stmt_location].decode())
        length = item.stmt_len or len(raw) - item.stmt_location
        end = start + len(raw[item.stmt_location : item.stmt_location + length].decode())
        kind, names = _about(item.stmt)
        yield from (Part(kind, name, start, end, _schema(item.stmt)) for name in names)
        roles.update(names if kind == "role" else ())


def _about(statement: Any) -> tuple[Kind, list[str]]:
    """What a statement creates, comments on, alters or drops, by name; no names for any other statement."""
    kind = statement.WhichOneof("node")
    node: Any = getattr(statement, kind) if kind else None
    if kind == "create_extension_stmt":
        return "extension", [node.extname]
    if kind == "drop_stmt" and node.remove_type == _OBJECT_EXTENSION:
        return "extension", [item.string.sval for item in node.objects]
    if kind == "comment_stmt" and node.objtype == _OBJECT_EXTENSION:
        return "extension", [node.object.string.sval]
    if kind == "create_role_stmt":
        return "role", [node.role]
    if kind in ("alter_role_stmt", "alter_role_set_stmt"):
        return "role", [node.role.rolename]
    if kind == "drop_role_stmt":
        return "role", [item.role_spec.rolename for item in node.roles]
    return "role", []


def changed_objects(sql: str) -> list[tuple[str, str]]:
    """(kind, name) of the roles, databases and tablespaces that a script changes, renames or drops; none where it is no SQL.

    What it makes, memberships, rights and settings are not among them.
    """
    if _SERVER_WORDS.search(sql) is None:
        return []
    try:
        found = [
            item
            for segment in script_segments(sql)
            for raw in parse_tree(sql[segment.start : segment.end]).stmts
            for item in _changed(raw.stmt)
        ]
    except SqlSyntaxError:
        return []
    return list(dict.fromkeys(found))


def _changed(statement: Any) -> list[tuple[str, str]]:
    kind = statement.WhichOneof("node")
    node: Any = getattr(statement, kind) if kind else None
    if kind == "alter_role_stmt":
        return [("role", node.role.rolename)]
    if kind == "drop_role_stmt":
        return [("role", item.role_spec.rolename) for item in node.roles]
    if kind == "rename_stmt" and node.rename_type in _SERVER_TYPES:
        return [(_SERVER_TYPES[node.rename_type], node.subname)]
    if kind == "alter_owner_stmt" and node.object_type in _SERVER_TYPES:
        return [(_SERVER_TYPES[node.object_type], node.object.string.sval)]
    names = {"dropdb_stmt": "database", "alter_database_stmt": "database"}
    if kind in names:
        return [(names[kind], node.dbname)]
    if kind in ("drop_table_space_stmt", "alter_table_space_options_stmt"):
        return [("tablespace", node.tablespacename)]
    return []


def _schema(statement: Any) -> str:
    if statement.WhichOneof("node") != "create_extension_stmt":
        return ""
    options = (o.def_elem for o in statement.create_extension_stmt.options)
    return next((o.arg.string.sval for o in options if o.defname == "schema"), "")


def _unquoted(name: str) -> str:
    return name[1:-1] if name.startswith('"') else name.lower()
