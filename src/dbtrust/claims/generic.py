"""claim.generic: what a query's claims say of the plan that the server makes without the parameters' values.

psycopg prepares a statement at its fifth execution; after five more the server compares what plans with values
have cost with a generic plan and may keep to that (plancache.c, choose_custom_plan).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import psycopg

from dbtrust.claims.cases import Parsed, PgCase
from dbtrust.engine.postgres.describe import sent_types
from dbtrust.engine.postgres.errors import describe, lost
from dbtrust.engine.postgres.prepared import Prepared, prepared
from dbtrust.judge.claims import Judged, Names, judge, needs_execution
from dbtrust.judge.grammar import Claim
from dbtrust.model.plan import Plan
from dbtrust.model.report import Verdict
from dbtrust.queries.placeholders import bind_params

Connection = psycopg.Connection[Any]
#: A generic plan's cost is an estimate for values that nobody knows; the gain of an index is measured elsewhere.
_LEFT_OUT = frozenset({"cost", "faster"})
_STEP = "claim less, make the generic plan as good, or SET plan_cache_mode = force_custom_plan for this query"


def judge_generic(
    reading: Connection, writing: Callable[[], Connection], item: Parsed, holding: Sequence[Claim], names: Names,
    data: dict[str, Any], *, partitions: bool = True,
) -> Verdict | None:  # fmt: skip
    """`holding` are the claims that the plans with values keep: of the others it would say nothing new.

    None for a query without parameters, examples or such claims, and for an iterator's cursor.
    """
    cases = [c for c in item.cases if c.values and c.failure is None and not c.drawn]
    claims = [c for c in holding if c.kind not in _LEFT_OUT]
    if not cases or not claims or item.iterates:
        return None
    try:
        plans = [
            (case, plan)
            for own in _statements(reading, cases)
            for case, plan in zip(own, _of_statement(reading, writing, own, claims, partitions), strict=True)
        ]
        judged = [(claim, case, plan, judge(claim, plan, names)) for case, plan in plans for claim in claims]
        bad = next((found for found in judged if found[3].outcome == "refuted"), None)
        turns = bad is not None and _turns(reading, writing, bad[1], cases)
    except psycopg.Error as error:
        if lost(error):
            raise
        reason = "timeout" if isinstance(error, psycopg.errors.QueryCanceled) else "server_error"
        return _verdict(item, Judged("unproved", f"with a generic plan: {describe(error)}", reason), data)
    return _verdict(item, *_decide(judged, bad, turns, len(claims), data | {"examples": len(cases)}))


def _statements(connection: Connection, cases: Sequence[PgCase]) -> list[list[PgCase]]:
    """The examples that are executions of one statement: of one choice of identifiers, sent with the same types."""
    found: dict[tuple[str, tuple[int, ...]], list[PgCase]] = {}
    for case in cases:
        assert case.query is not None
        key = (case.query.sql, tuple(sent_types(connection, case.values)))
        found.setdefault(key, []).append(case)
    return list(found.values())


def _of_statement(
    reading: Connection, writing: Callable[[], Connection], cases: Sequence[PgCase], claims: Sequence[Claim],
    partitions: bool,
) -> list[Plan]:  # fmt: skip
    """The generic plan for each of the examples, executed where a claim is about a run."""
    analyze = any(needs_execution(claim) for claim in claims)
    counters = any(claim.kind == "examines" for claim in claims)
    connection = writing() if cases[0].writes else reading
    with connection.transaction(force_rollback=True), _prepared(connection, cases[0]) as statement:
        runs = [
            partial(statement.generic, c.values, analyze=analyze, counters=counters, partitions=partitions)
            for c in cases
        ]
        return [runs[0]()] if len(runs) == 1 else [_undone(connection, run) for run in runs]


def _prepared(connection: Connection, case: PgCase) -> AbstractContextManager[Prepared]:
    assert case.query is not None
    return prepared(connection, bind_params(case.query.sql).text, case.values)


def _turns(
    reading: Connection, writing: Callable[[], Connection], bad: PgCase, cases: Sequence[PgCase]
) -> bool:
    """Does the server turn to the generic plan by itself, with the examples of that statement taking turns?"""
    own = next(own for own in _statements(reading, cases) if bad in own)
    connection = writing() if bad.writes else reading
    with connection.transaction(force_rollback=True), _prepared(connection, bad) as statement:
        return statement.turns_generic([case.values for case in own])


def _undone(connection: Connection, run: Callable[[], Plan]) -> Plan:
    with connection.transaction(force_rollback=True):
        return run()


_Found = tuple[Claim, PgCase, Plan, Judged]


def _decide(
    judged: Sequence[_Found], bad: _Found | None, turns: bool, claims: int, evidence: dict[str, Any]
) -> tuple[Judged, dict[str, Any]]:
    """holds, or the first claim that a generic plan breaks or leaves open."""
    worst = bad or next((found for found in judged if found[3].outcome == "unproved"), None)
    if worst is None:
        many = f"all {claims} claims hold" if claims > 1 else "the claim holds"
        return Judged("holds", f"with a generic plan, too, {many}"), evidence
    claim, case, plan, result = worst
    evidence |= {"example": case.label, "plan": plan.to_dict()}
    message = f"with a generic plan `{claim.text}` {_FAILS[result.outcome]}: {result.message}"
    if bad is None:
        return Judged("unproved", message, result.reason, result.node, next=result.next), evidence
    evidence |= {"turns_generic": turns}
    if turns:
        message = f"{message}; the server turns to it after five executions"
        return Judged("refuted", message, "generic", result.node, next=_STEP), evidence
    message = f"{message}; the server stays with custom plans here, but plan_cache_mode or other values may change that"
    return Judged("unproved", message, "generic", result.node, next=_STEP), evidence


_FAILS = {"refuted": "is refuted", "unproved": "is unproved"}


def _verdict(item: Parsed, judged: Judged, evidence: dict[str, Any]) -> Verdict:
    if judged.node is not None:
        evidence = evidence | {"node": judged.node.to_dict()}
    return Verdict(
        "claim.generic", "postgres", item.query.subject, judged.outcome, judged.message,
        reason=judged.reason, next=judged.next, evidence=evidence, location=item.query.location,
    )  # fmt: skip
