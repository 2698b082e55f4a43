"""How many rows a query can give, by proof over the analysed tree: at most one, and at least one.

A relation gives at most one row where a whole unique key of it is equal to values that are known: parameters,
constants, columns of relations that give at most one row themselves. Without such a chain there is a reason, which is
no counter-example.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dbtrust.judge.contracts.levels import (
    DELETE,
    FULL,
    INNER,
    INSERT,
    LEFT,
    MERGE,
    RIGHT,
    SELECT,
    UPDATE,
    Key,
    Level,
    level_of,
    outputs,
    relations,
)
from dbtrust.model.facts import Facts, Relation
from dbtrust.model.facts import Key as Index
from dbtrust.model.tree import Node, integer, same, variables, walk

Reason = str | None
Levels = tuple[Level, ...]
#: Values that are known from outside, with the operator families in which they are equal to one value.
Known = dict[Key, frozenset[int]]
_UNION, _INTERSECT, _EXCEPT = 1, 2, 3
_RELATION, _SUBQUERY, _FUNCTION, _VALUES, _CTE, _RESULT = 0, 1, 3, 5, 6, 8
_NOTHING, _DO_UPDATE = 1, 2
_VIEWS = frozenset("vm")


@dataclass(frozen=True, slots=True)
class _Equality:
    """Two sides that an operator says to be equal; it may serve to determine the relations of `only` (None: any)."""

    sides: tuple[Node, Node]
    families: frozenset[int]
    only: frozenset[int] | None
    collation: int = 0


@dataclass(slots=True)
class _Counter:
    """One query level: which of its relations give at most one row."""

    level: Level
    facts: Facts
    outer: Levels
    known: Known
    equalities: list[_Equality] = field(default_factory=list[_Equality])
    bound: set[int] = field(default_factory=set[int])
    full: bool = False

    def read(self, node: Node, only: frozenset[int] | None = None) -> None:
        """Collects the equalities of a join tree."""
        if node.tag == "FROMEXPR":
            self.conditions(node.child("quals"), only)
            for child in node.list("fromlist"):
                self.read(child, only)
        elif node.tag == "JOINEXPR":
            self._join(node, only)

    def _join(self, node: Node, only: frozenset[int] | None) -> None:
        left, right, kind = node["larg"], node["rarg"], node.number("jointype")
        self.full = self.full or kind == FULL
        if kind == INNER:
            self.conditions(node.child("quals"), only)
            self.read(left, only)
            self.read(right, only)
        elif kind in (LEFT, RIGHT):
            kept, extended = (left, right) if kind == LEFT else (right, left)
            inside = frozenset(relations(extended))
            inside = inside if only is None else inside & only
            self.conditions(node.child("quals"), inside)
            self.read(kept, only)
            self.read(extended, inside)

    def conditions(self, quals: Node | None, only: frozenset[int] | None) -> None:
        """Collects the equalities of one condition."""
        for condition in conjuncts(quals):
            known = self.facts.operators.get(condition.number("opno")) if condition.tag == "OPEXPR" else None
            if known is not None and known.equality and len(condition.list("args")) == 2:
                left, right = condition.list("args")
                self.equalities.append(
                    _Equality((left, right), known.equality, only, condition.number("inputcollid"))
                )

    def determine(self, wanted: set[int]) -> set[int]:
        """Relations of `wanted` that are not determined after all chains were followed."""
        grown = True
        while grown and not wanted <= self.bound:
            fresh = {number for number in wanted - self.bound if self._single(number)}
            grown = bool(fresh)
            self.bound |= fresh
        return wanted - self.bound

    def _single(self, number: int) -> bool:
        entry = self.level.entry(number)
        kind = entry.number("rtekind")
        if kind == _RELATION:
            relation = self.facts.relations.get(entry.number("relid"))
            return relation is not None and self._relation(relation, entry, number)
        if kind == _VALUES:
            return len(entry.list("values_lists")) == 1
        if kind == _RESULT:
            return True
        if kind == _FUNCTION:
            return not any(self._gives_set(f["funcexpr"]) for f in entry.list("functions"))
        query = _subquery(entry, (self.level, *self.outer))
        return query is not None and self._subquery(query, number, entry)

    def _gives_set(self, call: Node) -> bool:
        known = self.facts.functions.get(call.number("funcid")) if call.tag == "FUNCEXPR" else None
        return known is None or known.returns_set

    def _relation(self, relation: Relation, entry: Node, number: int) -> bool:
        if relation.kind in _VIEWS:
            return relation.query is not None and self._subquery(relation.query, number, entry)
        if relation.inherited and entry.flag("inh"):
            return False
        return any(self._determined(index, number) for index in relation.keys)

    def _determined(self, index: Index, number: int) -> bool:
        if not index.immediate or (index.predicate is not None and not self._holds(index.predicate, number)):
            return False
        expressions = iter(index.expressions)
        for place, column in enumerate(index.columns):
            wanted = next(expressions) if column == 0 else None
            if not self._equated(number, column, wanted, index, place):
                return False
        return True

    def _holds(self, predicate: Node, number: int) -> bool:
        """Does the query itself say what a partial index says, part by part?"""
        tree = self.level.query.child("jointree")
        said = list(conjuncts(tree.child("quals"))) if tree is not None else []
        return all(any(same(part, other, {1: number}) for other in said) for part in conjuncts(predicate))

    def _equated(self, number: int, column: int, wanted: Node | None, index: Index, place: int) -> bool:
        family, collation = index.families[place], index.collations[place]
        if wanted is None and family in self.known.get((number, column), frozenset()):
            return True
        for equality in self.equalities:
            if family not in equality.families or (equality.only is not None and number not in equality.only):
                continue
            # Under a collation that takes different texts for equal, an index of another one binds nothing.
            if equality.collation in self.facts.loose_collations and equality.collation != collation:
                continue
            for here, there in (equality.sides, equality.sides[::-1]):
                if _is(here, number, column, wanted) and self.fixed(there):
                    return True
        return False

    def fixed(self, expression: Any) -> bool:
        """Is it one value for the whole query: nothing volatile, no column of a relation that is not determined?"""
        if not isinstance(expression, Node):
            return False
        for node in walk(expression):
            if node.tag == "SUBLINK" and any(v.number("varlevelsup") for v in _vars(node["subselect"])):
                return False
            known = self.facts.functions.get(node.number("funcid") or node.number("opfuncid"))
            if node.tag in ("FUNCEXPR", "OPEXPR") and (known is None or known.volatile or known.returns_set):
                return False
            if node.tag == "PARAM" and node.number("paramkind") != 0:
                return False
        return all(self._fixed_variable(v) for v in variables(expression)) and expression.tag != "AGGREF"

    def _fixed_variable(self, node: Node) -> bool:
        key = (node.number("varno"), node.number("varattno"))
        return bool(node.number("varlevelsup")) or key[0] in self.bound or key in self.known

    def _subquery(self, query: Node, number: int, entry: Node) -> bool:
        """A subquery gives at most one row, be it because of the columns that are compared with known values here."""
        outside = {v.number("varno") for v in _vars(query) if v.number("varlevelsup")}
        if entry.flag("lateral") and outside - self.bound:
            return False
        inner: Known = {}
        for place, output in enumerate(outputs(query), 1):
            families = self._families(number, place)
            expression = _bare(output["expr"])
            if families and expression.tag == "VAR" and not expression.number("varlevelsup"):
                inner[expression.number("varno"), expression.number("varattno")] = families
        return at_most_one(query, self.facts, (self.level, *self.outer), inner) is None

    def _families(self, number: int, place: int) -> frozenset[int]:
        found = set(self.known.get((number, place), frozenset()))
        for equality in self.equalities:
            foreign = equality.only is not None and number not in equality.only
            if foreign or equality.collation in self.facts.loose_collations:
                continue
            for here, there in (equality.sides, equality.sides[::-1]):
                if _is(here, number, place, None) and self.fixed(there):
                    found |= equality.families
        return frozenset(found)


def at_most_one(query: Node, facts: Facts, outer: Levels = (), known: Known | None = None) -> Reason:
    """None where the query gives at most one row, else why that is not proven."""
    operations = query.child("setOperations")
    level = level_of(query, facts)
    if _limited(query, facts):
        return None
    if operations is not None:
        return _set_operation(operations, facts, (level, *outer))
    if query.flag("hasTargetSRFs"):
        return "a function in the select list gives a set"
    counter = _Counter(level, facts, outer, known or {})
    tree = query.child("jointree")
    if tree is not None:
        counter.read(tree)
    return _by_command(query, counter, tree)


def _by_command(query: Node, counter: _Counter, tree: Node | None) -> Reason:
    command = query.number("commandType")
    numbers = relations(tree) if tree is not None else set[int]()
    if command in (UPDATE, DELETE):
        counter.determine(numbers)
        return _told(counter, {query.number("resultRelation")} - counter.bound)
    if command == MERGE:
        return _merge(query, counter, numbers)
    if command == SELECT:
        open_relations = counter.determine(numbers)
        if query.flag("hasAggs") and not query.list("groupClause") and not query.list("groupingSets"):
            return None
        if _one_group(query, counter):
            return None
        return _told(counter, open_relations)
    return _told(counter, counter.determine(numbers))


def _told(counter: _Counter, left: set[int]) -> Reason:
    if counter.full:
        return "a FULL JOIN gives the rows of both sides"
    if not left:
        return None
    names = counter.level.entry(min(left)).child("eref")
    name = names["aliasname"] if names is not None else "a relation"
    return f"no unique key of {name} is equal to values that are known"


def _one_group(query: Node, counter: _Counter) -> bool:
    """All rows fall into one group (or one DISTINCT value) where each grouped value is known."""
    clauses = query.list("distinctClause")
    if query.list("groupClause") and not query.list("groupingSets"):
        clauses = query.list("groupClause")
    if not clauses or query.flag("hasWindowFuncs"):
        return False
    by_reference = {e.number("ressortgroupref"): e["expr"] for e in query.list("targetList")}
    return all(
        _known_value(by_reference.get(clause.number("tleSortGroupRef")), clause.number("eqop"), counter)
        for clause in clauses
    )


def _known_value(value: Node | None, grouping: int, counter: _Counter) -> bool:
    """`grouping` is the operator that tells groups apart: what is equal for another one may be two groups."""
    if value is None or counter.fixed(value):
        return value is not None
    known = counter.facts.operators.get(grouping)
    families = known.equality if known is not None else frozenset[int]()
    pairs = ((e, pair) for e in counter.equalities if e.only is None for pair in (e.sides, e.sides[::-1]))
    return any(
        same(_bare(here), _bare(value)) and counter.fixed(there) and bool(families & e.families)
        for e, (here, there) in pairs
        if e.collation not in counter.facts.loose_collations
    )


def _merge(query: Node, counter: _Counter, numbers: set[int]) -> Reason:
    if any(action.number("matchKind") == 1 for action in query.list("mergeActionList")):
        return "WHEN NOT MATCHED BY SOURCE takes any number of rows"
    target = query.number("resultRelation")
    counter.conditions(query.child("mergeJoinCondition"), frozenset({target}))
    return _told(counter, counter.determine(numbers | {target}))


def _set_operation(node: Node, facts: Facts, levels: Levels) -> Reason:
    if node.tag == "RANGETBLREF":
        return at_most_one(levels[0].entry(node.number("rtindex"))["subquery"], facts, levels)
    left = _set_operation(node["larg"], facts, levels)
    if node.number("op") == _EXCEPT or (node.number("op") == _INTERSECT and left is None):
        return left
    if node.number("op") == _INTERSECT:
        return _set_operation(node["rarg"], facts, levels)
    return "UNION gives the rows of both sides"


def at_least_one(query: Node, facts: Facts, outer: Levels = ()) -> bool:
    """Does a query give a row whatever the tables hold?

    An aggregate over everything does, a SELECT or VALUES without a condition, and an INSERT of given values that no
    conflict, trigger or rule can turn away.
    """
    command, levels = query.number("commandType"), (level_of(query, facts), *outer)
    if command == INSERT:
        return _inserts(query, facts, levels)
    if command != SELECT or query.child("setOperations") is not None or query.flag("hasTargetSRFs"):
        return False
    limit = query.child("limitCount")
    if query.child("limitOffset") is not None or (limit is not None and (_limit(limit, facts) or 0) < 1):
        return False
    if query.child("havingQual") is not None:
        return False
    aggregated = query.flag("hasAggs") and not query.list("groupClause") and not query.list("groupingSets")
    return aggregated or _sources_give(query.child("jointree"), facts, levels)


def _inserts(query: Node, facts: Facts, levels: Levels) -> bool:
    relation = facts.relations.get(levels[0].entry(query.number("resultRelation")).number("relid"))
    if relation is None or relation.kind in _VIEWS or "insert" in relation.before | relation.rules:
        return False
    conflict = query.child("onConflict")
    if conflict is not None and (
        conflict.number("action") != _DO_UPDATE or conflict.child("onConflictWhere") is not None
    ):
        return False
    return _sources_give(query.child("jointree"), facts, levels)


def _sources_give(tree: Node | None, facts: Facts, levels: Levels) -> bool:
    if tree is None:
        return True
    if tree.child("quals") is not None:
        return False
    return all(_source_gives(item, facts, levels) for item in tree.list("fromlist"))


def _source_gives(item: Node, facts: Facts, levels: Levels) -> bool:
    if item.tag != "RANGETBLREF":
        return False
    entry = levels[0].entry(item.number("rtindex"))
    if entry.number("rtekind") in (_VALUES, _RESULT):
        return True
    query = _subquery(entry, levels)
    return query is not None and at_least_one(query, facts, levels)


def _subquery(entry: Node, levels: Levels) -> Node | None:
    if entry.number("rtekind") == _SUBQUERY:
        return entry["subquery"]
    up = entry.number("ctelevelsup")
    if entry.number("rtekind") != _CTE or up >= len(levels) or entry.flag("self_reference"):
        return None
    ctes = levels[up].query.list("cteList")
    found = next((cte for cte in ctes if cte["ctename"] == entry["ctename"]), None)
    return found["ctequery"] if found is not None and not found.flag("cterecursive") else None


def _limited(query: Node, facts: Facts) -> bool:
    """LIMIT 1 or 0; FETCH … WITH TIES (limitOption 1) may give more."""
    limit = query.child("limitCount")
    value = _limit(limit, facts) if limit is not None else None
    return value is not None and value <= 1 and not query.number("limitOption")


def _limit(limit: Node, facts: Facts) -> int | None:
    """The constant of a LIMIT, seen through its cast to bigint."""
    if limit.tag == "FUNCEXPR" and len(limit.list("args")) == 1:
        known = facts.functions.get(limit.number("funcid"))
        return integer(limit.list("args")[0]) if known is not None and known.name == "int8" else None
    return integer(limit)


def conjuncts(condition: Node | None) -> Iterator[Node]:
    """The parts of an AND."""
    if condition is None:
        return
    if condition.tag == "BOOLEXPR" and condition.get("boolop") == "and":
        for part in condition.list("args"):
            yield from conjuncts(part)
    else:
        yield condition


def _vars(query: Node) -> Iterator[Node]:
    return (node for node in walk(query) if node.tag == "VAR")


def _bare(expression: Node) -> Node:
    """Without casts that change nothing, such as varchar to text."""
    while expression.tag == "RELABELTYPE" and isinstance(expression.get("arg"), Node):
        expression = expression["arg"]
    return expression


def _is(side: Node, number: int, column: int, wanted: Node | None) -> bool:
    if wanted is not None:
        return same(_bare(wanted), _bare(side), {1: number})
    bare = _bare(side)
    return (
        bare.tag == "VAR"
        and not bare.number("varlevelsup")
        and (bare.number("varno"), bare.number("varattno")) == (number, column)
    )
