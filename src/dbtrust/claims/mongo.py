"""Query methods and their plan claims on MongoDB.

A method runs once per example on a scratch copy under a command listener; each command that it sent is then
explained against the data as they were before, on the copy that nothing writes to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pymongo.errors

from dbtrust.claims import drawn_mongo
from dbtrust.claims.copies import needs_copy
from dbtrust.claims.faster import judge_faster
from dbtrust.claims.faster_mongo import Pairs
from dbtrust.claims.verdicts import Case, Failure, Result, failed, prepares, verdict_of, worst_of
from dbtrust.engine.mongo.errors import describe, lost, passing
from dbtrust.engine.mongo.explain import Verbosity, explain
from dbtrust.engine.mongo.limits import Clock, limited
from dbtrust.judge.claims import Judged, Names, judge_commands, missing_object
from dbtrust.judge.grammar import Claim
from dbtrust.model.errors import DbtrustError, ServerError
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
    claims = judge_claims(stage, scratch, parsed, names, progress)
    return [*(_prepares(item) for item in parsed), *claims]


def judge_claims(
    stage: MongoStage, scratch: Scratch, parsed: Sequence[ParsedMethod], names: Names, progress: Progress
) -> list[Verdict]:
    """claim.* alone."""
    verdicts: list[Verdict] = []
    for item in parsed:
        progress(f"running {item.method.subject}")
        item.cases = [run_case(stage, scratch, item, example) for example in _examples(item.method)]
        if not item.cases and item.claims and not stage.errors and stage.live is None:
            item.cases = _drawn(stage, scratch, item)
        for claim in item.claims:
            if claim.kind == "faster" and stage.live is None:
                progress(f"measuring {item.method.subject}: {claim.text}")
                verdicts.append(_faster(stage, scratch, item, claim, names))
            else:
                verdicts.append(_claim(stage, item, claim, names))
    return verdicts


def _examples(method: MongoMethod) -> Sequence[Any]:
    return method.examples or ([] if method.parameters else [None])


def _drawn(stage: MongoStage, scratch: Scratch, item: ParsedMethod) -> list[Case]:
    method = item.method

    def commands_of(values: Any) -> list[Any]:
        return run_recorded(scratch, lambda db: method.call(db, values), method.asynchronous)[0]

    found = drawn_mongo.draw(method, stage.reading(), commands_of)
    cases = [run_case(stage, scratch, item, example) for example in found]
    for case in cases:
        case.drawn = True
        case.samples = [_unwanted(s) if isinstance(s, Failure) else s for s in case.samples]
    return cases


def _unwanted(failure: Failure) -> Failure:
    """A method that fails with values that nobody wrote: they may be none that it ever gets."""
    return Failure("no_example", failure.message, failure.location, "add @example(...)")


def _faster(stage: MongoStage, scratch: Scratch, item: ParsedMethod, claim: Claim, names: Names) -> Verdict:
    results = [_faster_case(stage, scratch, item, case, claim, names) for case in item.cases]
    results = results or [Result(Judged("unproved", "it was not run", "no_example"), "")]
    return worst_of("mongo", item.method.subject, claim, results, stage.evidence)


def _faster_case(
    stage: MongoStage, scratch: Scratch, item: ParsedMethod, case: Case, claim: Claim, names: Names
) -> Result:
    ran = next((ran for ran in item.ran if ran.label == case.label), None)
    judged = missing_object(claim, names)
    if judged is None and case.failure is not None:
        judged = failed(case.failure)
    if judged is None and stage.errors:
        judged = Judged("unproved", "the data could not be loaded", "no_data")
    commands = [c.command for c in ran.commands if c.explainable] if ran is not None else []
    if judged is None and not commands:
        judged = Judged("unproved", "the method sent no command that can be measured", "server_error")
    if judged is not None:
        return Result(judged, case.label, drawn=case.drawn)
    assert claim.index is not None and claim.number is not None
    try:
        pairs = Pairs(scratch.database(), claim.index.name, commands)
        judged = judge_faster(claim.number, str(claim.index), pairs.pair)
    finally:
        scratch.spoil()
    plans = [plans for plans in case.samples if not isinstance(plans, Failure)]
    return Result(judged, case.label, plans[0] if plans else (), drawn=case.drawn)


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
            for plan in explain(
                stage.reading(),
                command.command,
                verbosity=_verbosity(stage, command.name),
            )
        ]
        case.samples.append(plans)
    except pymongo.errors.ExecutionTimeout as error:
        case.samples.append(
            Failure("timeout", describe(error), place, "make the query or its example cheaper")
        )
    except pymongo.errors.PyMongoError as error:
        if lost(error):
            raise
        step = "run again" if passing(error) else "mend the method or its example"
        case.samples.append(Failure("server_error", describe(error), place, step, refutes=not passing(error)))
    except ServerError:
        raise
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


def _verbosity(stage: MongoStage, name: str) -> Verbosity:
    """On a database that is not ours what would write is not even searched for."""
    writes = name in ("update", "delete", "findAndModify", "findandmodify")
    return "executionStats" if stage.executes and not (writes and stage.live is not None) else "queryPlanner"


def run_recorded(
    scratch: Scratch, call: Callable[[Any], object], asynchronous: bool = False
) -> tuple[list[Any], Any]:
    """The commands that `call` sent to the scratch copy, and what it returned.

    The copy is renewed afterwards if one of the commands wrote. Raises ExecutionTimeout for what does not end
    and DbtrustError for what wrote to another database of a server that is not ours.
    """
    database = scratch.database()
    commands: list[Any] = []
    try:
        with scratch.capture.recording() as commands, limited() as clock:
            value = scratch.run_async(call) if asynchronous else exhausted(call(database), clock)
        scratch.refuse_strays(commands, database.name)
    except Exception:
        scratch.refuse_strays(commands, database.name)
        raise
    finally:
        if any(command.wrote for command in commands):
            scratch.spoil()
    return list(commands), value


def exhausted(value: Any, clock: Clock) -> Any:
    """Runs an iterator (a cursor, a generator) to its end, as the caller of the method would: its values as a list."""
    return list(clock.steps(value)) if hasattr(value, "__next__") else value


def _prepares(item: ParsedMethod) -> Verdict:
    method = item.method
    cases = [case for case in item.cases if not case.drawn]
    return prepares(
        "mongo", method.subject, method.location, cases, bool(method.parameters), "add @example(...)"
    )


def _claim(stage: MongoStage, item: ParsedMethod, claim: Claim, names: Names) -> Verdict:
    def judge_plans(claim: Claim, plans: Sequence[Plan]) -> Judged:
        if stage.errors:
            return Judged("unproved", "the data could not be loaded", "no_data")
        if stage.live is not None and (judged := needs_copy(claim)) is not None:
            return missing_object(claim, names) or judged
        return judge_commands(claim, plans, names)

    cases = item.cases or [Case("")]
    return verdict_of("mongo", item.method.subject, claim, cases, judge_plans, stage.evidence)
