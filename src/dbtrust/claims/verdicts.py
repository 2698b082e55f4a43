"""From what was judged in every example and sample to the one verdict of a claim: the worst counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dbtrust.judge.claims import Judged
from dbtrust.judge.grammar import Claim
from dbtrust.model.location import Location
from dbtrust.model.plan import Engine, Plan
from dbtrust.model.report import Finding, Outcome, Verdict

_BADNESS = {"holds": 0, "not_applicable": 0, "unproved": 1, "refuted": 2}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an execution gave no plan: `reason` is a reason word of the report.

    Without `refutes` it tells of the moment (a deadlock, a full disk) and not of the query.
    """

    reason: str
    message: str
    location: Location
    next: str
    refutes: bool = True


@dataclass(slots=True)
class Case:
    """One example of a query; each sample of the statistics gives plans or a failure.

    `drawn`: nobody wrote the example, its values come from the data.
    """

    label: str
    drawn: bool = False
    samples: list[Sequence[Plan] | Failure] = field(default_factory=list["Sequence[Plan] | Failure"])

    @property
    def failure(self) -> Failure | None:
        return next((s for s in self.samples if isinstance(s, Failure)), None)


@dataclass(frozen=True, slots=True)
class Result:
    """What one example gave: `plans` are shown as evidence."""

    judged: Judged
    label: str
    plans: Sequence[Plan] = ()
    next: str = ""
    drawn: bool = False


def prepares(
    engine: Engine, subject: str, location: Location, cases: Sequence[Case], parameters: bool, step: str,
    sent: Mapping[str, Any] | None = None,
) -> Verdict:  # fmt: skip
    """query.prepares: every example ran; `step` tells how to give one, `sent` which types went to the server."""
    failure = next((case.failure for case in cases if case.failure), None)
    if failure is not None:
        outcome: Outcome = "refuted" if failure.refutes and failure.reason != "timeout" else "unproved"
        return Verdict(
            "query.prepares", engine, subject, outcome, failure.message, reason=failure.reason, next=failure.next,
            location=failure.location,
        )  # fmt: skip
    if not cases:
        message = "it has parameters and no example, so nobody knows the types that it is sent"
        return Verdict(
            "query.prepares",
            engine,
            subject,
            "unproved",
            message,
            reason="no_example",
            next=step,
            location=location,
        )
    ran = f"ran with {len(cases)} example{'s' * (len(cases) != 1)}" if parameters else "ran"
    return Verdict("query.prepares", engine, subject, "holds", ran, evidence=sent or {}, location=location)


JudgePlans = Callable[[Claim, Sequence[Plan]], Judged]


def verdict_of(
    engine: Engine,
    subject: str,
    claim: Claim,
    cases: Sequence[Case],
    judge: JudgePlans,
    data: Mapping[str, Any],
) -> Verdict:
    """The verdict of one claim line over every example, with the worst one's plan as evidence."""
    return worst_of(engine, subject, claim, [case_result(claim, case, judge) for case in cases], data)


def worst_of(
    engine: Engine, subject: str, claim: Claim, results: Sequence[Result], data: Mapping[str, Any]
) -> Verdict:
    """The verdict of one claim line from what its examples gave; the worst counts.

    What is refuted with drawn values alone is unproved: the author may know that nobody sends them.
    """
    worst = max(results, key=lambda r: _BADNESS[r.judged.outcome])
    evidence: dict[str, Any] = {"data": dict(data), "examples": len(results)}
    if worst.label:
        evidence["example"] = worst.label
    if drawn := [r.label for r in results if r.drawn]:
        evidence["drawn"] = drawn
    evidence |= dict(worst.judged.found)
    if worst.judged.node is not None:
        evidence["node"] = worst.judged.node.to_dict()
    if worst.plans:
        evidence["plan"] = worst.plans[0].to_dict()
        if len(worst.plans) > 1:
            evidence["plans"] = [plan.to_dict() for plan in worst.plans]
    judged, step = worst.judged, worst.next or worst.judged.next
    if worst.drawn and judged.outcome == "refuted" and judged.reason != "missing_object":
        judged = Judged("unproved", f"with {worst.label}: {judged.message}", "no_example")
        step = "add an example with the values that are really sent, or mend the query"
    return Verdict(
        claim.check, engine, subject, judged.outcome, judged.message, claim=claim.text,
        reason=judged.reason, next=step, evidence=evidence, location=claim.location,
    )  # fmt: skip


def case_result(claim: Claim, case: Case, judge: JudgePlans) -> Result:
    """What one example says of a claim over all samples: where they differ, nothing is proven."""
    if (failure := case.failure) is not None:
        return Result(failed(failure), case.label, (), failure.next, case.drawn)
    results = [
        Result(judge(claim, plans), case.label, plans, drawn=case.drawn)
        for plans in case.samples
        if not isinstance(plans, Failure)
    ]
    if not results:
        return Result(Judged("unproved", "it was not run", "no_example"), case.label, (), _NO_EXAMPLE)
    if len({r.judged.outcome for r in results}) == 1:
        return results[0]
    worst = max(results, key=lambda r: _BADNESS[r.judged.outcome])
    said = ", ".join(r.judged.outcome for r in results)
    message = f"the plan changes between samples of the same rows ({said}): {worst.judged.message}"
    undecided = Judged("unproved", message, "undecided", worst.judged.node, worst.judged.found)
    return Result(undecided, case.label, worst.plans, _UNDECIDED, case.drawn)


def drawn_findings(verdicts: Sequence[Verdict]) -> list[Finding]:
    """claim.drawn: a claim that fails with values that nobody wrote, so nobody knows whether they are sent."""
    return [
        Finding(
            "claim.drawn", "warning", v.engine, v.subject, f"`{v.claim}` fails {v.message}", fix=v.next,
            evidence={"example": v.evidence.get("example", "")}, location=v.location,
        )
        for v in verdicts
        if v.reason == "no_example" and v.evidence.get("drawn")
    ]  # fmt: skip


_NO_EXAMPLE = "add an -- example: line"
_UNDECIDED = "raise the statistics target, or make the query's choice clearer"


def failed(failure: Failure) -> Judged:
    """A claim over a query that did not run."""
    return Judged("unproved", failure.message, failure.reason, next=failure.next)
