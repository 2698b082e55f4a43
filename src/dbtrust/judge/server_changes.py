"""What a script changes outside its database: objects that belong to the whole server, and the server itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from dbtrust.judge.statements import SqlSyntaxError, messages, parse_tree, script_segments

#: The kind of what no name tells: the server's configuration, its files, its sessions. It is never the script's own.
SERVER = "server"
#: ObjectType.OBJECT_DATABASE, _ROLE, _TABLESPACE of libpg_query's protobuf.
_TYPES = {10: "database", 34: "role", 43: "tablespace"}
#: Functions whose effect no ROLLBACK takes back, and which reach beyond the database.
_FUNCTIONS = frozenset({
    "pg_reload_conf", "pg_rotate_logfile", "pg_terminate_backend", "pg_cancel_backend", "pg_promote", "pg_switch_wal",
    "pg_create_restore_point", "pg_wal_replay_pause", "pg_wal_replay_resume", "pg_backup_start", "pg_backup_stop",
    "pg_create_physical_replication_slot", "pg_create_logical_replication_slot", "pg_drop_replication_slot",
    "pg_copy_physical_replication_slot", "pg_copy_logical_replication_slot", "pg_replication_slot_advance",
    "pg_replication_origin_create", "pg_replication_origin_drop", "pg_replication_origin_advance", "pg_sync_replication_slots",
    "pg_stat_reset_shared", "pg_stat_reset_slru", "pg_stat_reset_replication_slot", "pg_stat_reset_subscription_stats",
    "pg_file_write", "pg_file_rename", "pg_file_unlink", "pg_file_sync", "lo_export",
})  # fmt: skip
_WORDS = re.compile(
    r"\b(ROLE|USER|GROUP|DATABASE|TABLESPACE|OWNED|SYSTEM|SUBSCRIPTION|COPY|pg_\w+|lo_export)\b",
    re.IGNORECASE,
)


def changed_objects(sql: str) -> list[tuple[str, str]]:
    """(kind, name) of what a script changes outside its database; none where it is no SQL.

    Kinds are role, database and tablespace, and SERVER, whose name says what is done. What it makes, memberships,
    rights and settings are not among them: those can be taken back.
    """
    if _WORDS.search(sql) is None:
        return []
    try:
        found = [
            item
            for segment in script_segments(sql)
            for raw in parse_tree(sql[segment.start : segment.end]).stmts
            for item in (*_changed(raw.stmt), *_at_once(raw.stmt))
        ]
    except SqlSyntaxError:
        return []
    return list(dict.fromkeys(found))


def changed_by_program(text: str) -> list[tuple[str, str]]:
    """The same of the strings that a Python program writes out; what it puts together is not seen."""
    found: list[tuple[str, str]] = []
    with suppress(SyntaxError, ValueError):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found += changed_objects(node.value)
    return list(dict.fromkeys(found))


def _changed(statement: Any) -> list[tuple[str, str]]:
    """Objects that a statement changes, renames, comments on, drops or takes everything from."""
    kind = statement.WhichOneof("node")
    node: Any = getattr(statement, kind) if kind else None
    if kind == "alter_role_stmt":
        return [("role", node.role.rolename)]
    if kind == "drop_role_stmt":
        return [("role", item.role_spec.rolename) for item in node.roles]
    if kind in ("drop_owned_stmt", "reassign_owned_stmt"):
        return [("role", item.role_spec.rolename) for item in node.roles if item.role_spec.rolename]
    if kind == "rename_stmt" and node.rename_type in _TYPES:
        return [(_TYPES[node.rename_type], node.subname)]
    if kind == "alter_owner_stmt" and node.object_type in _TYPES:
        return [(_TYPES[node.object_type], node.object.string.sval)]
    if kind in ("comment_stmt", "sec_label_stmt") and node.objtype in _TYPES:
        return [(_TYPES[node.objtype], node.object.string.sval)]
    if kind in ("dropdb_stmt", "alter_database_stmt", "alter_database_refresh_coll_stmt"):
        return [("database", node.dbname)]
    if kind in ("drop_table_space_stmt", "alter_table_space_options_stmt"):
        return [("tablespace", node.tablespacename)]
    return []


def at_once(sql: str) -> list[tuple[str, str]]:
    """Those of `changed_objects` that not even a ROLLBACK takes back."""
    return [found for found in changed_objects(sql) if found[0] == SERVER]


def _at_once(statement: Any) -> Iterator[tuple[str, str]]:
    kind = statement.WhichOneof("node")
    node: Any = getattr(statement, kind) if kind else None
    if kind == "alter_system_stmt":
        yield SERVER, " ".join(["ALTER SYSTEM", node.setstmt.name]).strip()
    elif kind == "create_subscription_stmt":
        yield SERVER, f"CREATE SUBSCRIPTION {node.subname}"
    elif kind == "copy_stmt" and (node.is_program or (node.filename and not node.is_from)):
        yield SERVER, f"COPY {'FROM' if node.is_from else 'TO'} {'PROGRAM' if node.is_program else 'a file'}"
    calls = [call.funcname[-1].string.sval for call in messages(statement, "FuncCall")]
    for body in messages(node, "String") if kind == "do_stmt" else ():
        calls += re.findall(r"\b(\w+)\s*\(", body.sval.lower())
    yield from ((SERVER, f"{name}()") for name in calls if name in _FUNCTIONS)
