"""What a query makes equal: columns of base relations and parameters that must agree for a row to come out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

from dbtrust.judge.contracts.levels import Level, outputs
from dbtrust.model.facts import Facts
from dbtrust.model.tree import Node

#: ("column", OID of the relation, attribute number), ("parameter", number from 1, 0), ("element", the same of an array).
Atom = tuple[str, int, int]
Levels = tuple[Level, ...]
_RELATION, _SUBQUERY, _JOIN, _CTE = 0, 1, 2, 6
_CASTS = frozenset({"RELABELTYPE", "COERCEVIAIO", "COERCETODOMAIN"})


@dataclass(slots=True)
class Classes:
    """Sets of atoms that a query compares by `=`, by union and find.

    `either` maps a parameter (number from 1) to columns that it may equal: under OR, or as one of an array's elements.
    """

    either: defaultdict[int, list[Atom]] = field(default_factory=lambda: defaultdict[int, list[Atom]](list))
    _parent: dict[Atom, Atom] = field(default_factory=dict[Atom, Atom])

    def of(self, atom: Atom) -> Atom:
        """The representative of an atom's class."""
        while (parent := self._parent.get(atom, atom)) != atom:
            atom = parent
        return atom

    def join(self, a: Atom, b: Atom) -> None:
        self._parent[self.of(a)] = self.of(b)

    def linked(self, atom: Atom) -> bool:
        """Is anything else in its class?"""
        return atom in self._parent or atom in self._parent.values()


def classes(query: Node, facts: Facts) -> Classes:
    """The classes of a query and of everything below it."""
    found = Classes()
    for left, right, sure, operator in _pairs(query, facts, ()):
        if operator != "=":
            continue
        if sure and "element" not in (left[0], right[0]):
            found.join(left, right)
        for one, other in ((left, right), (right, left)):
            if one[0] == "column" and other[0] in ("parameter", "element"):
                found.either[other[1]].append(one)
    return found


def comparisons(query: Node, facts: Facts) -> list[tuple[int, str, Atom]]:
    """(number of a parameter from 1, operator as `column operator parameter`, column) of every comparison.

    For `= ANY ($1)` the operator is "= ANY".
    """
    found: list[tuple[int, str, Atom]] = []
    for left, right, _, operator in _pairs(query, facts, ()):
        if left[0] == "column" and right[0] in ("parameter", "element"):
            found.append((right[1], operator + " ANY" * (right[0] == "element"), left))
        elif right[0] == "column" and left[0] == "parameter":
            found.append((left[1], _MIRRORED.get(operator, operator), right))
    return found


_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "@>": "<@", "<@": "@>"}


def _pairs(
    query: Node, facts: Facts, outer: Levels, views: frozenset[int] = frozenset()
) -> Iterator[tuple[Atom, Atom, bool, str]]:
    """Two sides of an operator, whether it must be true for a row to come out, and its name. `views` are being read: up to PostgreSQL 15 a view's own range table holds the view itself, twice."""
    levels = (Level(query), *outer)
    for node, sure in _own(query):
        if node.tag == "QUERY":
            yield from _pairs(node, facts, levels, views)
            continue
        if node.tag == "RANGETBLENTRY":
            relation = facts.relations.get(node.number("relid"))
            if relation is not None and relation.query is not None and relation.oid not in views:
                yield from _pairs(relation.query, facts, (), views | {relation.oid})
        known = (
            facts.operators.get(node.number("opno")) if node.tag in ("OPEXPR", "SCALARARRAYOPEXPR") else None
        )
        if known is not None and len(node.list("args")) == 2:
            left, right = (_atom(argument, facts, levels) for argument in node.list("args"))
            if left is not None and right is not None and left != right:
                yield left, _element(right) if node.tag == "SCALARARRAYOPEXPR" else right, sure, known.name


def _element(atom: Atom) -> Atom:
    return ("element", atom[1], 0) if atom[0] == "parameter" else atom


def _own(query: Node) -> Iterator[tuple[Node, bool]]:
    """The nodes of a query, nested queries as one node each, and whether each must be true for a row to come out."""

    def below(value: object, sure: bool) -> Iterator[tuple[Node, bool]]:
        if isinstance(value, Node):
            yield value, sure
            if value.tag != "QUERY":
                inner = sure and value.get("boolop") not in ("or", "not") and value.tag != "CASEEXPR"
                for child in value.fields.values():
                    yield from below(child, inner)
        elif isinstance(value, list):
            for item in cast("list[object]", value):
                yield from below(item, sure)

    for child in query.fields.values():
        yield from below(child, True)


def _atom(node: object, facts: Facts, levels: Levels) -> Atom | None:
    while isinstance(node, Node) and (node.tag in _CASTS or _is_cast(node)):
        node = node.get("arg") if node.tag in _CASTS else node.list("args")[0]
    if not isinstance(node, Node):
        return None
    if node.tag == "PARAM" and node.number("paramkind") == 0:
        return ("parameter", node.number("paramid"), 0)
    return _column(node, facts, levels) if node.tag == "VAR" else None


def _is_cast(node: Node) -> bool:
    """CoercionForm: 1 explicit, 2 implicit."""
    return node.tag == "FUNCEXPR" and node.number("funcformat") in (1, 2) and len(node.list("args")) >= 1


def _column(node: Node, facts: Facts, levels: Levels) -> Atom | None:
    up, attribute = node.number("varlevelsup"), node.number("varattno")
    if up >= len(levels) or attribute <= 0:
        return None
    levels = levels[up:]
    entry = levels[0].entry(node.number("varno"))
    kind = entry.number("rtekind")
    if kind == _RELATION:
        relation = facts.relations.get(entry.number("relid"))
        if relation is None or relation.query is None:
            return ("column", entry.number("relid"), attribute)
        return _output(relation.query, attribute, facts, ())
    if kind == _SUBQUERY:
        return _output(entry["subquery"], attribute, facts, levels)
    if kind == _JOIN:
        return _atom(entry.list("joinaliasvars")[attribute - 1], facts, levels)
    if kind == _CTE and entry.number("ctelevelsup") < len(levels) and not entry.flag("self_reference"):
        inside = levels[entry.number("ctelevelsup") :]
        named = (cte for cte in inside[0].query.list("cteList") if cte["ctename"] == entry["ctename"])
        cte = next(named, None)
        return _output(cte["ctequery"], attribute, facts, inside) if cte is not None else None
    return None


def _output(query: Node, attribute: int, facts: Facts, outer: Levels) -> Atom | None:
    found = outputs(query)
    if attribute > len(found):
        return None
    return _atom(found[attribute - 1]["expr"], facts, (Level(query), *outer))
