"""Proofs on PostgreSQL: each runs alone in a transaction on a scratch copy, and its last statement is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from dbtrust.engine.postgres.errors import Failure, describe, failure_of, lost
from dbtrust.engine.postgres.run import drop_check, execute_last
from dbtrust.judge.claims import Judged, Names
from dbtrust.judge.grammar import Claim
from dbtrust.judge.outcomes import judge_refused, judge_true
from dbtrust.judge.statements import SqlSyntaxError, Statement, split
from dbtrust.model.location import Location, shift
from dbtrust.model.project import Query
from dbtrust.model.report import Verdict
from dbtrust.stage.postgres import PostgresStage

CHECK_VIOLATION = "23514"


@dataclass(frozen=True, slots=True)
class ParsedProof:
    """A proof and its outcome claims."""

    query: Query
    claims: tuple[Claim, ...]


def judge_proofs(stage: PostgresStage, proofs: Sequence[ParsedProof], names: Names) -> list[Verdict]:
    """proof.refused and proof.true of every proof, on one copy that each proof leaves as it found it."""
    source = stage.data or stage.state
    assert source is not None
    with stage.copy(source) as copy, stage.owner(copy) as connection:
        return [verdict for proof in proofs for verdict in judge_proof(stage, connection, proof, names)]


def judge_proof(
    stage: PostgresStage, connection: psycopg.Connection[Any], proof: ParsedProof, names: Names
) -> list[Verdict]:
    """The verdicts of one proof over an open connection; what it did is rolled back, to a savepoint at least."""
    try:
        statements = split(proof.query.sql)
    except SqlSyntaxError as error:
        place = shift(proof.query.sql_location, proof.query.sql, error.offset)
        return [
            _verdict(stage, proof, claim, Judged("refuted", error.message), place) for claim in proof.claims
        ]
    outcome = _run(connection, statements)
    hidden = _second_refusal(connection, statements, outcome)
    place = (
        shift(proof.query.sql_location, proof.query.sql, statements[outcome.index].offset)
        if statements
        else proof.query.location
    )
    return [
        _verdict(stage, proof, claim, _alone(_decide(claim, outcome, len(statements), names), hidden), place)
        for claim in proof.claims
    ]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Where a proof ended: the statement that failed or the last one, its error or its rows."""

    index: int
    failure: Failure | None = None
    message: str = ""
    timeout: bool = False
    rows: Sequence[Sequence[Any]] | None = None


def _run(connection: psycopg.Connection[Any], statements: Sequence[Statement]) -> _Outcome:
    done, rows = 0, None
    try:
        with connection.transaction(force_rollback=True):
            for statement in statements:
                rows = execute_last(connection, statement.text)
                done += 1
            # What a COMMIT would still refuse: constraints and constraint triggers that were deferred.
            execute_last(connection, "SET CONSTRAINTS ALL IMMEDIATE")
    except psycopg.Error as error:
        if lost(error):
            raise
        timeout = isinstance(error, psycopg.errors.QueryCanceled)
        return _Outcome(min(done, len(statements) - 1), failure_of(error), describe(error), timeout)
    return _Outcome(len(statements) - 1, rows=rows)


def _second_refusal(
    connection: psycopg.Connection[Any], statements: Sequence[Statement], outcome: _Outcome
) -> Failure | None:
    """The other CHECK that would refuse the same row, were the first one gone; None where the row breaks one alone.

    PostgreSQL tells only the first check that fails, so a row that breaks two hides the loss of the other.
    """
    failure = outcome.failure
    if failure is None or failure.sqlstate != CHECK_VIOLATION or outcome.index < len(statements) - 1:
        return None
    try:
        with connection.transaction(force_rollback=True):
            drop_check(connection, failure)
            for statement in statements:
                execute_last(connection, statement.text)
            execute_last(connection, "SET CONSTRAINTS ALL IMMEDIATE")
    except psycopg.Error as error:
        second = failure_of(error)
        return (
            second if second.sqlstate == CHECK_VIOLATION and second.constraint != failure.constraint else None
        )
    return None


def _alone(judged: Judged, hidden: Failure | None) -> Judged:
    if hidden is None or judged.outcome != "holds":
        return judged
    message = f"the row also breaks {hidden.constraint}, so the proof would hold without the first constraint"
    return replace(judged, outcome="refuted", message=message, next="break one rule alone")


def _decide(claim: Claim, outcome: _Outcome, count: int, names: Names) -> Judged:
    if outcome.timeout:
        return Judged("unproved", f"stopped by the statement timeout: {outcome.message}", "timeout")
    if outcome.failure is not None and outcome.index < count - 1:
        return Judged("refuted", f"statement {outcome.index + 1} of {count} must succeed: {outcome.message}")
    if claim.kind == "refused":
        return judge_refused(claim, outcome.failure, names)
    if outcome.failure is not None:
        return Judged("refuted", f"the last statement failed: {outcome.message}")
    return judge_true(outcome.rows)


def _verdict(
    stage: PostgresStage, proof: ParsedProof, claim: Claim, judged: Judged, place: Location
) -> Verdict:
    evidence = {"data": dict(stage.evidence), "statement": str(place), **dict(judged.found)}
    return Verdict(
        claim.check, "postgres", f"proof:{proof.query.name}", judged.outcome, judged.message, claim=claim.text,
        reason=judged.reason, next=judged.next, evidence=evidence, location=claim.location,
    )  # fmt: skip
