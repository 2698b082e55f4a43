"""One query level: which relations an outer join may null-extend, and which values its conditions force to be there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from dbtrust.model.facts import Facts
from dbtrust.model.tree import Node

#: (number in the range table, attribute number) of a value.
Key = tuple[int, int]
INNER, LEFT, FULL, RIGHT = 0, 1, 2, 3
SELECT, UPDATE, INSERT, DELETE, MERGE = 1, 2, 3, 4, 5
_JOIN_NAMES = {LEFT: "a LEFT JOIN", FULL: "a FULL JOIN", RIGHT: "a RIGHT JOIN"}
IS_NULL, IS_NOT_NULL = 0, 1
#: BoolTestType: IS TRUE, IS FALSE and IS NOT UNKNOWN are true only of values that are there.
_SURE_TESTS = frozenset({0, 2, 5})
ANY_SUBLINK = 2


@dataclass(slots=True)
class Level:
    """`extended` maps a relation to the joins that may null-extend it; `known` are values that are not NULL.

    `known` holds for rows that are not null-extended in that relation. `kept` are expressions that are not NULL.
    `old`: the target of an UPDATE stands for its row before the change.
    """

    query: Node
    extended: dict[int, dict[int, str]] = field(default_factory=dict[int, dict[int, str]])
    known: set[Key] = field(default_factory=set[Key])
    kept: list[Node] = field(default_factory=list[Node])
    old: bool = False

    def entry(self, number: int) -> Node:
        """The range table's entry of that number (from 1)."""
        entry = self.query.list("rtable")[number - 1]
        assert isinstance(entry, Node)
        return entry

    @property
    def command(self) -> int:
        return self.query.number("commandType")

    @property
    def grouped(self) -> bool:
        """Does every group hold a row? Not where grouping sets may hold the empty one."""
        return bool(self.query.list("groupClause")) and not self.query.list("groupingSets")


def level_of(query: Node, facts: Facts) -> Level:
    """Reads the join tree of a query."""
    level = Level(query)
    tree = query.child("jointree")
    if tree is not None:
        _Reader(level, facts).read(tree, set())
    level.kept += implied(query.child("havingQual"), facts)
    if query.number("commandType") == MERGE:
        _extend_sources(level)
    return level


def _extend_sources(level: Level) -> None:
    """WHEN NOT MATCHED BY SOURCE returns rows that no row of the source belongs to (its match kind is 1 on 17)."""
    if any(action.number("matchKind") == 1 for action in level.query.list("mergeActionList")):
        target = level.query.number("resultRelation")
        for number in range(1, len(level.query.list("rtable")) + 1):
            if number != target:
                level.extended.setdefault(number, {})[0] = "MERGE … NOT MATCHED BY SOURCE"


@dataclass(slots=True)
class _Reader:
    level: Level
    facts: Facts

    def read(self, node: Node, forced: set[Key]) -> None:
        """`forced`: values that conditions above this node require, so no null-extended row of theirs is left."""
        if node.tag == "FROMEXPR":
            forced = forced | self._know(implied(node.child("quals"), self.facts))
            for child in node.list("fromlist"):
                self.read(child, forced)
        elif node.tag == "JOINEXPR":
            self._join(node, forced)

    def _know(self, found: list[Node]) -> set[Key]:
        """A condition that every row keeps."""
        self.level.kept += found
        keys = keys_of(found)
        self.level.known |= keys
        return keys

    def _join(self, node: Node, forced: set[Key]) -> None:
        left, right = node.child("larg"), node.child("rarg")
        assert left is not None and right is not None
        kind = _reduced(node.number("jointype"), relations(left), relations(right), forced)
        found = implied(node.child("quals"), self.facts)
        own = self._know(found) if kind == INNER else keys_of(found)
        if kind in (LEFT, RIGHT):
            # ON says nothing of the preserved side: its rows are given without a match, too.
            inside = relations(right if kind == LEFT else left)
            self.level.known |= {key for key in own if key[0] in inside}
        if kind in (LEFT, FULL):
            self._extend(relations(right), node, kind)
        if kind in (RIGHT, FULL):
            self._extend(relations(left), node, kind)
        both = forced | own
        self.read(left, {INNER: both, LEFT: forced, RIGHT: own, FULL: set[Key]()}[kind])
        self.read(right, {INNER: both, LEFT: own, RIGHT: forced, FULL: set[Key]()}[kind])

    def _extend(self, numbers: Iterable[int], node: Node, kind: int) -> None:
        for number in numbers:
            self.level.extended.setdefault(number, {})[node.number("rtindex")] = _JOIN_NAMES[kind]


def _reduced(kind: int, left: set[int], right: set[int], forced: set[Key]) -> int:
    """An outer join whose null-extended rows are thrown away above it is less outer than written."""
    numbers = {number for number, _ in forced}
    if kind in (LEFT, FULL) and numbers & right:
        kind = INNER if kind == LEFT else RIGHT
    if kind in (RIGHT, FULL) and numbers & left:
        kind = INNER if kind == RIGHT else LEFT
    return kind


def relations(node: Node) -> set[int]:
    """The numbers of the base relations under a node of the join tree."""
    if node.tag == "RANGETBLREF":
        return {node.number("rtindex")}
    children = node.list("fromlist") if node.tag == "FROMEXPR" else [node.child("larg"), node.child("rarg")]
    return {number for child in children if isinstance(child, Node) for number in relations(child)}


def keys_of(expressions: Iterable[Node]) -> set[Key]:
    """The values of this level's relations among expressions."""
    return {
        (e.number("varno"), e.number("varattno"))
        for e in expressions
        if e.tag == "VAR" and not e.number("varlevelsup")
    }


def implied(condition: Any, facts: Facts, *, true: bool = True) -> list[Node]:
    """Expressions that are not NULL where the condition is true (or, with `true` False, where it is not true)."""
    if isinstance(condition, list):
        parts = cast("list[Any]", condition)
        return [e for part in parts for e in implied(part, facts, true=true)]
    if not isinstance(condition, Node):
        return []
    if condition.tag == "BOOLEXPR":
        return _implied_bool(condition, facts, true)
    if condition.tag == "NULLTEST":
        wanted = IS_NOT_NULL if true else IS_NULL
        sure = condition.number("nulltesttype") == wanted and not condition.flag("argisrow")
        return list(present(condition.child("arg"), facts)) if sure else []
    if not true:
        return []
    if condition.tag == "BOOLEANTEST":
        sure = condition.number("booltesttype") in _SURE_TESTS
        return list(present(condition.child("arg"), facts)) if sure else []
    return list(_implied_operator(condition, facts))


def _implied_bool(condition: Node, facts: Facts, true: bool) -> list[Node]:
    operator, parts = condition.get("boolop"), condition.list("args")
    if operator == "not":
        return _implied_not(parts[0], facts) if true else []
    if (operator == "and") == true:
        return implied(parts, facts, true=true)
    if operator == "or":
        found = [implied(part, facts) for part in parts]
        keys = [keys_of(f) for f in found]
        shared = keys[0].intersection(*keys[1:])
        return [e for e in found[0] if keys_of([e]) & shared]
    return []


def _implied_not(part: Node, facts: Facts) -> list[Node]:
    """NOT x is true where x is false, and then x is not NULL."""
    if part.tag == "NULLTEST":
        return implied(part, facts, true=False)
    if part.tag == "BOOLEXPR" and part.get("boolop") == "or":
        return [e for inner in part.list("args") for e in _implied_not(inner, facts)]
    return list(present(part, facts)) if part.tag in ("OPEXPR", "FUNCEXPR", "VAR") else []


def _implied_operator(condition: Node, facts: Facts) -> Iterator[Node]:
    if condition.tag == "SCALARARRAYOPEXPR":
        # x = ALL ('{}') is true even of NULL, so only ANY says something of x.
        if condition.flag("useOr") and _strict(condition, facts):
            yield from present(condition.list("args")[0], facts)
    elif condition.tag == "SUBLINK":
        test = condition.child("testexpr")
        if condition.number("subLinkType") == ANY_SUBLINK and test is not None and test.tag == "OPEXPR":
            yield from present(test.list("args")[0], facts)
    else:
        yield from present(condition, facts)


def present(expression: Node | None, facts: Facts) -> Iterator[Node]:
    """An expression that is not NULL, and the parts that therefore are not: a strict function of NULL is NULL."""
    if expression is None:
        return
    yield expression
    if expression.tag in ("OPEXPR", "FUNCEXPR") and _strict(expression, facts):
        for argument in expression.list("args"):
            yield from present(argument, facts)
    elif expression.tag in ("RELABELTYPE", "COERCEVIAIO", "COERCETODOMAIN", "ARRAYCOERCEEXPR"):
        yield from present(expression.child("arg"), facts)


def _strict(expression: Node, facts: Facts) -> bool:
    function = facts.functions.get(expression.number("opfuncid") or expression.number("funcid"))
    return function is not None and function.strict and not function.returns_set


def outputs(query: Node) -> list[Node]:
    """The target entries that the caller sees."""
    entries = query.list("targetList") if query.number("commandType") == 1 else query.list("returningList")
    return [entry for entry in entries if not entry.flag("resjunk")]


def assignments(level: Level) -> Mapping[int, Node]:
    """What an INSERT or UPDATE sets: attribute number -> expression."""
    if level.command not in (INSERT, UPDATE, MERGE):
        return {}
    return {entry.number("resno"): entry["expr"] for entry in level.query.list("targetList")}


def name_of(level: Level, number: int, attribute: int) -> str:
    """relation.column as the query calls it."""
    names = level.entry(number).child("eref")
    if names is None:
        return "a column"
    columns = names.list("colnames")
    return (
        f"{names['aliasname']}.{columns[attribute - 1]}"
        if 0 < attribute <= len(columns)
        else str(names["aliasname"])
    )
