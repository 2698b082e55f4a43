"""The search for rows that break what a signature promises: rows are inserted, the query runs, all is rolled back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

import psycopg
from psycopg import sql

from dbtrust.engine.postgres.analysis import relations_named
from dbtrust.engine.postgres.errors import Failure
from dbtrust.engine.postgres.trial import load_as, shown, some_rows, try_insert, try_query, whole
from dbtrust.engine.postgres.values import as_sent
from dbtrust.judge.candidates import literals, of_type, pools, probes
from dbtrust.judge.contracts.links import Atom, Classes, classes
from dbtrust.model.facts import Analysed, Relation
from dbtrust.stage.rows import Mode, Rows, Values

Connection = psycopg.Connection[Any]
#: A search ends after so many trials, never after some time: its outcome must not depend on the machine.
TRIALS = 160
_FETCH = 20
_TABLES = frozenset("rp")
_QUERY_CANCELED = "57014"


@dataclass(frozen=True, slots=True)
class Argument:
    """A parameter: its type on the server (OID and name), values to prefer, and whether a value is one that the method may get."""

    name: str
    type: int
    type_name: str
    values: Sequence[Any] = ()
    accepts: Callable[[Any], bool] = lambda _value: True


MADE = "rows that were made for it"


@dataclass(frozen=True, slots=True)
class CounterExample:
    """What was inserted, what the query was given and what it gave."""

    inserts: tuple[str, ...]
    arguments: Mapping[str, Any]
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    source: str = MADE

    def evidence(self) -> dict[str, Any]:
        """JSON-like."""
        return {
            "from": self.source,
            "inserts": list(self.inserts),
            "parameters": {name: _plain(value) for name, value in self.arguments.items()},
            "columns": list(self.columns),
            "rows": [[_plain(value) for value in row] for row in self.rows],
        }


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


#: Gives the offending rows among those that a query gave, or None where the promise was kept.
Broken = Callable[[Sequence[tuple[Any, ...]]], Sequence[tuple[Any, ...]] | None]


@dataclass(slots=True)
class Search:
    """Trials of one query on a database without data; `sample` may hold the project's data, to learn from its rows."""

    connection: Connection
    analysed: Analysed
    text: str
    arguments: Sequence[Argument]
    sample: Connection | None = None
    #: A query that runs into the time limit is not tried again and again.
    stopped: bool = False
    _texts: dict[tuple[int, str], Any] = field(default_factory=dict[tuple[int, str], Any])

    def run(self, promises: Mapping[str, Broken]) -> dict[str, CounterExample]:
        """A counter-example for each promise that could be broken."""
        relations, found = self._relations(), dict[str, CounterExample]()
        if self.analysed.tree is None:
            return found
        links = classes(self.analysed.tree, self.analysed.facts)
        known = pools([self.text, *(f"SELECT {c[1]}" for r in relations.values() for c in r.checks.values())])
        templates = self._templates(relations)
        random, wanted = Random(1), probes(self.text)
        for mode in _modes(relations, self._named(relations), random):
            if len(found) == len(promises):
                break
            open_ = {name: broken for name, broken in promises.items() if name not in found}
            with self.connection.transaction(force_rollback=True):
                linked = self._linked(links, relations, known, random, mode)
                rows = Rows(self.connection, relations, known, random, mode, linked.columns, templates)
                rows.fill()
                arguments = self._probed(wanted, linked.arguments)
                given = self._try(arguments)
                if self.stopped:
                    break
                broken_now = [
                    name for name, broken in open_.items() if given and broken(given[1]) is not None
                ]
            for name in broken_now:
                found[name] = self._smallest(rows.inserted, arguments or [], promises[name])
        return found

    def _probed(self, wanted: Mapping[int, str], arguments: list[Any] | None) -> list[Any] | None:
        """The arguments with those that an expression must equal taken from the rows that were inserted."""
        for number, query in wanted.items() if arguments is not None else ():
            given = try_query(self.connection, query, [], 1)
            rows = [] if isinstance(given, Failure) else given[1]
            if (
                arguments
                and rows
                and rows[0][0] is not None
                and self.arguments[number - 1].accepts(rows[0][0])
            ):
                arguments = [*arguments[: number - 1], rows[0][0], *arguments[number:]]
        return arguments

    def _try(self, arguments: list[Any] | None) -> tuple[list[str], list[tuple[Any, ...]]] | None:
        if arguments is None or not whole(self.connection):
            return None
        given = try_query(self.connection, self.text, [as_sent(v) for v in arguments], _FETCH)
        if isinstance(given, Failure):
            self.stopped = self.stopped or given.sqlstate == _QUERY_CANCELED
            return None
        return given

    def _smallest(self, inserts: list[sql.Composed], arguments: list[Any], broken: Broken) -> CounterExample:
        """The same without the rows that it does not need: each INSERT is left out in turn."""
        kept, example = list(inserts), self._repeat(inserts, arguments, broken)
        for statement in reversed(inserts):
            fewer = [s for s in kept if s is not statement]
            smaller = self._repeat(fewer, arguments, broken)
            if smaller is not None:
                kept, example = fewer, smaller
        assert example is not None
        return example

    def _repeat(
        self, inserts: list[sql.Composed], arguments: list[Any], broken: Broken
    ) -> CounterExample | None:
        with self.connection.transaction(force_rollback=True):
            if any(try_insert(self.connection, statement) is not None for statement in inserts):
                return None
            given = self._try(arguments)
            offending = broken(given[1]) if given is not None else None
            if given is None or offending is None:
                return None
            names = [argument.name for argument in self.arguments]
            texts = tuple(shown(self.connection, statement) for statement in inserts)
            values = dict(zip(names, arguments, strict=True))
            return CounterExample(texts, values, tuple(given[0]), tuple(offending))

    def _relations(self) -> dict[int, Relation]:
        """The tables of the query and every table that their foreign keys need."""
        found = {oid: r for oid, r in self.analysed.facts.relations.items() if r.kind in _TABLES}
        while missing := {k.target for r in found.values() for k in r.foreign_keys} - set(found):
            more = relations_named(self.connection, sorted(missing))
            found |= more
            if set(more) != missing:
                break
        return found

    def _named(self, relations: Mapping[int, Relation]) -> list[int]:
        return [oid for oid in relations if oid in self.analysed.facts.relations]

    def _templates(self, relations: Mapping[int, Relation]) -> dict[int, list[Values]]:
        found: dict[int, list[Values]] = {}
        for oid, relation in relations.items() if self.sample is not None else ():
            columns = [c.name for c in relation.columns.values() if not c.generated]
            assert self.sample is not None
            with suppress(psycopg.Error):
                found[oid] = [
                    dict(r) for r in some_rows(self.sample, relation.schema, relation.name, columns, 5)
                ]
        return found

    def _linked(
        self, links: Classes, relations: Mapping[int, Relation], known: Mapping[str, Sequence[str]], random: Random, mode: Mode
    ) -> _Linked:  # fmt: skip
        """One value for each class of columns and parameters that the query compares by `=`."""
        chooser = _Chooser(self, links, relations, known, random, mode)
        arguments = chooser.arguments()
        columns: dict[tuple[int, int], list[str]] = {}
        for oid, relation in relations.items():
            for number in relation.columns:
                atom = ("column", oid, number)
                text = chooser.text(links.of(atom), atom) if links.linked(atom) else None
                texts = [text] if text is not None else []
                columns[oid, number] = list(dict.fromkeys([*texts, *chooser.offered.get((oid, number), ())]))
        return _Linked(columns, arguments)

    def value(self, place: int, text: str) -> Any:
        """A text as the Python value of parameter `place` (from 0). Raises ValueError where it is none."""
        key = (place, text)
        if key not in self._texts:
            self._texts[key] = self._load(place, text)
        if isinstance(self._texts[key], _Unfit):
            raise ValueError(text)
        return self._texts[key]

    def _load(self, place: int, text: str) -> Any:
        argument = self.arguments[place]
        try:
            loaded = load_as(self.connection, text, argument.type)
        except psycopg.Error:
            if self.connection.closed:
                raise
            return _Unfit()
        return loaded if argument.accepts(loaded) else _Unfit()

    def text_of(self, value: Any) -> str | None:
        """A Python value as the server writes it."""
        given = try_query(self.connection, "SELECT ($1)::text", [as_sent(value)], 1)
        return None if isinstance(given, Failure) else given[1][0][0]


class _Unfit:
    """Marks a text that is no value of the parameter."""


@dataclass(frozen=True, slots=True)
class _Linked:
    columns: Mapping[tuple[int, int], Sequence[str]]
    arguments: list[Any] | None


@dataclass(slots=True)
class _Chooser:
    """Draws one text for each class, and from it the value of each parameter."""

    search: Search
    links: Classes
    relations: Mapping[int, Relation]
    known: Mapping[str, Sequence[str]]
    random: Random
    mode: Mode
    chosen: dict[Atom, str | None] = field(default_factory=dict[Atom, "str | None"])
    offered: dict[tuple[int, int], list[str]] = field(default_factory=dict[tuple[int, int], list[str]])
    used: set[str] = field(default_factory=set[str])

    def arguments(self) -> list[Any] | None:
        """The values of $1 …, or None where one could not be found."""
        found: list[Any] = []
        for place, argument in enumerate(self.search.arguments):
            try:
                found.append(self._argument(place, argument))
            except ValueError:
                return None
        return found

    def _argument(self, place: int, argument: Argument) -> Any:
        if not self.mode.plain and self.random.random() < 0.2 and argument.accepts(None):
            return None
        atom = ("parameter", place + 1, 0)
        if self.links.linked(atom):
            return self._of_class(place, argument, atom)
        if self.links.either.get(place + 1):
            return self._offer(place, argument, self.links.either[place + 1])
        if argument.values and self.random.random() < 0.8:
            return argument.values[0 if self.mode.plain else self.random.randrange(len(argument.values))]
        return self._drawn(place, [*of_type(argument.type_name)])

    def _offer(self, place: int, argument: Argument, columns: Sequence[Atom]) -> Any:
        """A parameter that may equal a column: another value for each parameter, several for an array."""
        relation = self.relations.get(columns[0][1])
        if relation is None:
            return self._drawn(place, [*of_type(argument.type_name)])
        column = relation.columns[columns[0][2]]
        texts = [t for t in literals(column, self.known.get(column.name, ())) if t not in self.used]
        if not self.mode.plain:
            self.random.shuffle(texts)
        array = argument.type_name.endswith("[]")
        for count in (3, 1) if array else (1,):
            for start in range(len(texts) - count + 1):
                with suppress(ValueError):
                    return self._offered(place, columns, texts[start : start + count], array)
        raise ValueError(argument.name)

    def _offered(self, place: int, columns: Sequence[Atom], texts: list[str], array: bool) -> Any:
        value = self.search.value(place, "{" + ",".join(map(_quoted, texts)) + "}" if array else texts[0])
        self.used.update(texts)
        for _, oid, number in columns:
            self.offered.setdefault((oid, number), []).extend(texts)
        return value

    def _of_class(self, place: int, argument: Argument, atom: Atom) -> Any:
        representative = self.links.of(atom)
        if representative not in self.chosen and argument.values:
            value = argument.values[0 if self.mode.plain else self.random.randrange(len(argument.values))]
            self.chosen[representative] = self.search.text_of(value)
            if self.chosen[representative] is not None:
                return value
        text = self.text(representative, atom)
        texts = [text] if text is not None else []
        for candidate in [*texts, *of_type(argument.type_name)]:
            with suppress(ValueError):
                value = self.search.value(place, candidate)
                self.chosen[representative] = candidate
                return value
        raise ValueError(argument.name)

    def _drawn(self, place: int, texts: list[str]) -> Any:
        if not self.mode.plain:
            self.random.shuffle(texts)
        for text in texts:
            with suppress(ValueError):
                return self.search.value(place, text)
        raise ValueError(self.search.arguments[place].name)

    def text(self, representative: Atom, atom: Atom) -> str | None:
        """The text of a class, drawn from what its first column may hold."""
        if representative not in self.chosen:
            self.chosen[representative] = self._draw(representative, atom)
        return self.chosen[representative]

    def _draw(self, representative: Atom, atom: Atom) -> str | None:
        for candidate in (atom, representative, *self._columns(representative)):
            relation = self.relations.get(candidate[1]) if candidate[0] == "column" else None
            if relation is not None and candidate[2] in relation.columns:
                column = relation.columns[candidate[2]]
                found = literals(column, self.known.get(column.name, ()))
                return found[0] if self.mode.plain else self.random.choice(found)
        return None

    def _columns(self, representative: Atom) -> Iterator[Atom]:
        for oid, relation in self.relations.items():
            for number in relation.columns:
                atom = ("column", oid, number)
                if self.links.linked(atom) and self.links.of(atom) == representative:
                    yield atom


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _modes(relations: Mapping[int, Relation], named: Sequence[int], random: Random) -> Iterator[Mode]:
    """Empty tables, then one row, two rows, a table left out or doubled, then anything."""
    yield Mode({}, 0, 1)
    for count in (1, 2):
        for nulls in (1.0, 0.0):
            yield Mode(dict.fromkeys(named, count), nulls, 1)
    for oid in named:
        for count in (0, 2):
            for nulls in (0.0, 1.0):
                yield Mode({**dict.fromkeys(named, 1), oid: count}, nulls, 1)
    for _ in range(TRIALS):
        counts = {oid: random.choice((0, 1, 1, 1, 2, 3)) for oid in named}
        yield Mode(counts, random.choice((0.0, 0.3, 0.6)), random.choice((1.0, 0.6, 0.0)), plain=False)
