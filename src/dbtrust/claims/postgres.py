"""Queries and their plan claims on PostgreSQL: every example is explained over three fresh ANALYZEs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg

from dbtrust.claims.verdicts import Case, Failure, prepares, verdict_of
from dbtrust.engine.postgres.errors import describe, position
from dbtrust.engine.postgres.explain import explain
from dbtrust.engine.postgres.load import analyze
from dbtrust.engine.postgres.run import run_rolled_back
from dbtrust.engine.postgres.values import as_sent, evaluate
from dbtrust.judge.claims import Judged, Names, judge
from dbtrust.judge.grammar import Claim
from dbtrust.judge.statements import explainable, parse_binds
from dbtrust.model.errors import DbtrustError
from dbtrust.model.location import shift
from dbtrust.model.plan import Plan
from dbtrust.model.progress import Progress
from dbtrust.model.project import Example, Query
from dbtrust.model.report import Verdict
from dbtrust.queries.placeholders import BoundSql, bind_params, choose
from dbtrust.stage.postgres import PostgresStage

Connection = psycopg.Connection[Any]
#: A plan that changes between fresh samples of the same rows proves nothing (docs/claims.md).
ROUNDS = 3


@dataclass(slots=True)
class Parsed:
    """A query, its claims as the grammar reads them, and whether its method iterates (DECLARE)."""

    query: Query
    claims: tuple[Claim, ...]
    iterates: bool = False
    cases: list[_PgCase] = field(default_factory=list["_PgCase"])


@dataclass(slots=True)
class _PgCase(Case):
    """`query` has one of its choices in place."""

    query: Query | None = None
    values: tuple[Any, ...] = ()


def judge_queries(
    stage: PostgresStage, parsed: Sequence[Parsed], names: Names, progress: Progress, *, rounds: int = ROUNDS
) -> list[Verdict]:
    """query.prepares and claim.* of every query, on copies of the data (of the empty state where data failed).

    `rounds`: samples of the statistics; the first is the one that the data came with.
    """
    with _Copies(stage) as copies:
        for item in parsed:
            item.cases = _cases(stage, copies.read, item)
        for turn in range(rounds):
            progress(f"explaining {len(parsed)} queries, sample {turn + 1} of {rounds}")
            if turn:
                copies.analyze()
            with copies.connections() as (reading, writing):
                for item in parsed:
                    _observe(reading, writing, item)
    verdicts = [_prepares(item) for item in parsed]
    for item in parsed:
        verdicts += [_claim(stage, item, claim, names) for claim in item.claims]
    return verdicts


class _Copies:
    """A copy that nobody writes to, and another one, made when the first statement writes."""

    def __init__(self, stage: PostgresStage) -> None:
        source = stage.data or stage.state
        assert source is not None
        self._stage, self._source = stage, source
        self.read = stage.scratch.copy(source, "read")
        self._write: str | None = None

    def __enter__(self) -> _Copies:
        return self

    def __exit__(self, *_: object) -> None:
        for name in filter(None, (self.read, self._write)):
            with suppress(psycopg.Error):
                self._stage.scratch.drop(name)

    def analyze(self) -> None:
        """Fresh statistics, from a new sample of the same rows."""
        for name in filter(None, (self.read, self._write)):
            with self._stage.scratch.admin(name) as admin:
                analyze(admin)

    @contextmanager
    def connections(self) -> Generator[tuple[Connection, Callable[[], Connection]]]:
        """A connection to the first copy, and a function that gives one to the second."""
        with ExitStack() as stack:
            opened: list[Connection] = []

            def writing() -> Connection:
                if self._write is None:
                    self._write = self._stage.scratch.copy(self._source, "write")
                if not opened:
                    opened.append(stack.enter_context(self._stage.owner(self._write)))
                return opened[0]

            yield stack.enter_context(self._stage.owner(self.read)), writing


def _cases(stage: PostgresStage, database: str, item: Parsed) -> list[_PgCase]:
    """One case for each example, and for each combination of the query's choices."""
    bound = bind_params(item.query.sql)
    chosen = variants(item.query)
    if not bound.names:
        return [_PgCase("", query=variant) for variant in chosen]
    with stage.owner(database) as connection:
        return [_case(connection, q, bound, example) for q in chosen for example in item.query.examples]


def variants(query: Query) -> list[Query]:
    """The query for each combination of its choices."""
    combinations = itertools.product(*query.choices.values())
    chosen = (dict(zip(query.choices, words, strict=True)) for words in combinations)
    return [replace(query, sql=choose(query.sql, words)) for words in chosen]


def _case(connection: Connection, query: Query, bound: BoundSql, example: Example) -> _PgCase:
    case = _PgCase(example.label or example.text, query=query)
    try:
        given = example_values(connection, bound, example)
        case.values = tuple(as_sent(given[name]) for name in bound.names)
    except DbtrustError as error:
        place = (
            error.location
            if error.location.file
            else shift(example.location, example.text, getattr(error, "offset", 0))
        )
        case.samples.append(Failure("server_error", error.message, place, error.next or "mend the example"))
    except psycopg.Error as error:
        message = f"example {case.label}: {describe(error)}"
        case.samples.append(Failure("server_error", message, example.location, "mend the example"))
    return case


def example_values(connection: Connection, bound: BoundSql, example: Example) -> dict[str, Any]:
    """The loaded values of an example by parameter. Raises DbtrustError and psycopg.Error."""
    binds = parse_binds(example.text)
    _same_names(bound, [name for name, _ in binds], example)
    values = evaluate(connection, [expression for _, expression in binds])
    return {name: value for (name, _), value in zip(binds, values, strict=True)}


def _same_names(bound: BoundSql, given: Sequence[str], example: Example) -> None:
    missing = [name for name in bound.names if name not in given]
    extra = [name for name in given if name not in bound.names]
    if missing:
        raise DbtrustError(
            f"the example gives no {missing[0]}", location=example.location, next=f"add {missing[0]} = …"
        )
    if extra:
        step = f"parameters are {', '.join(bound.names)}"
        raise DbtrustError(f"the query has no parameter {extra[0]}", location=example.location, next=step)


def _observe(reading: Connection, writing: Callable[[], Connection], item: Parsed) -> None:
    for case in item.cases:
        if case.failure is None:
            query = case.query or item.query
            case.samples.append(_sample(reading, writing, query, case, iterates=item.iterates))


def _sample(
    reading: Connection, writing: Callable[[], Connection], query: Query, case: _PgCase, *, iterates: bool
) -> list[Plan] | Failure:
    """A plan from the copy that nobody writes to; from the other one where the server refuses to write there."""
    bound = bind_params(query.sql)
    text = f"DECLARE dbtrust CURSOR FOR {bound.text}" if iterates else bound.text
    try:
        if not explainable(query.sql):
            run_rolled_back(writing(), bound.text, case.values)
            return []
        try:
            return [_explain(reading, text, case.values, read_only=True)]
        except psycopg.errors.ReadOnlySqlTransaction:
            return [_explain(writing(), text, case.values, read_only=False)]
    except psycopg.Error as error:
        return _failure(_bare_error(writing(), bound, case, error), query, bound)


def _explain(connection: Connection, text: str, values: Sequence[Any], *, read_only: bool) -> Plan:
    with connection.transaction(force_rollback=True):
        if read_only:
            connection.execute("SET TRANSACTION READ ONLY")
        return explain(connection, text, values)


def _bare_error(
    connection: Connection, bound: BoundSql, case: _PgCase, error: psycopg.Error
) -> psycopg.Error:
    """The same error from the statement without EXPLAIN, whose positions count from the statement's own text."""
    if position(error) is None:
        return error
    try:
        run_rolled_back(connection, bound.text, case.values)
    except psycopg.Error as bare:
        return bare
    return error


def _failure(error: psycopg.Error, query: Query, bound: BoundSql) -> Failure:
    at = position(error)
    place = query.sql_location if query.sql_location.line else query.location
    if at is not None:
        place = shift(place, query.sql, bound.source_offset(at - 1))
    if isinstance(error, psycopg.errors.QueryCanceled):
        return Failure(
            "timeout",
            f"stopped by the statement timeout: {describe(error)}",
            place,
            "make the query or its example cheaper",
        )
    return Failure("server_error", describe(error), place, "mend the query or its example")


def _prepares(item: Parsed) -> Verdict:
    values = [value for case in item.cases for value in case.values]
    sent = {"sent": sorted({type(value).__name__ for value in values})}
    step = "add an -- example: line"
    return prepares("postgres", item.query.subject, item.query.location, item.cases, bool(values), step, sent)


def _claim(stage: PostgresStage, item: Parsed, claim: Claim, names: Names) -> Verdict:
    def judge_plans(claim: Claim, plans: Sequence[Plan]) -> Judged:
        if not plans:
            return Judged("unproved", "the statement has no plan", "server_error")
        if stage.data is None:
            return Judged("unproved", "the data could not be loaded", "no_data")
        return judge(claim, plans[0], names)

    cases = item.cases or [Case("")]
    return verdict_of("postgres", item.query.subject, claim, cases, judge_plans, stage.evidence)
