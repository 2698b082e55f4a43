"""Weaker and stronger forms of a CHECK, by PostgreSQL's own grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dbtrust.judge.statements import SqlSyntaxError, messages, parse_tree

#: A comparison -> the one that treats its boundary the other way.
SHIFTED = {">=": ">", ">": ">=", "<=": "<", "<": "<="}
_CHECK = re.compile(r"CHECK \((.*)\)((?: NO INHERIT)?)(?: NOT VALID)?(?: NOT ENFORCED)?\Z", re.DOTALL)
#: BoolExprType.AND_EXPR and A_Expr_Kind.AEXPR_OP of libpg_query's protobuf.
_AND, _OPERATOR = 1, 1


@dataclass(frozen=True, slots=True)
class Variant:
    """Another expression for a CHECK: `operator` of the mutant, what was done in words, and the expression."""

    operator: str
    what: str
    expression: str


def check_parts(definition: str) -> tuple[str, str] | None:
    """The expression of pg_get_constraintdef's text and what follows it (" NO INHERIT"); None for another text."""
    match = _CHECK.fullmatch(definition)
    return (match[1], match[2]) if match else None


def conjuncts(expression: str) -> list[str]:
    """The parts of a top-level AND as the grammar writes them; one part where there is none."""
    tree = _parsed(expression)
    if tree is None:
        return [expression]
    condition = tree.stmts[0].stmt.select_stmt.target_list[0].res_target.val
    if condition.WhichOneof("node") != "bool_expr" or condition.bool_expr.boolop != _AND:
        return [_written(tree)]
    found: list[str] = []
    for argument in condition.bool_expr.args:
        alone = type(tree)()
        alone.CopyFrom(tree)
        alone.stmts[0].stmt.select_stmt.target_list[0].res_target.val.CopyFrom(argument)
        found.append(_written(alone))
    return found


def variants(expression: str) -> list[Variant]:
    """Each conjunct left out, and each comparison with its boundary moved; none for what is no SQL."""
    parts = conjuncts(expression)
    found: list[Variant] = []
    if len(parts) > 1:
        for number, part in enumerate(parts):
            rest = " AND ".join(f"({other})" for place, other in enumerate(parts) if place != number)
            found.append(Variant("weaken", f"without {part}", rest))
    return found + list(_shifted(expression))


def _shifted(expression: str) -> Iterator[Variant]:
    tree = _parsed(expression)
    for comparison in _comparisons(tree) if tree is not None else ():
        symbol = comparison.name[-1].string.sval
        comparison.name[-1].string.sval = SHIFTED[symbol]
        yield Variant("boundary", f"with {SHIFTED[symbol]} for {symbol}", _written(tree))
        comparison.name[-1].string.sval = symbol


def _parsed(expression: str) -> Any:
    """The tree of `SELECT expression`, None where that is not one statement with one column."""
    try:
        tree = parse_tree(f"SELECT {expression}")
    except SqlSyntaxError:
        return None
    one = len(tree.stmts) == 1 and len(tree.stmts[0].stmt.select_stmt.target_list) == 1
    return tree if one else None


def _comparisons(tree: Any) -> list[Any]:
    return [
        item
        for item in messages(tree, "A_Expr")
        if item.kind == _OPERATOR and item.name[-1].string.sval in SHIFTED
    ]


def _written(tree: Any) -> str:
    import postgast

    return str(postgast.deparse(tree)).removeprefix("SELECT ")
