"""What the UPDATEs and DELETEs of a script look for: their conditions, as queries and as expressions over one row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dbtrust.judge.statements import SqlSyntaxError, expression_text, messages, parse_tree


@dataclass(frozen=True, slots=True)
class RowCondition:
    """The rows that one UPDATE or DELETE touches.

    `asked` is a query that gives a row if there is one. `text` is its WHERE over the table's own columns, "" where there
    is none or it looks at other rows, too; `columns` are those of `text`, `constants` its parts without any column.
    `written` are the columns that an UPDATE sets.
    """

    schema: str
    table: str
    asked: str
    written: tuple[str, ...] = ()
    text: str = ""
    columns: frozenset[str] = frozenset()
    constants: tuple[str, ...] = ()


def conditions(sql: str) -> list[RowCondition]:
    """Of every UPDATE and DELETE that stands by itself; none for text that is no SQL."""
    try:
        tree = parse_tree(sql)
    except SqlSyntaxError:
        return []
    return [found for raw in tree.stmts if (found := _condition(raw.stmt)) is not None]


def _condition(statement: Any) -> RowCondition | None:
    kind = statement.WhichOneof("node")
    if kind not in ("update_stmt", "delete_stmt"):
        return None
    node = getattr(statement, kind)
    if node.HasField("with_clause") or next(messages(node.where_clause, "CurrentOfExpr"), None):
        return None
    others = node.from_clause if kind == "update_stmt" else node.using_clause
    schema, table = node.relation.schemaname, node.relation.relname
    asked, where = _asked(node, others), node.where_clause
    alone = not others and where.WhichOneof("node") and next(messages(where, "SubLink"), None) is None
    columns = _columns(where) if alone else frozenset[str]()
    targets = node.target_list if kind == "update_stmt" else ()
    written = tuple(target.res_target.name for target in targets)
    if not columns:
        return RowCondition(schema, table, asked, written)
    return RowCondition(schema, table, asked, written, _own(where), columns, tuple(_constants(where)))


def _asked(node: Any, others: Any) -> str:
    """SELECT 1 FROM the table and all others WHERE the condition LIMIT 1."""
    import postgast

    tree: Any = parse_tree("SELECT 1 FROM x LIMIT 1")
    select = tree.stmts[0].stmt.select_stmt
    select.from_clause[0].range_var.CopyFrom(node.relation)
    select.from_clause.extend(others)
    if node.where_clause.WhichOneof("node"):
        select.where_clause.CopyFrom(node.where_clause)
    return str(postgast.deparse(tree))


def _columns(where: Any) -> frozenset[str]:
    """The names of the columns; empty where a whole row is meant."""
    names = [_name(reference) for reference in messages(where, "ColumnRef")]
    return frozenset(names) if all(names) else frozenset()


def _name(reference: Any) -> str:
    last = reference.fields[-1]
    return str(last.string.sval) if last.HasField("string") else ""


def _own(where: Any) -> str:
    """The condition with its columns' bare names: there is no alias where it is asked about a row that is not there yet."""
    copy = type(where)()
    copy.CopyFrom(where)
    for reference in messages(copy, "ColumnRef"):
        del reference.fields[:-1]
    return expression_text(copy)


def _constants(node: Any) -> Iterator[str]:
    """The largest parts that call something and name no column, such as now() - interval '1 year'."""
    kind = node.WhichOneof("node")
    if kind is None:
        return
    if next(messages(node, "ColumnRef"), None) is None and kind not in ("list", "string"):
        if kind != "a_const":
            yield expression_text(node)
        return
    for descriptor, value in getattr(node, kind).ListFields():
        if descriptor.message_type is None or descriptor.message_type.name != "Node":
            continue
        for child in [value] if hasattr(value, "WhichOneof") else value:
            yield from _constants(child)
