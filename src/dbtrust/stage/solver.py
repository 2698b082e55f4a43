"""Values that keep or break the checks of a table: candidates are made, the server says what each check thinks of them.

No row is inserted for it: one SELECT evaluates the checks' own expressions over thousands of candidate rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from random import Random
from typing import Any

import psycopg

from dbtrust.engine.postgres.attempts import RAISES, Answer, evaluate, readable
from dbtrust.judge.edges import beside, days_of, edges
from dbtrust.model.constraints import Table
from dbtrust.model.facts import Column

Values = dict[str, str | None]
Change = Mapping[str, str | None]
#: How many rows one question holds, how many pairs of changes are tried, how many random rows, how many rounds.
ROWS, PAIRS, RANDOM, ROUNDS = 1_500, 4_500, 2_000, 12


@dataclass(frozen=True, slots=True)
class Test:
    """An expression over a table's columns. `wanted`: it must be true; else it must not be false."""

    name: str
    text: str
    columns: frozenset[str]
    wanted: bool = False

    def kept(self, answer: Answer) -> bool:
        """Does an answer of the server keep the rule? NULL keeps a CHECK."""
        return answer is True if self.wanted else answer is True or answer is None


@dataclass(slots=True)
class Solver:
    """The checks of one table; `pools` are constants by column; `groups` say which values columns may have together.

    `taken` are the values that a key may not have again: column names and the tuples that are there.
    """

    connection: psycopg.Connection[Any]
    table: Table
    tests: list[Test]
    pools: Mapping[str, Sequence[str]]
    groups: list[list[Change]] = field(default_factory=list[list[Change]])
    taken: list[tuple[tuple[str, ...], set[tuple[str | None, ...]]]] = field(
        default_factory=list[tuple[tuple[str, ...], set[tuple[str | None, ...]]]]
    )
    #: All tests of the table; `tests` are those that stand now.
    every: list[Test] = field(default_factory=list[Test])
    known: dict[tuple[str, tuple[str, ...]], list[str]] = field(
        default_factory=dict[tuple[str, tuple[str, ...]], list[str]]
    )
    _options: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def options(self, column: Column) -> list[str]:
        """Literals that the server reads as the column's type, those that its rules speak of first."""
        if column.name not in self._options:
            kind = column.plain or column.type
            texts = edges(column, self.pools.get(column.name, ()))
            key = (kind, tuple(texts))
            if key not in self.known:
                self.known[key] = readable(self.connection, kind, texts)
            self._options[column.name] = self.known[key]
        return self._options[column.name]

    def satisfied(self, values: Values, fixed: frozenset[str], tests: Sequence[Test] = ()) -> Values:
        """The row with its free columns changed until every check is kept; as near to that as could be found."""
        tests = [*self.tests, *tests]
        best, bad = values, self._bad(values, tests)
        for round_ in range(ROUNDS):
            found = self._nearer(best, bad, fixed, tests, Random(round_)) if bad else None
            if found is None:
                return best
            best, bad = found, self._bad(found, tests)
        return best

    def _nearer(
        self, values: Values, bad: Sequence[Test | tuple[str, ...]], fixed: frozenset[str], tests: Sequence[Test],
        random: Random,
    ) -> Values | None:  # fmt: skip
        """A row that breaks fewer tests: the columns of each broken one are tried, then those that hang on them."""
        seen: set[frozenset[str]] = set()
        for wide in (False, True):
            for test in bad:
                columns = self._columns(test, tests, wide=wide)
                if columns in seen:
                    continue
                seen.add(columns)
                found = self._better(values, columns, fixed, tests, len(bad), random)
                if found is not None:
                    return found
        return None

    def breaking(self, values: Values, broken: Test, fixed: frozenset[str] = frozenset()) -> Iterator[Values]:
        """Rows that break one check and keep all others, those with the fewest changes first."""
        others = [test for test in self.tests if test.name != broken.name or not test.name]
        narrow = frozenset(broken.columns)
        wide = self._columns(broken, self.tests, wide=True)
        for columns in (narrow, wide) if wide != narrow else (narrow,):
            for rows in self._neighbours(values, columns, fixed, Random(1)):
                answers = self.answers(rows, [broken, *others])
                for row, (first, *rest) in zip(rows, answers, strict=True):
                    kept = all(test.kept(answer) for test, answer in zip(others, rest, strict=True))
                    if kept and self.broke(broken, first):
                        yield row

    def kept(self, values: Values, columns: frozenset[str]) -> Iterator[Values]:
        """Other rows that keep every check, those with the fewest changes first."""
        for rows in self._neighbours(values, columns, frozenset(), Random(1)):
            answers = self.answers(rows, self.tests)
            for row, mine in zip(rows, answers, strict=True):
                if not self._broken(row, mine, self.tests):
                    yield row

    def keeps(self, values: Values) -> bool:
        """Is every check kept?"""
        return not self._bad(values, self.tests)

    @staticmethod
    def broke(test: Test, answer: Answer) -> bool:
        """Is it a clear violation? An expression that raises is none."""
        return answer is False if not test.wanted else answer is not True and answer != RAISES

    def answers(self, rows: Sequence[Values], tests: Sequence[Test]) -> list[list[Answer]]:
        """What the server thinks of each row."""
        return evaluate(self.connection, self.table, [test.text for test in tests], rows)

    def _bad(self, values: Values, tests: Sequence[Test]) -> list[Test | tuple[str, ...]]:
        (answers,) = self.answers([values], tests)
        return self._broken(values, answers, tests)

    def _broken(
        self, values: Values, answers: Sequence[Answer], tests: Sequence[Test]
    ) -> list[Test | tuple[str, ...]]:
        """The tests that are not kept, and the keys whose values are taken."""
        found: list[Test | tuple[str, ...]] = [
            t for t, a in zip(tests, answers, strict=True) if not t.kept(a)
        ]
        for columns, tuples in self.taken:
            mine = tuple(values.get(name) for name in columns)
            if mine in tuples:
                found.append(columns)
        return found

    def _better(
        self, values: Values, columns: frozenset[str], fixed: frozenset[str], tests: Sequence[Test], bad: int,
        random: Random,
    ) -> Values | None:  # fmt: skip
        """The neighbour that breaks the fewest tests; None where none is better."""
        best: Values | None = None
        for rows in self._neighbours(values, columns, fixed, random):
            for row, answers in zip(rows, self.answers(rows, tests), strict=True):
                count = len(self._broken(row, answers, tests))
                if count < bad:
                    best, bad = row, count
                if not bad:
                    return best
            if best is not None:
                return best
        return best

    def _columns(
        self, broken: Test | tuple[str, ...], tests: Iterable[Test], *, wide: bool
    ) -> frozenset[str]:
        """The columns of a test; `wide` adds those of the tests that share one with it, and of groups."""
        own = frozenset(broken.columns if isinstance(broken, Test) else broken)
        if not wide:
            return own
        more = [test.columns for test in tests if test.columns & own]
        grouped = [frozenset(name for change in group for name in change) for group in self.groups]
        return own.union(*more, *(names for names in grouped if names & own))

    def _neighbours(
        self, values: Values, columns: frozenset[str], fixed: frozenset[str], random: Random
    ) -> Iterator[list[Values]]:
        """Rows with one change, then with two, then with any; in batches."""
        moves = [
            [
                change
                for change in changes
                if not any(values.get(n) != v for n, v in change.items() if n in fixed)
            ]
            for changes in self.moves(columns - fixed)
        ]
        moves = [[*self._like_others(values, changes, columns), *changes] for changes in moves]
        singles = [change for changes in moves for change in changes if _differs(values, change)]
        yield from _batches(_changed(values, [change]) for change in singles)
        if len(moves) > 1:
            yield from _batches(_changed(values, nulls) for nulls in _absences(moves))
            yield from _batches(_changed(values, pair) for pair in _pairs(moves))
        if len(moves) > 2:
            yield from _batches(
                _changed(
                    values, [random.choice(changes) for changes in moves if changes and random.random() < 0.7]
                )
                for _ in range(RANDOM)
            )

    def moves(self, columns: frozenset[str]) -> list[list[Change]]:
        """What each column, or group of columns, may be changed to."""
        grouped: set[str] = set()
        moves: list[list[Change]] = []
        for group in self.groups:
            names = {name for change in group for name in change}
            if names & columns:
                grouped |= names
                moves.append(list(group))
        for column in self.table.relation.columns.values():
            if column.generated and column.name in columns:
                inputs = frozenset(named(self.table.generated.get(column.name, ""), self._names()))
                moves += self.moves(inputs - columns) if inputs - columns else []
            elif column.name in columns and column.name not in grouped:
                changes: list[Change] = [{column.name: value} for value in self.options(column)]
                changes.insert(min(3, len(changes)), {column.name: None})
                moves.append(
                    changes if not column.not_null else [c for c in changes if c[column.name] is not None]
                )
        return moves

    def _like_others(
        self, values: Values, changes: Sequence[Change], columns: frozenset[str]
    ) -> list[Change]:
        """For a column of its own what the other columns hold, and what lies beside that."""
        own = {name for change in changes for name in change}
        by_name = {c.name: c for c in self.table.relation.columns.values()}
        if any(own & set(change) for group in self.groups for change in group):
            return []  # It points at a row: only what is there counts.
        if len(own) != 1 or by_name[name := own.pop()].category not in ("N", "D", "S"):
            return []
        kind = by_name[name].category
        others = {n: values.get(n) for n in columns if n != name}
        texts = [
            text
            for n, v in others.items()
            if v is not None and by_name[n].category == kind
            for text in beside(v)
        ]
        if kind == "D":
            texts += days_of([v for n, v in others.items() if v is not None and by_name[n].category == "N"])
        return [{name: text} for text in texts]

    def _names(self) -> list[str]:
        return [column.name for column in self.table.relation.columns.values()]


def named(text: str, names: Iterable[str]) -> list[str]:
    """Those names that stand in an expression."""
    quoted = ((name, name.replace('"', '""')) for name in names)
    return [name for name, word in quoted if re.search(rf"(?<![\w$]){re.escape(word)}(?![\w$])", text)]


def written(table: Table, names: Iterable[str]) -> list[str]:
    """The columns with what stands behind generated ones in their place."""
    every = [c.name for c in table.relation.columns.values()]
    found: list[str] = []
    for name in names:
        found += named(table.generated[name], every) if name in table.generated else [name]
    return list(dict.fromkeys(found))


def _differs(values: Values, change: Change) -> bool:
    return any(values.get(name) != value for name, value in change.items())


def _changed(values: Values, changes: Iterable[Change]) -> Values:
    row = dict(values)
    for change in changes:
        row.update(change)
    return row


def _absences(moves: Sequence[Sequence[Change]]) -> Iterator[list[Change]]:
    """NULL in several columns at once."""
    nulls = [next((c for c in changes if set(c.values()) == {None}), None) for changes in moves]
    found = [change for change in nulls if change is not None][:8]
    for size in range(2, len(found) + 1):
        yield from (list(some) for some in combinations(found, size))


def _pairs(moves: Sequence[Sequence[Change]]) -> Iterator[tuple[Change, Change]]:
    """Pairs of changes of two columns, the first ones of each first."""
    couples = [(a, b) for n, a in enumerate(moves) for b in moves[n + 1 :]]
    left, size = PAIRS, 12
    seen = 0
    while left > 0 and seen < 160:
        for first, second in couples:
            for i, a in enumerate(first[:size]):
                for j, b in enumerate(second[:size]):
                    if (i >= seen or j >= seen) and left > 0:
                        left -= 1
                        yield a, b
        seen, size = size, size * 4


def _batches(rows: Iterable[Values]) -> Iterator[list[Values]]:
    batch: list[Values] = []
    size = 100
    for row in rows:
        batch.append(row)
        if len(batch) >= size:
            yield batch
            batch, size = [], ROWS
    if batch:
        yield batch
