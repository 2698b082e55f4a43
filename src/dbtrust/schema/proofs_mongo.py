"""Proofs on MongoDB: each function runs on a scratch copy, renewed after one that wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pymongo.errors

from dbtrust.engine.mongo.errors import Failure, describe, failure_of, lost
from dbtrust.engine.mongo.limits import OutOfTime, limited
from dbtrust.judge.claims import Judged, Names
from dbtrust.judge.grammar import Claim
from dbtrust.judge.outcomes import judge_refused, judge_true
from dbtrust.model.report import Verdict
from dbtrust.source.modules import raised
from dbtrust.source.objects import MongoProof
from dbtrust.stage.mongo import MongoStage, Scratch


@dataclass(frozen=True, slots=True)
class ParsedMongoProof:
    """A proof function and its outcome claim."""

    proof: MongoProof
    claim: Claim


def judge_proofs(
    stage: MongoStage, scratch: Scratch, proofs: Sequence[ParsedMongoProof], names: Names
) -> list[Verdict]:
    """proof.refused and proof.true of every proof function."""
    return [_judge(stage, scratch, item, names) for item in proofs]


def _judge(stage: MongoStage, scratch: Scratch, item: ParsedMongoProof, names: Names) -> Verdict:
    database = scratch.database()
    commands: list[Any] = []
    failure, result, crash, endless = None, None, None, ""
    try:
        with scratch.capture.recording() as commands, limited():
            result = item.proof.function(database)
    except OutOfTime as error:
        endless = describe(error)
    except pymongo.errors.PyMongoError as error:
        if lost(error):
            raise
        failure = failure_of(error)
    except Exception as error:
        crash = raised(error, item.proof.root, f"proof {item.proof.name}")
    stray = scratch.strays(commands, database.name)
    if any(command.wrote for command in commands):
        scratch.spoil()
    if stray is not None:
        judged = Judged("refuted", stray.message, "server_error", next=stray.next)
    elif endless:
        judged = Judged("unproved", endless, "timeout", next="make the proof cheaper")
    elif crash:
        judged = Judged("refuted", crash.message)
    else:
        judged = _decide(item.claim, failure, result, commands, names)
    place = crash.location if crash and crash.location.file else item.claim.location
    evidence = {"data": dict(stage.evidence), "commands": [c.name for c in commands], **dict(judged.found)}
    return Verdict(
        item.claim.check, "mongo", f"proof:{item.proof.name}", judged.outcome, judged.message, claim=item.claim.text,
        reason=judged.reason, next=judged.next, evidence=evidence, location=place,
    )  # fmt: skip


def _decide(
    claim: Claim, failure: Failure | None, result: object, commands: Sequence[Any], names: Names
) -> Judged:
    if claim.kind != "refused":
        if failure is not None:
            return Judged("refuted", f"the server refused: {failure.message}")
        return judge_true([[result]])
    if failure is not None and not (commands and commands[-1].failed):
        return Judged("refuted", f"{failure.message} was not raised by the last command")
    return judge_refused(claim, failure, names)
