"""Query methods and their plan claims on MongoDB.

A method runs once per example on a scratch copy under a command listener; each command that it sent is then
explained against the data as they were before, on the copy that nothing writes to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pymongo.errors

from dbtrust.claims.verdicts import Case, Failure, prepares, verdict_of
from dbtrust.engine.mongo.errors import describe
from dbtrust.engine.mongo.explain import explain
from dbtrust.judge.claims import Judged, Names, judge_commands
from dbtrust.judge.grammar import Claim
from dbtrust.model.errors import DbtrustError
from dbtrust.model.plan import Plan
from dbtrust.model.progress import Progress
from dbtrust.model.report import Verdict
from dbtrust.source.modules import raised
from dbtrust.source.objects import MongoMethod
from dbtrust.stage.mongo import MongoStage, Scratch


@dataclass(frozen=True, slots=True)
class Ran:
    """What one example did: the commands that were sent and what the method returned, an iterator as a list."""

    label: str
    commands: list[Any]
    value: Any


@dataclass(slots=True)
class ParsedMethod:
    """A method and its claims as the grammar reads them; `ran` are the examples that ran without an error."""

    method: MongoMethod
    claims: tuple[Claim, ...]
    cases: list[Case] = field(default_factory=list[Case])
    ran: list[Ran] = field(default_factory=list[Ran])


def judge_methods(
    stage: MongoStage, scratch: Scratch, parsed: Sequence[ParsedMethod], names: Names, progress: Progress
) -> list[Verdict]:
    """query.prepares and claim.* of every method that makes a claim."""
    verdicts: list[Verdict] = []
    for item in parsed:
        progress(f"running {item.method.subject}")
        item.cases = [run_case(stage, scratch, item, example) for example in _examples(item.method)]
        verdicts.append(_prepares(item))
        verdicts += [_claim(stage, item, claim, names) for claim in item.claims]
    return verdicts


def _examples(method: MongoMethod) -> Sequence[Any]:
    return method.examples or ([] if method.parameters else [None])


def run_case(stage: MongoStage, scratch: Scratch, item: ParsedMethod, example: Any) -> Case:
    """One example (None: no values) run and its commands explained: one sample, plans or a failure."""
    method = item.method
    label = (example.label or ", ".join(f"{k}={v!r}" for k, v in example.values.items())) if example else ""
    case = Case(label)
    place = example.location if example else method.location
    try:
        values: dict[str, Any] = dict(example.values) if example else {}
        commands, value = run_recorded(scratch, lambda db: method.call(db, values), method.asynchronous)
        item.ran.append(Ran(label, commands, value))
        plans = [
            plan
            for command in commands
            if command.explainable
            for plan in explain(stage.reading(), command.command)
        ]
        case.samples.append(plans)
    except pymongo.errors.ExecutionTimeout as error:
        case.samples.append(
            Failure("timeout", describe(error), place, "make the query or its example cheaper")
        )
    except pymongo.errors.PyMongoError as error:
        case.samples.append(Failure("server_error", describe(error), place, "mend the method or its example"))
    except DbtrustError as error:
        case.samples.append(Failure("server_error", error.message, error.location, error.next))
    except Exception as error:
        wrong = raised(error, method.root, method.subject)
        case.samples.append(
            Failure(
                "server_error", wrong.message, wrong.location if wrong.location.file else place, wrong.next
            )
        )
    return case


def run_recorded(
    scratch: Scratch, call: Callable[[Any], object], asynchronous: bool = False
) -> tuple[list[Any], Any]:
    """The commands that `call` sent to the scratch copy, and what it returned.

    The copy is renewed afterwards if one of the commands wrote.
    """
    database = scratch.database()
    commands: list[Any] = []
    try:
        with scratch.capture.recording() as commands:
            value = scratch.run_async(call) if asynchronous else exhausted(call(database))
    finally:
        if any(command.wrote for command in commands):
            scratch.spoil()
    return list(commands), value


def exhausted(value: Any) -> Any:
    """Runs an iterator (a cursor, a generator) to its end, as the caller of the method would: its values as a list."""
    return list(value) if hasattr(value, "__next__") else value


def _prepares(item: ParsedMethod) -> Verdict:
    method = item.method
    return prepares(
        "mongo", method.subject, method.location, item.cases, bool(method.parameters), "add @example(...)"
    )


def _claim(stage: MongoStage, item: ParsedMethod, claim: Claim, names: Names) -> Verdict:
    def judge_plans(claim: Claim, plans: Sequence[Plan]) -> Judged:
        if stage.errors:
            return Judged("unproved", "the data could not be loaded", "no_data")
        return judge_commands(claim, plans, names)

    cases = item.cases or [Case("")]
    return verdict_of("mongo", item.method.subject, claim, cases, judge_plans, stage.evidence)
