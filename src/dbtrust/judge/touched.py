"""What the UPDATEs, DELETEs and MERGEs of a script look for: their conditions, as queries and as expressions over one row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dbtrust.judge.statements import SqlSyntaxError, expression_text, messages, parse_tree

#: MergeMatchKind.MERGE_WHEN_MATCHED of libpg_query.
_MATCHED = 1


@dataclass(frozen=True, slots=True)
class Join:
    """A column of the table that has to be equal to one of another table, or to one of `constants` (of a VALUES list)."""

    column: str
    schema: str = ""
    table: str = ""
    other: str = ""
    constants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RowCondition:
    """The rows that one UPDATE, DELETE or MERGE changes.

    `asked` is a query that gives a row if there is one. `text` is its WHERE over the table's own columns, "" where there
    is none or it looks at other rows, too; `columns` are those of `text`, `constants` its parts without any column.
    `written` are the columns that an UPDATE gives another value than their own; None: it deletes.
    """

    schema: str
    table: str
    asked: str
    written: tuple[str, ...] | None = None
    text: str = ""
    columns: frozenset[str] = frozenset()
    constants: tuple[str, ...] = ()
    joins: tuple[Join, ...] = ()


def conditions(sql: str) -> list[RowCondition]:
    """Of every UPDATE, DELETE and MERGE, those in a WITH as well; none for text that is no SQL."""
    try:
        tree = parse_tree(sql)
    except SqlSyntaxError:
        return []
    found: list[RowCondition] = []
    for raw in tree.stmts:
        ctes = _queries(raw.stmt)
        for name in ("UpdateStmt", "DeleteStmt"):
            found += [one for node in messages(raw.stmt, name) if (one := _plain(node, name, ctes))]
        found += [one for node in messages(raw.stmt, "MergeStmt") for one in _merged(node, ctes)]
    return found


def tables_in(sql: str) -> set[str]:
    """The names of the relations that a statement speaks of, without their schemas."""
    try:
        return {str(r.relname) for r in messages(parse_tree(sql), "RangeVar")}
    except SqlSyntaxError:
        return set()


def copied_back(up: str, down: str) -> dict[str, set[str]]:
    """Table -> columns that the up fills by an UPDATE and from which the down sets others: what was kept for the way back."""
    filled, read = dict[str, set[str]](), dict[str, set[str]]()
    for sql, found in ((up, filled), (down, read)):
        for node in _updates(sql):
            names = found.setdefault(node.relation.relname, set())
            for target in node.target_list:
                values = messages(target.res_target.val, "ColumnRef")
                names |= {target.res_target.name} if sql is up else {_name(r) for r in values}
    return {table: names & read.get(table, set()) for table, names in filled.items()}


def _updates(sql: str) -> Iterator[Any]:
    try:
        yield from messages(parse_tree(sql), "UpdateStmt")
    except SqlSyntaxError:
        return


def _queries(statement: Any) -> list[Any]:
    """The WITH queries of a statement that only read."""
    node = getattr(statement, statement.WhichOneof("node"))
    ctes = node.with_clause.ctes if "with_clause" in node.DESCRIPTOR.fields_by_name else ()
    return [c for c in ctes if c.common_table_expr.ctequery.WhichOneof("node") == "select_stmt"]


def _plain(node: Any, name: str, ctes: list[Any]) -> RowCondition | None:
    where = node.where_clause
    if next(messages(where, "CurrentOfExpr"), None) is not None:
        return None
    others = list(node.from_clause if name == "UpdateStmt" else node.using_clause)
    given = where.WhichOneof("node") is not None
    asked = _asked(node.relation, others, [where] if given else [], ctes)
    written = _written(node.target_list, node.relation) if name == "UpdateStmt" else None
    alone = not others and given and next(messages(where, "SubLink"), None) is None
    columns = _columns(where) if alone else frozenset[str]()
    joins = tuple(_joins(where, node.relation, others)) if others else ()
    return RowCondition(
        node.relation.schemaname, node.relation.relname, asked, written, _own(where) if columns else "", columns,
        tuple(_constants(where)) if columns else (), joins,
    )  # fmt: skip


def _merged(node: Any, ctes: list[Any]) -> Iterator[RowCondition]:
    joins = tuple(_joins(node.join_condition, node.relation, [node.source_relation]))
    for when in (clause.merge_when_clause for clause in node.merge_when_clauses):
        if when.match_kind != _MATCHED or not _changes(when):
            continue
        wheres = [node.join_condition, *([when.condition] if when.HasField("condition") else [])]
        asked = _asked(node.relation, [node.source_relation], wheres, ctes)
        written = _written(when.target_list, node.relation) if when.target_list else None
        yield RowCondition(node.relation.schemaname, node.relation.relname, asked, written, joins=joins)


def _changes(when: Any) -> bool:
    return when.DESCRIPTOR.fields_by_name["command_type"].enum_type.values_by_number[when.command_type].name in (
        "CMD_UPDATE", "CMD_DELETE",
    )  # fmt: skip


def _written(targets: Any, relation: Any) -> tuple[str, ...]:
    """The columns of a SET, without those that are set to themselves: that only calls the triggers."""
    own = {relation.relname, relation.alias.aliasname}
    found = [target.res_target for target in targets]
    return tuple(t.name for t in found if not _same(t.name, t.val, own))


def _same(name: str, value: Any, own: set[str]) -> bool:
    path = _path(value.column_ref) if value.WhichOneof("node") == "column_ref" else []
    return path[-1:] == [name] and (len(path) == 1 or path[-2] in own)


def _asked(relation: Any, others: list[Any], wheres: list[Any], ctes: list[Any]) -> str:
    """SELECT 1 FROM the table and all others WHERE every condition LIMIT 1."""
    import postgast

    tree: Any = parse_tree("WITH w AS (SELECT) SELECT 1 FROM x WHERE a AND b LIMIT 1")
    select = tree.stmts[0].stmt.select_stmt
    select.from_clause[0].range_var.CopyFrom(relation)
    select.from_clause.extend(others)
    del select.where_clause.bool_expr.args[:]
    select.where_clause.bool_expr.args.extend(wheres)
    if len(wheres) < 2:
        select.ClearField("where_clause")
        if wheres:
            select.where_clause.CopyFrom(wheres[0])
    del select.with_clause.ctes[:]
    select.with_clause.ctes.extend(ctes)
    if not ctes:
        select.ClearField("with_clause")
    return str(postgast.deparse(tree))


def _joins(where: Any, relation: Any, others: list[Any]) -> Iterator[Join]:
    """Its columns that have to be equal to those of other tables."""
    own = {relation.relname, relation.alias.aliasname}
    there = {t.alias.aliasname or t.relname: t for o in others for t in messages(o, "RangeVar")}
    values = [text for o in others for c in messages(o, "A_Const") if (text := _constant(c)) is not None]
    for expression in messages(where, "A_Expr"):
        sides = (expression.lexpr, expression.rexpr)
        if expression.name[-1].string.sval != "=" or any(s.WhichOneof("node") != "column_ref" for s in sides):
            continue
        for mine, other in (sides, sides[::-1]):
            names, others_names = _path(mine.column_ref), _path(other.column_ref)
            if len(names) == 2 and names[0] in own and len(others_names) == 2 and others_names[0] not in own:
                table = there.get(others_names[0])
                if table is not None:
                    yield Join(names[1], table.schemaname, table.relname, others_names[1])
                elif values:
                    yield Join(names[1], constants=tuple(dict.fromkeys(values)))


def _path(reference: Any) -> list[str]:
    return [str(field.string.sval) for field in reference.fields]


def _constant(constant: Any) -> str | None:
    kind = constant.WhichOneof("val")
    if kind == "sval":
        return str(constant.sval.sval)
    return str(constant.ival.ival) if kind == "ival" else None


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
