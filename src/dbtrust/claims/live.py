"""Claims judged on a database that is not ours: nothing is changed there, and nothing executed unless it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import psycopg

from dbtrust.claims.cases import Parsed, PgCase, cases_of
from dbtrust.claims.copies import needs_copy
from dbtrust.claims.verdicts import Case, Failure, prepares, verdict_of
from dbtrust.engine.postgres.errors import describe
from dbtrust.engine.postgres.explain import explain, with_blocks_of
from dbtrust.judge.claims import Judged, Names, judge, missing_object
from dbtrust.judge.grammar import Claim
from dbtrust.judge.statements import explainable
from dbtrust.model.plan import Plan
from dbtrust.model.report import Verdict
from dbtrust.queries.placeholders import bind_params

Connection = psycopg.Connection[Any]
#: A statement may run, and wait for a lock, so long there.
TIMEOUT_MS = 15_000


def live_judge(
    names: Names, judge_plans: Callable[[Claim, Sequence[Plan]], Judged]
) -> Callable[[Claim, Sequence[Plan]], Judged]:
    """The judge of a live database: claims that need a copy are told apart first."""

    def decide(claim: Claim, plans: Sequence[Plan]) -> Judged:
        return missing_object(claim, names) or needs_copy(claim) or judge_plans(claim, plans)

    return decide


def judge_live_postgres(
    connection: Connection, parsed: Sequence[Parsed], names: Names, data: dict[str, Any], *, analyze: bool
) -> list[Verdict]:
    """query.prepares and claim.* in READ ONLY transactions; with `analyze` reading statements are executed.

    `connection` has a statement_timeout. Parameters get values from examples alone.
    """

    def judge_plans(claim: Claim, plans: Sequence[Plan]) -> Judged:
        judged = judge(claim, plans[0], names)
        if analyze and "--analyze" in judged.next:
            return replace(
                judged, next="what writes is only explained on a target: run it without naming one"
            )
        return judged

    decide = live_judge(names, judge_plans)
    verdicts: list[Verdict] = []
    for item in parsed:
        sample_live(connection, item, analyze=analyze)
        verdicts.append(_prepares(item, analyze=analyze))
        cases = item.cases or [Case("")]
        verdicts += [verdict_of("postgres", item.query.subject, c, cases, decide, data) for c in item.claims]
    return verdicts


def sample_live(connection: Connection, item: Parsed, *, analyze: bool) -> None:
    """Gives the query its cases, from examples alone, each with a plan or a failure."""
    item.cases = cases_of(connection, item, draws=False)
    for case in item.cases:
        if case.failure is None:
            case.samples.append(_sample(connection, item, case, analyze=analyze))


def _sample(connection: Connection, item: Parsed, case: PgCase, *, analyze: bool) -> list[Plan] | Failure:
    query = case.query or item.query
    bound, place = bind_params(query.sql), query.sql_location if query.sql_location.line else query.location
    if not explainable(query.sql):
        return Failure("server_error", "the statement has no plan", place, "")
    text = f"DECLARE dbtrust CURSOR FOR {bound.text}" if item.iterates else bound.text
    try:
        try:
            plan = _explain(connection, text, case.values, analyze=analyze)
            if analyze and any(claim.kind == "reads" for claim in item.claims):
                plan = with_blocks_of(plan, _explain(connection, text, case.values, analyze=True))
            return [plan]
        except psycopg.errors.ReadOnlySqlTransaction:
            case.writes = True
            return [_explain(connection, text, case.values, analyze=False)]
    except psycopg.errors.QueryCanceled as error:
        return Failure(
            "timeout", f"stopped by the statement timeout: {describe(error)}", place, "leave out --analyze"
        )
    except psycopg.Error as error:
        if connection.closed:
            raise
        return Failure("server_error", describe(error), place, "mend the query or its example")


def _explain(connection: Connection, text: str, values: Sequence[Any], *, analyze: bool) -> Plan:
    with connection.transaction(force_rollback=True):
        connection.execute("SET TRANSACTION READ ONLY")
        return explain(connection, text, values, analyze=analyze)


def _prepares(item: Parsed, *, analyze: bool) -> Verdict:
    values = any(case.values for case in item.cases)
    found = prepares(
        "postgres", item.query.subject, item.query.location, item.cases, values, "add an -- example: line"
    )
    if found.verdict != "holds" or (analyze and not any(case.writes for case in item.cases)):
        return found
    return replace(found, message=f"{found.message.replace('ran', 'explained', 1)}, not executed")
