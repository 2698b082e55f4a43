"""Which columns of a query can be NULL, by proof over the analysed tree.

The answer for an expression is None where it is never NULL, else the reason why that is not proven. A reason is no
counter-example: whoever asks must look for one. What is unknown here has a reason, never a proof.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from dbtrust.judge.contracts import builtins
from dbtrust.judge.contracts.cardinality import at_least_one
from dbtrust.judge.contracts.levels import (
    INSERT,
    UPDATE,
    Key,
    Level,
    assignments,
    implied,
    keys_of,
    level_of,
    name_of,
    outputs,
)
from dbtrust.model.facts import Facts, Function, Relation
from dbtrust.model.tree import Node, same, variables, walk

Levels = tuple[Level, ...]
Reason = str | None
_VIEWS = frozenset("vm")
UNION, INTERSECT, EXCEPT = 1, 2, 3
EXISTS, ALL, ANY, EXPRESSION, ARRAY = 0, 1, 2, 4, 6
_DO_UPDATE = 2
_FRAME_NOT_DEFAULT = 1
#: SVFOP_CURRENT_SCHEMA of primnodes.h.
_CURRENT_SCHEMA = 14


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a method's annotation says of a parameter: may it, or an element of it, be None?"""

    nullable: bool = True
    elements: bool = True


@dataclass(slots=True)
class Prover:
    """Proves columns of one statement; `parameters` are those of $1 …"""

    facts: Facts
    parameters: Sequence[Parameter] = ()
    _running: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])

    def columns(self, query: Node, outer: Levels = ()) -> list[Reason]:
        """One answer for each column that the query gives."""
        operations = query.child("setOperations")
        if operations is not None:
            levels = (level_of(query, self.facts), *outer)
            return self._set_operation(operations, levels)
        levels = (level_of(query, self.facts), *outer)
        return [self.expression(entry["expr"], levels) for entry in outputs(query)]

    def _set_operation(self, node: Node, levels: Levels) -> list[Reason]:
        if node.tag == "RANGETBLREF":
            entry = levels[0].entry(node.number("rtindex"))
            return self.columns(entry["subquery"], levels)
        left, right = (self._set_operation(node[side], levels) for side in ("larg", "rarg"))
        if node.number("op") == EXCEPT:
            return left
        if node.number("op") == INTERSECT:
            return [a and b for a, b in zip(left, right, strict=True)]
        return [a or b for a, b in zip(left, right, strict=True)]

    def expression(self, node: Any, levels: Levels) -> Reason:
        """Why an expression may be NULL, or None."""
        if not isinstance(node, Node):
            return "an expression that dbtrust does not know"
        if node.tag != "VAR" and _kept(node, levels[0]):
            return None
        rule = _RULES.get(node.tag)
        return f"dbtrust knows no rule for {node.tag}" if rule is None else rule(self, node, levels)

    def every(self, nodes: Sequence[Any], levels: Levels) -> Reason:
        """The first reason among several expressions."""
        return next((why for n in nodes if (why := self.expression(n, levels)) is not None), None)

    def var(self, node: Node, levels: Levels, ignore: frozenset[int] = frozenset()) -> Reason:
        """A column of a relation of this level or of an outer one."""
        up = node.number("varlevelsup")
        if up >= len(levels):
            return "it belongs to a query outside"
        level, number, attribute = levels[up], node.number("varno"), node.number("varattno")
        if node.number("varreturningtype"):
            return "OLD and NEW rows may be absent"
        joins = {join: why for join, why in level.extended.get(number, {}).items() if join not in ignore}
        if joins:
            return (
                f"{name_of(level, number, attribute)} is NULL where {next(iter(joins.values()))} finds no row"
            )
        if level.query.list("groupingSets") and not up:
            return "grouping sets add rows in which it is NULL"
        if (number, attribute) in level.known and not self._assigned(level, number, attribute):
            return None
        return None if attribute <= 0 else self._column(level, number, attribute, levels[up:])

    def _assigned(self, level: Level, number: int, attribute: int) -> bool:
        """Does an UPDATE set this column, so that its condition spoke of the old value?"""
        return (
            number == level.query.number("resultRelation")
            and not level.old
            and (attribute in assignments(level) or bool(self._target(level).before))
        )

    def _target(self, level: Level) -> Relation:
        return self.facts.relations[level.entry(level.query.number("resultRelation")).number("relid")]

    def _column(self, level: Level, number: int, attribute: int, levels: Levels) -> Reason:
        entry = level.entry(number)
        rule = _ENTRIES.get(entry.number("rtekind"))
        if rule is None:
            return f"{name_of(level, number, attribute)} comes from a source that dbtrust does not know"
        return rule(self, entry, number, attribute, levels)

    def relation(self, entry: Node, number: int, attribute: int, levels: Levels) -> Reason:
        relation = self.facts.relations.get(entry.number("relid"))
        if relation is None or attribute not in relation.columns:
            return "its relation is not known"
        if relation.kind in _VIEWS:
            return self._view(relation, attribute)
        column = relation.columns[attribute]
        if column.not_null or _checked(relation, attribute, self.facts):
            return None
        writes = levels[0].command in (INSERT, UPDATE) and not levels[0].old
        written = writes and number == levels[0].query.number("resultRelation")
        why = (
            self._written(relation, attribute, levels)
            if written
            else f"{relation.label}.{column.name} has no NOT NULL"
        )
        return self._generated(relation, attribute, why) if column.generated else why

    def _generated(self, relation: Relation, attribute: int, why: Reason) -> Reason:
        """A generated column is its expression over the columns beside it."""
        entry = Node("RANGETBLENTRY", {"rtekind": "0", "relid": str(relation.oid)})
        level = Level(Node("QUERY", {"rtable": [entry], "commandType": "1"}))
        expression = relation.columns[attribute].default
        return None if expression is not None and self.expression(expression, (level,)) is None else why

    def _view(self, relation: Relation, attribute: int) -> Reason:
        if relation.query is None:
            return f"{relation.label} has no definition"
        why = self.columns(relation.query)[attribute - 1]
        return None if why is None else f"view {relation.label}: {why}"

    def _written(self, relation: Relation, attribute: int, levels: Levels) -> Reason:
        """A column of a row that this statement wrote: what it was set to, unless a trigger or a conflict intervenes."""
        level, name = levels[0], f"{relation.label}.{relation.columns[attribute].name}"
        event = "insert" if level.command == INSERT else "update"
        if event in relation.before or event in relation.rules:
            return f"{name} has no NOT NULL, and a trigger or rule may change it"
        conflict = level.query.child("onConflict")
        if conflict is not None and conflict.number("action") == _DO_UPDATE:
            return f"{name} has no NOT NULL, and the row may be an older one"
        if attribute in (assigned := assignments(level)):
            why = self.expression(assigned[attribute], (replace(level, old=True), *levels[1:]))
        elif level.command == UPDATE:
            return (
                None
                if (level.query.number("resultRelation"), attribute) in level.known
                else f"{name} has no NOT NULL"
            )
        else:
            default = relation.columns[attribute].default
            why = f"{name} gets no value" if default is None else self.expression(default, levels)
        return None if why is None else f"{name} has no NOT NULL: {why}"

    def subquery(self, entry: Node, number: int, attribute: int, levels: Levels) -> Reason:
        return self.columns(entry["subquery"], levels)[attribute - 1]

    def join(self, entry: Node, number: int, attribute: int, levels: Levels) -> Reason:
        """A merged column of USING; in a FULL JOIN one side at least has a row."""
        value = entry.list("joinaliasvars")[attribute - 1]
        if value.tag == "COALESCEEXPR" and all(a.tag == "VAR" for a in value.list("args")):
            own = frozenset({number})
            return self.var(value.list("args")[0], levels, own) or self.var(
                value.list("args")[1], levels, own
            )
        return self.expression(value, levels)

    def function(self, entry: Node, number: int, attribute: int, levels: Levels) -> Reason:
        functions = entry.list("functions")
        count = sum(f.number("funccolcount") for f in functions)
        if attribute > count:
            return None  # WITH ORDINALITY
        call = functions[0].child("funcexpr")
        if len(functions) != 1 or count != 1 or call is None:
            return "a column of a set-returning function may be NULL"
        known = self.facts.functions.get(call.number("funcid")) if call.tag == "FUNCEXPR" else None
        if known is None or not known.returns_set:
            return self.expression(call, levels)
        return self._set(call, known, levels)

    def _set(self, call: Node, known: Function, levels: Levels) -> Reason:
        """The values of a set; a strict function of NULL gives no row."""
        if known.builtin and known.name in builtins.TOTAL_SETS:
            return None
        if known.builtin and known.name == "unnest":
            return self.elements(call.list("args")[0], levels)
        return f"{known.name}() may give NULL"

    def elements(self, array: Node, levels: Levels) -> Reason:
        """The elements of an array."""
        while array.tag in ("ARRAYCOERCEEXPR", "RELABELTYPE"):
            array = array["arg"]
        if array.tag == "ARRAYEXPR":
            return self.every(array.list("elements"), levels)
        if array.tag == "PARAM" and not self._parameter(array).elements:
            return None
        return "an element of an array may be NULL"

    def _parameter(self, node: Node) -> Parameter:
        place = node.number("paramid") - 1
        known = node.number("paramkind") == 0 and 0 <= place < len(self.parameters)
        return self.parameters[place] if known else Parameter()

    def values(self, entry: Node, number: int, attribute: int, levels: Levels) -> Reason:
        return self.every([row[attribute - 1] for row in entry.list("values_lists")], levels)

    def cte(self, entry: Node, number: int, attribute: int, levels: Levels) -> Reason:
        """A recursive term may take for granted what is being proven: each row comes from an earlier one."""
        up, name = entry.number("ctelevelsup"), entry["ctename"]
        for cte in levels[up].query.list("cteList") if up < len(levels) else ():
            if cte["ctename"] == name:
                mark = (id(cte), attribute)
                if mark in self._running:
                    return None
                self._running.add(mark)
                try:
                    found = self.columns(cte["ctequery"], levels[up:])
                    return found[attribute - 1] if attribute <= len(found) else "SEARCH and CYCLE add it"
                finally:
                    self._running.discard(mark)
        return f"the common table expression {name} is not known"

    def group(self, entry: Node, number: int, attribute: int, levels: Levels) -> Reason:
        return self.expression(entry.list("groupexprs")[attribute - 1], levels)

    @contextmanager
    def assuming(self, levels: Levels, expressions: Sequence[Node]) -> Generator[Levels]:
        """The same levels with more expressions known to be there."""
        inner = replace(
            levels[0],
            known=levels[0].known | keys_of(expressions),
            kept=[*levels[0].kept, *expressions],
        )
        yield (inner, *levels[1:])

    def function_call(self, node: Node, levels: Levels) -> Reason:
        known, arguments = self.facts.functions.get(node.number("funcid")), node.list("args")
        if known is None:
            return "its function is not known"
        if known.returns_set:
            alone = sum(self._gives_set(entry["expr"]) for entry in outputs(levels[0].query)) == 1
            return (
                self._set(node, known, levels) if alone else "the shorter of several sets is filled with NULL"
            )
        why = self.every(arguments, levels)
        if known.builtin and known.name in builtins.ALWAYS and not node.flag("funcvariadic"):
            return None
        if known.builtin and known.name == "concat_ws" and not node.flag("funcvariadic"):
            return self.expression(arguments[0], levels)
        return why if why is not None or builtins.total(known) else f"{known.name}() may give NULL"

    def _gives_set(self, expression: Node) -> bool:
        calls = (n for n in walk(expression) if n.tag == "FUNCEXPR")
        known = (self.facts.functions.get(n.number("funcid")) for n in calls)
        return any(function is not None and function.returns_set for function in known)

    def operator(self, node: Node, levels: Levels) -> Reason:
        known = self.facts.operators.get(node.number("opno"))
        if known is None:
            return "its operator is not known"
        why = self.every(node.list("args"), levels)
        sure = known.builtin and known.name in builtins.TOTAL_OPERATORS
        if why is None and not (sure and "G" not in known.categories):
            return f"the operator {known.name} may give NULL"
        return why

    def aggregate(self, node: Node, levels: Levels) -> Reason:
        known = self.facts.functions.get(node.number("aggfnoid"))
        if known is None or not known.builtin:
            return "its aggregate is not known"
        if known.name in builtins.COUNTS:
            return None
        if known.name not in builtins.AGGREGATES:
            return f"{known.name}() may give NULL"
        if not levels[0].grouped or node.number("agglevelsup"):
            return f"{known.name}() of no row is NULL"
        if node.child("aggfilter") is not None:
            return f"{known.name}() is NULL where its FILTER lets no row through"
        if known.name in builtins.AGGREGATES_OF_ROWS:
            return None
        return self._arguments(node, levels)

    def _arguments(self, node: Node, levels: Levels) -> Reason:
        arguments = [entry["expr"] for entry in node.list("args")[:1]] + node.list("aggdirectargs")
        return self.every(arguments, levels)

    def window(self, node: Node, levels: Levels) -> Reason:
        known, arguments = self.facts.functions.get(node.number("winfnoid")), node.list("args")
        if known is None or not known.builtin:
            return "its window function is not known"
        if known.name in builtins.COUNTS:
            return None
        if known.name in builtins.TOTAL_FUNCTIONS:
            return self.every(arguments, levels)
        clauses = levels[0].query.list("windowClause")
        options = clauses[node.number("winref") - 1].number("frameOptions")
        plain = not options & _FRAME_NOT_DEFAULT and node.child("aggfilter") is None
        if known.name in builtins.AGGREGATES and plain:
            return None if known.name in builtins.AGGREGATES_OF_ROWS else self.every(arguments[:1], levels)
        return f"{known.name}() may give NULL"

    def case(self, node: Node, levels: Levels) -> Reason:
        """Each result under what its condition says, the last one under what the conditions did not."""
        refused: list[Node] = []
        for arm in node.list("args"):
            with self.assuming(levels, [*refused, *implied(arm["expr"], self.facts)]) as inner:
                if (why := self.expression(arm["result"], inner)) is not None:
                    return why
            refused += implied(arm["expr"], self.facts, true=False)
        with self.assuming(levels, refused) as inner:
            return (
                self.expression(node.get("defresult"), inner) if node.get("defresult") else "CASE has no ELSE"
            )

    def any_of(self, nodes: Sequence[Any], levels: Levels) -> Reason:
        """COALESCE, GREATEST and LEAST need one argument that is there."""
        reasons = [self.expression(n, levels) for n in nodes]
        return None if None in reasons else reasons[-1] or "no argument"

    def sublink(self, node: Node, levels: Levels) -> Reason:
        kind, query = node.number("subLinkType"), node["subselect"]
        if kind in (EXISTS, ARRAY):
            return None
        if kind == EXPRESSION:
            if not at_least_one(query, self.facts, levels):
                return "a scalar subquery without a row is NULL"
            return self.columns(query, levels)[0]
        if kind in (ALL, ANY):
            test = node.child("testexpr")
            left = test.list("args")[0] if test is not None and test.tag == "OPEXPR" else None
            return self.expression(left, levels) or next(filter(None, self.columns(query, levels)), None)
        return "this kind of subquery may be NULL"

    def array_operator(self, node: Node, levels: Levels) -> Reason:
        left, array = node.list("args")
        return self.expression(left, levels) or self.expression(array, levels) or self.elements(array, levels)

    def to_domain(self, node: Node, levels: Levels) -> Reason:
        if node.number("resulttype") in self.facts.not_null_types:
            return None
        return self.expression(node.get("arg"), levels)

    def parameter(self, node: Node, levels: Levels) -> Reason:
        return f"${node.number('paramid')} may be None" if self._parameter(node).nullable else None

    def json_constructor(self, node: Node, levels: Levels) -> Reason:
        return None if node.number("type") in (1, 2) else self.expression(node.get("func"), levels)


def _checked(relation: Relation, attribute: int, facts: Facts) -> bool:
    """Does a validated CHECK say IS NOT NULL of the column? Such a test is never NULL itself, so it binds."""

    def tests(tree: Node | None) -> Iterator[Node]:
        if tree is None:
            return
        if tree.tag == "BOOLEXPR" and tree.get("boolop") == "and":
            for part in tree.list("args"):
                yield from tests(part)
        elif tree.tag == "NULLTEST":
            yield tree

    found = [
        e for _, _, tree in relation.checks.values() for test in tests(tree) for e in implied(test, facts)
    ]
    key: Key = (1, attribute)
    return key in keys_of([e for e in found if e.tag == "VAR"])


def _kept(expression: Node, level: Level) -> bool:
    """Do the conditions of the level say that this expression is there, in every row that is given?"""
    if level.query.list("groupingSets"):
        return False
    target = level.query.number("resultRelation") if level.command == UPDATE and not level.old else 0
    loose = {*level.extended, target}
    if any(v.number("varno") in loose for v in variables(expression)):
        return False
    return any(same(expression, kept) for kept in level.kept)


Rule = Callable[[Prover, Node, Levels], Reason]


def _variable(prover: Prover, node: Node, levels: Levels) -> Reason:
    return prover.var(node, levels)


def _never(_prover: Prover, _node: Node, _levels: Levels) -> Reason:
    return None


def _argument(prover: Prover, node: Node, levels: Levels) -> Reason:
    return prover.expression(node.get("arg"), levels)


def _arguments(prover: Prover, node: Node, levels: Levels) -> Reason:
    return prover.every(node.list("args"), levels)


def _some(prover: Prover, node: Node, levels: Levels) -> Reason:
    return prover.any_of(node.list("args"), levels)


def _constant(_prover: Prover, node: Node, _levels: Levels) -> Reason:
    return "it is NULL as written" if node.flag("constisnull") else None


def _null_if(_prover: Prover, _node: Node, _levels: Levels) -> Reason:
    return "NULLIF gives NULL where both are equal"


def _field(_prover: Prover, _node: Node, _levels: Levels) -> Reason:
    return "a field of a composite value may be NULL"


def _element(_prover: Prover, _node: Node, _levels: Levels) -> Reason:
    return "an element of an array may be NULL or absent"


def _row_comparison(prover: Prover, node: Node, levels: Levels) -> Reason:
    return prover.every([*node.list("largs"), *node.list("rargs")], levels)


def _value_of_session(_prover: Prover, node: Node, _levels: Levels) -> Reason:
    return "the search path may name no schema" if node.number("op") == _CURRENT_SCHEMA else None


_RULES: dict[str, Rule] = {
    "VAR": _variable,
    "CONST": _constant,
    "PARAM": Prover.parameter,
    "FUNCEXPR": Prover.function_call,
    "OPEXPR": Prover.operator,
    "SCALARARRAYOPEXPR": Prover.array_operator,
    "BOOLEXPR": _arguments,
    "COALESCEEXPR": _some,
    "MINMAXEXPR": _some,
    "NULLIFEXPR": _null_if,
    "CASEEXPR": Prover.case,
    "AGGREF": Prover.aggregate,
    "WINDOWFUNC": Prover.window,
    "SUBLINK": Prover.sublink,
    "RELABELTYPE": _argument,
    "COERCEVIAIO": _argument,
    "ROWCOMPAREEXPR": _row_comparison,
    "FIELDSELECT": _field,
    "SUBSCRIPTINGREF": _element,
    "SQLVALUEFUNCTION": _value_of_session,
    "ARRAYCOERCEEXPR": _argument,
    "CONVERTROWTYPEEXPR": _argument,
    "COLLATEEXPR": _argument,
    "COERCETODOMAIN": Prover.to_domain,
    "JSONCONSTRUCTOREXPR": Prover.json_constructor,
} | dict.fromkeys(
    ("NULLTEST", "BOOLEANTEST", "DISTINCTEXPR", "ARRAYEXPR", "ROWEXPR", "GROUPINGFUNC", "NEXTVALUEEXPR",
     "MERGESUPPORTFUNC"), _never,
)  # fmt: skip

_ENTRIES: dict[int, Callable[[Prover, Node, int, int, Levels], Reason]] = {
    0: Prover.relation, 1: Prover.subquery, 2: Prover.join, 3: Prover.function, 5: Prover.values, 6: Prover.cte,
    9: Prover.group,
}  # fmt: skip
