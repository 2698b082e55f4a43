"""Query methods and their plan claims on MongoDB.

A method runs once per example on a scratch copy under a command listener; each command that it sent is then
explained against the data as they were before, on the copy that nothing writes to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pymongo.errors

from dbtrust.claims import drawn_mongo
from dbtrust.claims.copies import needs_copy
from dbtrust.claims.faster import judge_faster
from dbtrust.claims.faster_mongo import Pairs
from dbtrust.claims.verdicts import Case, Failure, Result, failed, prepares, verdict_of, worst_of
from dbtrust.engine.mongo.capture import Recorded
from dbtrust.engine.mongo.command_text import command_text
from dbtrust.engine.mongo.errors import describe, lost, passing
from dbtrust.engine.mongo.explain import Verbosity, explain
from dbtrust.engine.mongo.limits import limited
from dbtrust.judge.claims import Judged, Names, judge_commands, missing_object
from dbtrust.judge.grammar import Claim
from dbtrust.model.errors import DbtrustError, ServerError
from dbtrust.model.plan import Plan
from dbtrust.model.progress import Progress
from dbtrust.model.report import Verdict
from dbtrust.source.modules import raised
from dbtrust.source.objects import MongoMethod
from dbtrust.stage.lazy import exhausted
from dbtrust.stage.mongo import MongoStage, Scratch


@dataclass(frozen=True, slots=True)
class Ran:
    """What one example did: the commands that were sent and what the method returned, an iterator as a list."""

    label: str
    commands: list[Recorded]
    value: Any


@dataclass(slots=True)
class ParsedMethod:
    """A method and its claims as the grammar reads them; `ran` are the examples that ran without an error."""

    method: MongoMethod
    claims: tuple[Claim, ...]
    cases: list[Case] = field(default_factory=list[Case])
    ran: list[Ran] = field(default_factory=list[Ran])
    #: Why no arguments could be drawn for a method without an example.
    undrawn: str = ""

    def not_run(self) -> Failure:
        """What there is to say of a method that has no case."""
        why = f": {self.undrawn}" if self.undrawn else ""
        message = f"it was not run, it has parameters and no example{why}"
        return Failure("no_example", message, self.method.location, "add @example(...)")


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

    found, item.undrawn = drawn_mongo.draw(method, stage.reading(), commands_of)
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
    if not results:
        results = [Result(missing_object(claim, names) or failed(item.not_run()), "")]
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
    recorded = ran.commands if ran is not None else []
    commands = [c.command for c in recorded if c.explainable]
    unseen = next((c.unexplained for c in recorded if c.unexplained), "")
    if judged is None and unseen:
        judged = Judged("unproved", unseen, "server_error")
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
        case.samples.append(plans_of(stage, commands))
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


def plans_of(stage: MongoStage, commands: Sequence[Recorded]) -> list[Plan]:
    """The plans of what a method sent; one without nodes, which proves nothing, for what may have read unseen."""
    plans: list[Plan] = []
    for command in commands:
        if command.unexplained:
            text = command_text(command.command)
            plans.append(Plan("mongo", (), analyzed=False, command=text, unknown=(command.unexplained,)))
        elif command.explainable:
            found = explain(stage.reading(), command.command, verbosity=_verbosity(stage, command.name))
            plans += [_with_values(plan, command) for plan in found] if stage.live is None else found
    return plans


def _with_values(plan: Plan, command: Recorded) -> Plan:
    """A distinct returns values, and only the answer to the method tells how many; it read the same data."""
    if command.values is None or not plan.analyzed:
        return plan
    return replace(plan, totals={**plan.totals, "returned": command.values})


def run_recorded(
    scratch: Scratch, call: Callable[[Any], object], asynchronous: bool = False
) -> tuple[list[Recorded], Any]:
    """The commands that `call` sent to the scratch copy, and what it returned.

    The copy is renewed afterwards if one of the commands wrote. Raises ExecutionTimeout for what does not end
    and DbtrustError for what wrote to another database of a server that is not ours.
    """
    database = scratch.database()
    commands: list[Recorded] = []
    try:
        with scratch.capture.recording() as commands, limited() as clock:
            value = scratch.run_async(call) if asynchronous else exhausted(call(database), clock)
        scratch.refuse_strays(commands, database.name)
    except Exception:
        scratch.refuse_strays(commands, database.name)
        raise
    finally:
        for command in commands:
            command.own = command.database == database.name
        if any(command.wrote for command in commands):
            scratch.spoil()
    return list(commands), value


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

    cases = item.cases or [Case("", samples=[item.not_run()])]
    missing = missing_object(claim, names)
    if missing is not None and (failed_one := next((c for c in cases if c.failure), None)) is not None:
        # What is gone may be why it failed: a $text or a hint without its index.
        return worst_of(
            "mongo", item.method.subject, claim, [Result(missing, failed_one.label)], stage.evidence
        )
    return verdict_of("mongo", item.method.subject, claim, cases, judge_plans, stage.evidence)
