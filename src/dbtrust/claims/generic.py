"""claim.generic: what a query's claims say of the plan that the server makes without the parameters' values.

psycopg prepares a statement at its fifth execution; after five more the server compares what plans with values
have cost with a generic plan and may keep to that (plancache.c, choose_custom_plan).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from dbtrust.claims.cases import Parsed, PgCase
from dbtrust.engine.postgres.errors import describe
from dbtrust.engine.postgres.prepared import prepared
from dbtrust.judge.claims import Judged, Names, judge
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
    data: dict[str, Any],
) -> Verdict | None:  # fmt: skip
    """`holding` are the claims that the plans with values keep: of the others it would say nothing new.

    None for a query without parameters, examples or such claims, and for an iterator's cursor.
    """
    cases = [c for c in item.cases if c.values and c.failure is None and not c.drawn]
    claims = [c for c in holding if c.kind not in _LEFT_OUT]
    if not cases or not claims or item.iterates:
        return None
    try:
        turns, plans = _plans(reading, writing, cases)
    except psycopg.Error as error:
        if reading.closed:
            raise
        reason = "timeout" if isinstance(error, psycopg.errors.QueryCanceled) else "server_error"
        return _verdict(item, Judged("unproved", f"with a generic plan: {describe(error)}", reason), data)
    judged = [(claim, case, plan, judge(claim, plan, names)) for case, plan in plans for claim in claims]
    evidence = data | {"turns_generic": turns, "examples": len(cases)}
    return _verdict(item, *_decide(judged, turns, len(claims), evidence))


def _plans(
    reading: Connection, writing: Callable[[], Connection], cases: Sequence[PgCase]
) -> tuple[bool, list[tuple[PgCase, Plan]]]:
    """Does the server turn to a generic plan by itself, and that plan executed for each example.

    Examples of one choice of identifiers are executions of one statement.
    """
    turns, plans = False, list[tuple[PgCase, Plan]]()
    texts = {c.query.sql: c.query for c in cases if c.query is not None}
    for sql in texts:
        own = [c for c in cases if c.query is not None and c.query.sql == sql]
        text = bind_params(sql).text
        try:
            found = _of_statement(reading, text, own, read_only=True)
        except psycopg.errors.ReadOnlySqlTransaction:
            found = _of_statement(writing(), text, own, read_only=False)
        turns = turns or found[0]
        plans += zip(own, found[1], strict=True)
    return turns, plans


def _of_statement(
    connection: Connection, text: str, cases: Sequence[PgCase], *, read_only: bool
) -> tuple[bool, list[Plan]]:
    values = [case.values for case in cases]
    with connection.transaction(force_rollback=True):
        if read_only:
            connection.execute("SET TRANSACTION READ ONLY")
        with prepared(connection, text, values[0]) as statement:
            turns = statement.turns_generic(values)
            return turns, [_undone(connection, statement.generic, v) for v in values]


def _undone(connection: Connection, run: Callable[[Sequence[Any]], Plan], values: Sequence[Any]) -> Plan:
    with connection.transaction(force_rollback=True):
        return run(values)


_Found = tuple[Claim, PgCase, Plan, Judged]


def _decide(
    judged: Sequence[_Found], turns: bool, claims: int, evidence: dict[str, Any]
) -> tuple[Judged, dict[str, Any]]:
    bad = next((found for found in judged if found[3].outcome == "refuted"), None)
    open_ = next((found for found in judged if found[3].outcome == "unproved"), None)
    said = (
        "the server turns to it after five executions" if turns else "the server stays with custom plans here"
    )
    if bad is None and open_ is None:
        many = f"all {claims} claims hold" if claims > 1 else "the claim holds"
        return Judged("holds", f"with a generic plan, too, {many} ({said})"), evidence
    claim, case, plan, result = bad or open_ or judged[0]
    evidence |= {"example": case.label, "plan": plan.to_dict()}
    message = f"with a generic plan `{claim.text}` {_FAILS[result.outcome]}: {result.message}"
    if bad is None:
        return Judged("unproved", message, result.reason, result.node, next=result.next), evidence
    if turns:
        return Judged("refuted", f"{message}; {said}", "generic", result.node, next=_STEP), evidence
    message = f"{message}; {said}, but plan_cache_mode or other values may change that"
    return Judged("unproved", message, "generic", result.node, next=_STEP), evidence


_FAILS = {"refuted": "is refuted", "unproved": "is unproved"}


def _verdict(item: Parsed, judged: Judged, evidence: dict[str, Any]) -> Verdict:
    if judged.node is not None:
        evidence = evidence | {"node": judged.node.to_dict()}
    return Verdict(
        "claim.generic", "postgres", item.query.subject, judged.outcome, judged.message,
        reason=judged.reason, next=judged.next, evidence=evidence, location=item.query.location,
    )  # fmt: skip
