"""Queries and their plan claims on PostgreSQL: every example is explained over three fresh ANALYZEs."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from dbtrust.claims.cases import Parsed, PgCase, cases_of
from dbtrust.claims.failures import postgres_failure
from dbtrust.claims.faster import judge_faster
from dbtrust.claims.faster_postgres import measure_pair
from dbtrust.claims.generic import judge_generic
from dbtrust.claims.together import Quiet
from dbtrust.claims.verdicts import Case, Failure, Result, failed, prepares, verdict_of, worst_of
from dbtrust.engine.postgres.errors import describe, lost, position
from dbtrust.engine.postgres.explain import explain, has_partitions, with_blocks_of
from dbtrust.engine.postgres.hiding import Index, find_index
from dbtrust.engine.postgres.load import analyze
from dbtrust.engine.postgres.run import run_rolled_back
from dbtrust.judge.claims import Judged, Names, judge, missing_object, needs_execution
from dbtrust.judge.grammar import Claim
from dbtrust.judge.statements import explainable
from dbtrust.model.plan import Plan
from dbtrust.model.progress import Progress
from dbtrust.model.project import Query
from dbtrust.model.report import Verdict
from dbtrust.queries.placeholders import BoundSql, bind_params
from dbtrust.stage.postgres import STATEMENT_TIMEOUT_MS, PostgresStage

__all__ = ["Parsed", "judge_claims", "judge_queries"]

Connection = psycopg.Connection[Any]
#: A plan that changes between fresh samples of the same rows proves nothing (docs/claims.md).
ROUNDS = 3


def judge_queries(
    stage: PostgresStage, parsed: Sequence[Parsed], names: Names, progress: Progress, *, generic: bool = True,
    rounds: int = ROUNDS, quiet: Quiet = lambda: None,
) -> list[Verdict]:  # fmt: skip
    """query.prepares and claim.* of every query, on copies of the data (of the empty state where data failed)."""
    claims = judge_claims(stage, parsed, names, progress, generic=generic, rounds=rounds, quiet=quiet)
    return [*(_prepares(item) for item in parsed), *claims]


def judge_claims(
    stage: PostgresStage,
    parsed: Sequence[Parsed],
    names: Names,
    progress: Progress,
    *,
    generic: bool = True,
    rounds: int = ROUNDS,
    quiet: Quiet = lambda: None,
) -> list[Verdict]:
    """claim.* alone; with `generic` also claim.generic of every query that has claims.

    `rounds`: samples of the statistics; the first is the one that the data came with. `quiet` is called before
    times are measured.
    """
    with _Copies(stage) as copies:
        with stage.owner(copies.read) as connection:
            for item in parsed:
                item.cases = cases_of(connection, item, known=stage.examples if stage.data else None)
        for turn in range(rounds):
            progress(f"explaining {len(parsed)} queries, sample {turn + 1} of {rounds}")
            if turn:
                copies.analyze()
            with copies.connections() as (reading, writing):
                partitions = has_partitions(reading)
                for item in parsed:
                    observe(reading, writing, item, _needs(item, partitions, first=turn == 0))
        if any(claim.kind == "faster" for item in parsed for claim in item.claims):
            quiet()
        verdicts = _verdicts(stage, copies, parsed, names, progress)
        return verdicts + (_generic(stage, copies, parsed, verdicts, names, progress) if generic else [])


def explain_once(stage: PostgresStage, item: Parsed) -> Sequence[Case]:
    """The query's cases, each with one sample: the plan of the statistics as they are, or the failure."""
    with _Copies(stage) as copies:
        with stage.owner(copies.read) as connection:
            item.cases = cases_of(connection, item)
        with copies.connections() as (reading, writing):
            observe(reading, writing, item)
    return item.cases


def _verdicts(
    stage: PostgresStage, copies: _Copies, parsed: Sequence[Parsed], names: Names, progress: Progress
) -> list[Verdict]:
    verdicts: list[Verdict] = []
    for item in parsed:
        for claim in item.claims:
            if claim.kind == "faster":
                progress(f"measuring {item.query.subject}: {claim.text}")
                verdicts.append(_faster(stage, copies, item, claim, names))
            else:
                verdicts.append(_claim(stage, item, claim, names))
    return verdicts


def _generic(
    stage: PostgresStage, copies: _Copies, parsed: Sequence[Parsed], verdicts: Sequence[Verdict], names: Names,
    progress: Progress,
) -> list[Verdict]:  # fmt: skip
    if stage.data is None:
        return []
    progress("explaining generic plans")
    holding = {v.location for v in verdicts if v.verdict == "holds"}
    data, found = {"data": stage.evidence}, list[Verdict]()
    with copies.connections() as (reading, writing):
        partitions = has_partitions(reading)
        for item in parsed:
            claims = [claim for claim in item.claims if claim.location in holding]
            verdict = judge_generic(reading, writing, item, claims, names, data, partitions=partitions)
            found += [verdict] if verdict is not None else []
    return found


def _faster(stage: PostgresStage, copies: _Copies, item: Parsed, claim: Claim, names: Names) -> Verdict:
    results = [_faster_case(stage, copies, item, case, claim, names) for case in item.cases]
    results = results or [Result(Judged("unproved", "it was not run", "no_example"), "")]
    return worst_of("postgres", item.query.subject, claim, results, stage.evidence)


def _faster_case(
    stage: PostgresStage, copies: _Copies, item: Parsed, case: PgCase, claim: Claim, names: Names
) -> Result:
    judged = _impossible(stage, item, case, claim, names)
    if judged is not None:
        return Result(judged, case.label, drawn=case.drawn)
    assert claim.index is not None and claim.number is not None and case.query is not None
    with copies.admin(writes=case.writes) as admin:
        index = find_index(admin, claim.index.name, claim.index.schema or _schema_of(case, claim.index.name))
        assert index is not None
        pair = _pair(stage, admin, index, case, iterates=item.iterates)
        judged = judge_faster(claim.number, str(claim.index), pair)
    plans = [plans for plans in case.samples if not isinstance(plans, Failure)]
    return Result(judged, case.label, plans[0] if plans else (), drawn=case.drawn)


def _schema_of(case: PgCase, index: str) -> str | None:
    """The schema of the index of that name that the plan uses, where it uses one."""
    nodes = [n for plans in case.samples if not isinstance(plans, Failure) for p in plans for n in p.nodes]
    return next((n.schema for n in nodes if n.index == index), None)


def _impossible(
    stage: PostgresStage, item: Parsed, case: PgCase, claim: Claim, names: Names
) -> Judged | None:
    if (missing := missing_object(claim, names)) is not None:
        return missing
    if case.failure is not None:
        return failed(case.failure)
    if stage.data is None:
        return Judged("unproved", "the data could not be loaded", "no_data")
    if case.query is None or not explainable(item.query.sql):
        return Judged("unproved", "the statement has no plan", "server_error")
    return None


def _pair(
    stage: PostgresStage, admin: Connection, index: Index, case: PgCase, *, iterates: bool
) -> Callable[[], Any]:
    assert case.query is not None
    role = conninfo_to_dict(stage.scratch.host.owner_url("x")).get("user")
    text = as_run(bind_params(case.query.sql), iterates)
    return partial(
        measure_pair, admin, str(role) if role and stage.embedded else None, index, text, case.values
    )


def as_run(bound: BoundSql, iterates: bool) -> str:
    """The statement as its method runs it: an iterator declares a cursor."""
    return f"DECLARE dbtrust CURSOR FOR {bound.text}" if iterates else bound.text


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
    def admin(self, *, writes: bool) -> Generator[Connection]:
        """An administrator's connection to the copy that is written to, or to the other one."""
        if writes and self._write is None:
            self._write = self._stage.scratch.copy(self._source, "write")
        name = self._write if writes and self._write else self.read
        with self._stage.scratch.admin(name) as connection:
            connection.execute(
                "SELECT set_config('statement_timeout', %s, false)", [str(STATEMENT_TIMEOUT_MS)]
            )
            yield connection

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

            reading = stack.enter_context(self._stage.owner(self.read))
            reading.read_only = True
            yield reading, writing


@dataclass(frozen=True, slots=True)
class Needs:
    """What the claims of a query want of each sample, so that nothing else is asked of the server.

    `execute`: run the statement; `counters`: the rows that repeated scans read; `again`: the blocks of a second
    run; `partitions`: the parents of the relations that the plan names.
    """

    execute: bool = True
    counters: bool = True
    again: bool = False
    partitions: bool = True


def _needs(item: Parsed, partitions: bool, *, first: bool) -> Needs:
    """Every statement runs once (query.prepares); later samples only where a claim is about a run."""
    kinds = {claim.kind for claim in item.claims}
    execute = first or any(needs_execution(claim) for claim in item.claims)
    return Needs(execute, "examines" in kinds, "reads" in kinds, partitions)


def observe(
    reading: Connection, writing: Callable[[], Connection], item: Parsed, needs: Needs | None = None
) -> None:
    """Adds one sample, a plan or a failure, to each case of a query."""
    for case in item.cases:
        if case.failure is None:
            query = case.query or item.query
            wanted = needs or _needs(item, True, first=True)
            case.samples.append(_sample(reading, writing, query, case, wanted, iterates=item.iterates))


def _sample(
    reading: Connection, writing: Callable[[], Connection], query: Query, case: PgCase, needs: Needs, *,
    iterates: bool,
) -> list[Plan] | Failure:  # fmt: skip
    """A plan from the copy that nobody writes to; from the other one where the server refuses to write there."""
    bound = bind_params(query.sql)
    text = as_run(bound, iterates)
    try:
        if not explainable(query.sql):
            run_rolled_back(writing(), bound.text, case.values)
            return []
        try:
            return [_explain(reading, text, case.values, needs)]
        except psycopg.errors.ReadOnlySqlTransaction:
            case.writes = True
            return [_explain(writing(), text, case.values, needs)]
    except psycopg.Error as error:
        if lost(error):
            raise
        bare = _bare_error(writing, bound, case, error)
        if case.drawn:
            message = f"{case.label}: {describe(bare)}"
            return Failure("no_example", message, query.location, "add an -- example: line")
        return postgres_failure(bare, query, bound)


def _explain(connection: Connection, text: str, values: Sequence[Any], needs: Needs) -> Plan:
    """The plan of a first run; where it is wanted, hit and read are those of a second one."""
    plan = _run_once(connection, text, values, needs)
    return with_blocks_of(plan, _run_once(connection, text, values, needs)) if needs.again else plan


def _run_once(connection: Connection, text: str, values: Sequence[Any], needs: Needs) -> Plan:
    with connection.transaction(force_rollback=True):
        return explain(
            connection, text, values, analyze=needs.execute, counters=needs.counters, partitions=needs.partitions
        )  # fmt: skip


def _bare_error(
    writing: Callable[[], Connection], bound: BoundSql, case: PgCase, error: psycopg.Error
) -> psycopg.Error:
    """The same error from the statement without EXPLAIN, whose positions count from the statement's own text."""
    if position(error) is None:
        return error
    try:
        run_rolled_back(writing(), bound.text, case.values)
    except psycopg.Error as bare:
        return bare
    return error


def _prepares(item: Parsed) -> Verdict:
    cases = [case for case in item.cases if not case.drawn]
    values = [value for case in cases for value in case.values]
    sent = {"sent": sorted({type(value).__name__ for value in values})}
    step = "add an -- example: line"
    return prepares("postgres", item.query.subject, item.query.location, cases, bool(values), step, sent)


def _claim(stage: PostgresStage, item: Parsed, claim: Claim, names: Names) -> Verdict:
    def judge_plans(claim: Claim, plans: Sequence[Plan]) -> Judged:
        if not plans:
            return Judged("unproved", "the statement has no plan", "server_error")
        if stage.data is None:
            return Judged("unproved", "the data could not be loaded", "no_data")
        return judge(claim, plans[0], names)

    cases = item.cases or [Case("")]
    return verdict_of("postgres", item.query.subject, claim, cases, judge_plans, stage.evidence)
