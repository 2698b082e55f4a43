"""What a migration's script needs of the server around its database: extensions, and roles, which belong to all databases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from dbtrust.judge.statements import SqlSyntaxError, messages, parse_tree, script_segments

#: ObjectType.OBJECT_EXTENSION and RoleSpecType.ROLESPEC_CSTRING of libpg_query's protobuf.
_OBJECT_EXTENSION, _BY_NAME = 16, 1
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


def _schema(statement: Any) -> str:
    if statement.WhichOneof("node") != "create_extension_stmt":
        return ""
    options = (o.def_elem for o in statement.create_extension_stmt.options)
    return next((o.arg.string.sval for o in options if o.defname == "schema"), "")


def _unquoted(name: str) -> str:
    return name[1:-1] if name.startswith('"') else name.lower()
