"""What plans say a statement asks of one relation: its conditions, and the order of a sort.

The texts are the server's own (EXPLAIN VERBOSE), read by PostgreSQL's grammar; what that does not read, such as
"(SubPlan 1)", is left out. Nothing is decided by them: they only make up changes that are then tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from dbtrust.judge.statements import SqlSyntaxError, expression_text, messages, parse_tree
from dbtrust.model.plan import Node, Plan
from dbtrust.model.whatif import Condition, Kind, Table, Wants

_TEXTS = ("Filter", "Index Cond", "Recheck Cond", "Hash Cond", "Merge Cond", "Join Filter")
_RANGES = frozenset({"<", "<=", ">", ">="})
#: What no index of the types here finds rows by.
_UNSERVED = frozenset({"<>", "!~~", "!~~*", "~~*", "~", "~*", "!~", "!~*"})
#: Kinds of A_Expr in libpg_query: an operator, and an operator with ANY.
_OP, _OP_ANY = 1, 2
_AND = 1
_DESCENDING, _NULLS_FIRST, _NULLS_LAST = 3, 2, 3


def wants(plans: Iterable[Plan], table: Table) -> Wants:
    """Conditions and order on a table, from every plan of the same statement."""
    conditions: dict[tuple[str, str], Condition] = {}
    order: tuple[tuple[str, str], ...] = ()
    for plan in plans:
        aliases = {n.alias or n.relation or "" for n in plan.nodes if of_table(n, table)}
        aliases |= {table.name} if aliases else set()
        for node in plan.nodes:
            for condition in _conditions(node, aliases, table):
                conditions.setdefault((condition.kind, condition.key), condition)
            order = order or _order(node, aliases)
    return Wants(tuple(conditions.values()), order)


def of_table(node: Node, table: Table) -> bool:
    """Does the node read this table or a partition of it?"""
    own = (node.schema, node.relation) == (table.schema, table.name)
    return own or (node.root_schema, node.root_relation) == (table.schema, table.name)


def _conditions(node: Node, aliases: set[str], table: Table) -> Iterator[Condition]:
    for key in _TEXTS:
        text = node.detail.get(key)
        if isinstance(text, str):
            tree = _parse(f"SELECT 1 WHERE {text}")
            if tree is not None:
                yield from _conjuncts(tree.where_clause, aliases, table)


def _parse(text: str) -> Any:
    try:
        return parse_tree(text).stmts[0].stmt.select_stmt
    except SqlSyntaxError:
        return None


def _conjuncts(node: Any, aliases: set[str], table: Table) -> Iterator[Condition]:
    kind = node.WhichOneof("node")
    if kind == "bool_expr" and node.bool_expr.boolop == _AND:
        for part in node.bool_expr.args:
            yield from _conjuncts(part, aliases, table)
    elif kind == "a_expr" and node.a_expr.kind in (_OP, _OP_ANY):
        yield from _comparison(node.a_expr, aliases, table)


def _comparison(expression: Any, aliases: set[str], table: Table) -> Iterator[Condition]:
    operator = expression.name[-1].string.sval
    for side, other in ((expression.lexpr, expression.rexpr), (expression.rexpr, expression.lexpr)):
        columns = _columns(side, aliases, table)
        if columns and not _columns(other, aliases, table):
            collation = _collation(side) or _collation(other)
            bare, cast = _bare(side)
            yield Condition(_kind(operator), _text(bare, aliases), tuple(columns), cast, collation)


def _kind(operator: str) -> Kind:
    if operator == "=":
        return "equality"
    if operator in ("~~", "^@"):
        return "pattern"
    if operator in _UNSERVED:
        return "unserved"
    return "range" if operator in _RANGES else "other"


def _columns(node: Any, aliases: set[str], table: Table) -> list[str]:
    """The table's columns in an expression, in the order in which they stand."""
    found: dict[str, None] = {}
    for reference in messages(node, "ColumnRef"):
        names = [field.string.sval for field in reference.fields]
        if len(names) >= 2 and names[-2] in aliases and names[-1] in table.columns:
            found[names[-1]] = None
    return list(found)


def _bare(node: Any) -> tuple[Any, str]:
    """A column without the cast and collation around it, and the name of the cast's type."""
    kind, inner = node.WhichOneof("node"), node
    if kind == "collate_clause":
        inner = node.collate_clause.arg
        return _bare(inner)
    if kind == "type_cast" and node.type_cast.arg.WhichOneof("node") == "column_ref":
        return node.type_cast.arg, ".".join(n.string.sval for n in node.type_cast.type_name.names)
    return inner, ""


def _collation(node: Any) -> str:
    found = next(messages(node, "CollateClause"), None)
    return ".".join(n.string.sval for n in found.collname) if found is not None else ""


def _text(node: Any, aliases: set[str]) -> str:
    """The expression as an index of the table would hold it: columns without their relation."""
    target = type(node)()
    target.CopyFrom(node)
    for reference in messages(target, "ColumnRef"):
        names = [field.string.sval for field in reference.fields]
        if len(names) >= 2 and names[-2] in aliases:
            del reference.fields[:-1]
    return expression_text(target)


def _order(node: Node, aliases: set[str]) -> tuple[tuple[str, str], ...]:
    """The keys of a sort, where all are expressions over the one relation."""
    keys = node.detail.get("Sort Key")
    if not isinstance(keys, Sequence) or isinstance(keys, str):
        return ()
    tree = _parse("SELECT 1 ORDER BY " + ", ".join(cast("Sequence[str]", keys)))
    found: list[tuple[str, str]] = []
    for item in tree.sort_clause if tree is not None else ():
        sort = item.sort_by
        names = [[f.string.sval for f in r.fields] for r in messages(sort.node, "ColumnRef")]
        if not names or any(len(n) < 2 or n[-2] not in aliases for n in names):
            return ()
        found.append((_text(sort.node, aliases), _direction(sort)))
    return tuple(found)


def _direction(sort: Any) -> str:
    descending = sort.sortby_dir == _DESCENDING
    nulls = {_NULLS_FIRST: " NULLS FIRST", _NULLS_LAST: " NULLS LAST"}.get(sort.sortby_nulls, "")
    return ("DESC" if descending else "") + nulls
