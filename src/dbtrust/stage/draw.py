"""Values for the parameters of a query that has no example: frequent, rare and absent ones, from the statistics."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
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


@dataclass(frozen=True, slots=True)
class Drawn:
    """One set of values for $1 …; `label` names it: "drawn common: status = 'active'"."""

    label: str
    values: tuple[Any, ...]


def draw(connection: Connection, text: str, names: Sequence[str]) -> list[Drawn]:
    """A set of each kind, equal ones once; none where the server does not tell the parameters' types.

    `text` has $1 … for `names`. Raises psycopg.Error only where the connection is lost.
    """
    try:
        described = describe(connection, text, [0] * len(names))
    except psycopg.Error:
        if connection.closed:
            raise
        return []
    drawer = _Drawer(connection, text, described, analyse(connection, text, described.parameter_names))
    found: dict[tuple[str, ...], Drawn] = {}
    for kind in KINDS:
        texts = tuple(drawer.text(kind, number) for number in range(1, len(names) + 1))
        with suppress(psycopg.Error):
            values = tuple(
                load_as(connection, t, oid) for t, oid in zip(texts, described.parameters, strict=True)
            )
            said = ", ".join(f"{name} = {value!r}" for name, value in zip(names, texts, strict=True))
            found.setdefault(texts, Drawn(f"drawn {kind}: {said}", values))
    return list(found.values())


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
