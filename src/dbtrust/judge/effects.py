"""Which statements cannot run in a transaction, as the grammar tells, and what they leave behind."""

from __future__ import annotations

from typing import Any

from dbtrust.judge.statements import parse_tree
from dbtrust.model.effects import Effect

#: ObjectType.OBJECT_INDEX of libpg_query's protobuf.
_OBJECT_INDEX = 21
_NAMED = {
    "createdb_stmt": ("database", "dbname", False),
    "dropdb_stmt": ("database", "dbname", True),
    "create_table_space_stmt": ("tablespace", "tablespacename", False),
    "drop_table_space_stmt": ("tablespace", "tablespacename", True),
}
#: Harmless to do again, and refused in a transaction by the server in some of their forms.
_REPEATED = frozenset(
    {"vacuum_stmt", "alter_system_stmt", "cluster_stmt", "alter_database_stmt", "discard_stmt"}
)


def outside_effect(sql: str) -> Effect | None:
    """The effect of a statement that surely cannot run in a transaction; None: let the server say. Raises SqlSyntaxError."""
    statement = parse_tree(sql).stmts[0].stmt
    kind = statement.WhichOneof("node")
    node = getattr(statement, kind)
    if kind == "index_stmt" and node.concurrent:
        return _index(sql)
    if kind == "drop_stmt" and node.concurrent:
        return _drop_index(node)
    if kind == "reindex_stmt" and _concurrent(node):
        return _reindex(node)
    if kind == "alter_table_stmt":
        return _detach(node)
    if kind == "vacuum_stmt" and node.is_vacuumcmd:
        return Effect("repeat")
    if kind == "alter_system_stmt":
        return Effect("repeat")
    if kind in _NAMED:
        of, field, gone = _NAMED[kind]
        return Effect("named", name=getattr(node, field), of=of, gone=gone)
    return None


def refused_effect(sql: str) -> Effect:
    """The effect of a statement that the server refused in a transaction. Raises SqlSyntaxError."""
    statement = parse_tree(sql).stmts[0].stmt
    kind = statement.WhichOneof("node")
    node = getattr(statement, kind)
    if kind == "reindex_stmt":
        return _reindex(node)
    if kind in ("create_subscription_stmt", "drop_subscription_stmt"):
        return Effect("named", name=node.subname, of="subscription", gone=kind.startswith("drop"))
    return Effect("repeat") if kind in _REPEATED else Effect("unknown")


def _index(sql: str) -> Effect:
    import postgast

    tree = parse_tree(sql)
    node = tree.stmts[0].stmt.index_stmt
    schema, table, name = node.relation.schemaname or None, node.relation.relname, node.idxname
    skips = node.if_not_exists
    node.concurrent = node.if_not_exists = False
    node.idxname = ""
    node.relation.catalogname, node.relation.schemaname, node.relation.relname = (
        "",
        "pg_temp",
        "dbtrust_trial",
    )
    return Effect("index", schema, name, table, schema, trial=postgast.deparse(tree), if_not_exists=skips)


def _drop_index(node: Any) -> Effect:
    schema, name = _qualified([item.string.sval for item in node.objects[0].list.items])
    return Effect("drop index", schema, name) if node.remove_type == _OBJECT_INDEX else Effect("unknown")


def _concurrent(node: Any) -> bool:
    return any(p.def_elem.defname == "concurrently" and _on(p.def_elem) for p in node.params)


def _on(option: Any) -> bool:
    """Is a boolean option on? (CONCURRENTLY), (CONCURRENTLY false), (CONCURRENTLY 0)."""
    if not option.HasField("arg"):
        return True
    value = option.arg
    word = value.string.sval if value.WhichOneof("node") == "string" else str(value.integer.ival)
    return word.lower() not in ("false", "off", "0")


def _reindex(node: Any) -> Effect:
    whole = {1: "index", 2: "table"}.get(int(node.kind), "")
    return Effect("reindex", node.relation.schemaname or None, node.relation.relname, of=whole)


def _detach(node: Any) -> Effect | None:
    for command in node.cmds:
        part = getattr(command.alter_table_cmd, "def").partition_cmd
        if part.concurrent:
            return Effect(
                "detach", part.name.schemaname or None, part.name.relname, node.relation.relname,
                node.relation.schemaname or None,
            )  # fmt: skip
    return None


def _qualified(names: list[str]) -> tuple[str | None, str]:
    return (names[-2] if len(names) > 1 else None), names[-1]
