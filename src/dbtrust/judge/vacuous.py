"""Is a CHECK true or NULL for every row there can be? Then it refuses nothing.

What an expression may give is over-estimated, so a yes is a proof: `price > 0 OR price IS NOT NULL`,
`status <> NULL`, `kind IN ('a', NULL)`, `true`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any, cast

from dbtrust.model.tree import Datum, Node, walk

#: What an expression may give: "t", "f", "n" for NULL.
Given = frozenset[str]
_ANY: Given = frozenset("tfn")
#: A check over more columns is not looked at.
_COLUMNS = 8
#: Operators below this OID are the server's own, and its operators that give a boolean are strict.
_BUILT_IN = 16_384
_THROUGH = ("RELABELTYPE", "COERCEVIAIO", "ARRAYCOERCEEXPR")


def never_false(tree: Node, not_null: frozenset[int]) -> bool:
    """`not_null` are the attribute numbers of columns that refuse NULL."""
    numbers = sorted({node.number("varattno") for node in walk(tree) if node.tag == "VAR"})
    free = [number for number in numbers if number not in not_null]
    if len(free) > _COLUMNS:
        return False
    for values in product((True, False), repeat=len(free)):
        if "f" in _given(tree, dict(zip(free, values, strict=True))):
            return False
    return True


def _given(node: Node, null: Mapping[int, bool]) -> Given:
    if node.tag in ("RELABELTYPE",):
        child = node.child("arg")
        return _given(child, null) if child else _ANY
    reader = _READERS.get(node.tag)
    return reader(node, null) if reader else _ANY


def _connective(node: Node, null: Mapping[int, bool]) -> Given:
    parts = [_given(arg, null) for arg in node.list("args")]
    kind = node.get("boolop")
    if kind == "not":
        return frozenset({"t": "f", "f": "t", "n": "n"}[value] for value in parts[0])
    winner, loser = ("f", "t") if kind == "and" else ("t", "f")
    return frozenset(_joined(values, winner, loser) for values in product(*parts))


def _joined(values: tuple[str, ...], winner: str, loser: str) -> str:
    return winner if winner in values else "n" if "n" in values else loser


def _null_test(node: Node, null: Mapping[int, bool]) -> Given:
    arg = node.child("arg")
    if arg is None or arg.tag != "VAR" or node.flag("argisrow"):
        return frozenset("tf")
    is_null = null.get(arg.number("varattno"), False)
    return frozenset("t" if is_null == (node.number("nulltesttype") == 0) else "f")


def _constant(node: Node, _null: Mapping[int, bool]) -> Given:
    if node.flag("constisnull"):
        return frozenset("n")
    value = node.get("constvalue")
    return frozenset("t" if value.data[0] else "f") if isinstance(value, Datum) and value.data else _ANY


def _variable(node: Node, null: Mapping[int, bool]) -> Given:
    return frozenset("n") if null.get(node.number("varattno"), False) else frozenset("tf")


def _operator(node: Node, null: Mapping[int, bool]) -> Given:
    built_in = node.number("opno") < _BUILT_IN
    return frozenset("n") if built_in and any(_is_null(arg, null) for arg in node.list("args")) else _ANY


def _array_operator(node: Node, null: Mapping[int, bool]) -> Given:
    """`x = ANY (array)` is never false where the array holds NULL; `x <> ALL (array)` never true."""
    left, right = node.list("args")
    if node.number("opno") >= _BUILT_IN:
        return _ANY
    if _is_null(left, null) or _is_null(right, null):
        # An empty array gives false (or true) whatever is compared with it.
        return frozenset("n") if _elements(right) else _ANY
    if any(_is_null(element, null) for element in _elements(right)):
        return frozenset("tn") if node.flag("useOr") else frozenset("fn")
    return _ANY


def _elements(node: Node) -> list[Node]:
    while node.tag in _THROUGH and (child := node.child("arg")) is not None:
        node = child
    return cast("list[Node]", node.list("elements")) if node.tag == "ARRAYEXPR" else []


def _is_null(node: Node, null: Mapping[int, bool]) -> bool:
    """Is it NULL for sure?"""
    while node.tag in _THROUGH and (child := node.child("arg")) is not None:
        node = child
    if node.tag == "CONST":
        return node.flag("constisnull")
    return node.tag == "VAR" and null.get(node.number("varattno"), False)


_READERS: dict[str, Callable[[Any, Mapping[int, bool]], Given]] = {
    "BOOLEXPR": _connective, "NULLTEST": _null_test, "CONST": _constant, "VAR": _variable, "OPEXPR": _operator,
    "SCALARARRAYOPEXPR": _array_operator, "BOOLEANTEST": lambda _node, _null: frozenset("tf"),
    "DISTINCTEXPR": lambda _node, _null: frozenset("tf"),
}  # fmt: skip
