"""Values for the parameters of a query that has no example: frequent, rare and absent ones, from the statistics."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import dict_row

from dbtrust.engine.postgres import sql
from dbtrust.engine.postgres.analysis import analyse
from dbtrust.engine.postgres.describe import Described, describe
from dbtrust.engine.postgres.errors import Failure
from dbtrust.engine.postgres.trial import load_as, try_query
from dbtrust.judge.candidates import of_type, probes
from dbtrust.judge.contracts.links import comparisons
from dbtrust.judge.drawing import Drawable, Kind, choose_text
from dbtrust.model.facts import Analysed, Facts
from dbtrust.model.tree import walk

Connection = psycopg.Connection[Any]
KINDS: tuple[Kind, ...] = ("common", "rare", "absent")
#: So many rows of an expression are looked at.
_SAMPLE = 1_000
#: Sets of values that are tried at most.
_SETS = 16
#: A kind for each parameter; None is NULL.
_Mix = tuple[Kind | None, ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """One set of values for $1 …; `label` names it: "drawn common: status = 'active'"."""

    label: str
    values: tuple[Any, ...]


def draw(connection: Connection, text: str, names: Sequence[str]) -> list[Drawn]:
    """Sets of values, equal ones once; none where the server does not tell the parameters' types.

    First every parameter is of one kind, then one at a time differs from frequent ones, and a parameter that the
    query compares with NULL is NULL. `text` has $1 … for `names`. Raises psycopg.Error only where the connection
    is lost.
    """
    try:
        described = describe(connection, text, [0] * len(names))
    except psycopg.Error:
        if connection.closed:
            raise
        return []
    drawer = _Drawer(connection, text, described, analyse(connection, text, described.parameter_names))
    found: dict[tuple[str | None, ...], Drawn] = {}
    for mix in _mixes(len(names), drawer.nullable()):
        texts = tuple(drawer.text(kind, place + 1) if kind else None for place, kind in enumerate(mix))
        with suppress(psycopg.Error):
            values = tuple(
                None if t is None else load_as(connection, t, oid)
                for t, oid in zip(texts, described.parameters, strict=True)
            )
            found.setdefault(texts, Drawn(_label(mix, names, texts), values))
    return list(found.values())[:_SETS]


def _mixes(count: int, nullable: set[int]) -> Iterator[_Mix]:
    """`nullable` are places from 0."""
    for kind in KINDS:
        yield (kind,) * count
    base: _Mix = ("common",) * count
    for place in sorted(nullable):
        yield (*base[:place], None, *base[place + 1 :])
    for place in range(count if count > 1 else 0):
        for kind in KINDS[1:]:
            yield (*base[:place], kind, *base[place + 1 :])


def _label(mix: _Mix, names: Sequence[str], texts: Sequence[str | None]) -> str:
    kind = mix[0] if len(set(mix)) == 1 else "mixed"
    shown = ("NULL" if t is None else repr(t) for t in texts)
    return f"drawn {kind}: " + ", ".join(f"{n} = {t}" for n, t in zip(names, shown, strict=True))


@dataclass(slots=True)
class _Drawer:
    """What each parameter is compared with, and what is known of those columns."""

    connection: Connection
    text_of_query: str
    described: Described
    analysed: Analysed
    columns: dict[tuple[str, str, str], Drawable] = field(
        default_factory=dict[tuple[str, str, str], Drawable]
    )

    def nullable(self) -> set[int]:
        """The places (from 0) of the parameters that the query compares with NULL itself."""
        trees = [self.analysed.tree] if self.analysed.tree is not None else []
        tests = [n.child("arg") for tree in trees for n in walk(tree) if n.tag == "NULLTEST"]
        return {p.number("paramid") - 1 for test in tests if test for p in walk(test) if p.tag == "PARAM"}

    def text(self, kind: Kind, number: int) -> str:
        """The literal of $number."""
        type_name = self.described.parameter_names[number - 1]
        for operator, drawable in self._compared().get(number, ()):
            found = choose_text(drawable, operator, kind, between=self._both_ends(number))
            if found is not None:
                return found
        if number in self._limits():
            return "20"
        probed = self._probed(number, kind)
        return probed if probed is not None else of_type(type_name)[0]

    def _compared(self) -> Mapping[int, list[tuple[str, Drawable]]]:
        found: defaultdict[int, list[tuple[str, Drawable]]] = defaultdict(list)
        if self.analysed.tree is not None:
            for number, operator, (_, oid, attribute) in comparisons(self.analysed.tree, self.analysed.facts):
                if (column := _names(self.analysed.facts, oid, attribute)) is not None:
                    found[number].append((operator, self._drawable(column)))
        return found

    def _both_ends(self, number: int) -> bool:
        """Is the column of this parameter bounded by another one from the other side?"""
        if self.analysed.tree is None:
            return False
        pairs = comparisons(self.analysed.tree, self.analysed.facts)
        own = {(column, operator[0]) for n, operator, column in pairs if n == number}
        others = {(column, operator[0]) for n, operator, column in pairs if n != number}
        return any((column, {"<": ">", ">": "<"}.get(operator, "")) in others for column, operator in own)

    def _drawable(self, column: tuple[str, str, str]) -> Drawable:
        if column not in self.columns:
            values: dict[str, str] = dict(zip(("schema", "table", "column"), column, strict=True))
            with self.connection.cursor(row_factory=dict_row) as cursor:
                row = cursor.execute(sql.load("column_statistics"), values).fetchone() or {}
            self.columns[column] = Drawable(tuple(row.get("common") or ()), tuple(row.get("bounds") or ()))
        return self.columns[column]

    def _limits(self) -> set[int]:
        """The parameters of LIMIT."""
        trees = [self.analysed.tree] if self.analysed.tree is not None else []
        limits = [n.child("limitCount") for tree in trees for n in walk(tree) if n.tag == "QUERY"]
        return {p.number("paramid") for limit in limits if limit for p in walk(limit) if p.tag == "PARAM"}

    def _probed(self, number: int, kind: Kind) -> str | None:
        """Where an expression must equal the parameter: what it gives for the rows that there are."""
        query = probes(self.text_of_query).get(number)
        given = try_query(self.connection, query, [], _SAMPLE) if query else None
        if given is None or isinstance(given, Failure):
            return None
        counts: defaultdict[str, int] = defaultdict(int)
        for row in given[1]:
            if row[0] is not None:
                counts[str(row[0])] += 1
        ranked = sorted(counts, key=lambda value: -counts[value])
        return choose_text(Drawable(tuple(ranked), ()), "=", kind)


def _names(facts: Facts, oid: int, attribute: int) -> tuple[str, str, str] | None:
    relation = facts.relations.get(oid)
    column = relation.columns.get(attribute) if relation else None
    return (relation.schema, relation.name, column.name) if relation and column else None
