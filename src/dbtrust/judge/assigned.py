"""The constants that a statement writes: those of its SET, and the rows of an INSERT that reckons with rows that are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dbtrust.judge.statements import SqlSyntaxError, messages, parse_tree

#: So many rows of a VALUES list are taken.
_ROWS = 3


@dataclass(frozen=True, slots=True)
class Seed:
    """An INSERT … ON CONFLICT or … NOT EXISTS: its columns (none: all of the table, in order) and the constants of its rows.

    None in a row is no constant. `key` are the columns of an ON CONFLICT (…) DO UPDATE, `source` is the table (schema or
    "", name) of an INSERT … SELECT.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    key: tuple[str, ...] = ()
    source: tuple[str, str] | None = None


def assigned(sql: str) -> dict[str, list[str]]:
    """Column -> the constants in what UPDATE … SET, MERGE or ON CONFLICT DO UPDATE gives it; empty for text that is no SQL."""
    found: dict[str, list[str]] = {}
    for kind in ("UpdateStmt", "MergeWhenClause"):
        for statement in messages(_tree(sql), kind):
            for target in statement.target_list:
                values = [
                    text for c in messages(target.res_target.val, "A_Const") if (text := _text(c)) is not None
                ]
                if values:
                    found.setdefault(target.res_target.name, []).extend(values)
    return found


def seeds(sql: str) -> list[Seed]:
    """The INSERTs that leave a row alone, or change it, where it is there already; none for text that is no SQL."""
    return [seed for s in messages(_tree(sql), "InsertStmt") if (seed := _seed(s)) is not None]


def _seed(statement: Any) -> Seed | None:
    select = statement.select_stmt.select_stmt
    conflict = statement.HasField("on_conflict_clause")
    if not conflict and not select.HasField("where_clause") and not select.HasField("rarg"):
        return None
    columns = tuple(target.res_target.name for target in statement.cols)
    clause = statement.on_conflict_clause
    changes = conflict and len(clause.target_list) > 0
    key = tuple(e.index_elem.name for e in clause.infer.index_elems) if changes else ()
    if select.values_lists:
        rows = tuple(tuple(_single(item) for item in one.list.items) for one in select.values_lists[:_ROWS])
        return Seed(columns, rows, key)
    if len(select.from_clause) == 1 and select.from_clause[0].HasField("range_var"):
        source = select.from_clause[0].range_var
        return Seed(columns, (), key, (source.schemaname, source.relname))
    row = tuple(_single(target.res_target.val) for target in select.target_list)
    return Seed(columns, (row,), key) if row and not select.from_clause else None


def _tree(sql: str) -> Any:
    try:
        return parse_tree(sql)
    except SqlSyntaxError:
        return parse_tree("SELECT 1")


def _single(node: Any) -> str | None:
    """The constant that an expression is, with or without a cast."""
    found: Sequence[Any] = list(messages(node, "A_Const"))
    plain = node.HasField("a_const") or node.HasField("type_cast")
    return _text(found[0]) if plain and len(found) == 1 else None


def _text(constant: Any) -> str | None:
    kind = constant.WhichOneof("val")
    if kind == "boolval":
        return "true" if constant.boolval.boolval else "false"
    value = getattr(getattr(constant, kind), kind) if kind in ("sval", "ival", "fval") else None
    return str(value) if value is not None else None
