"""claim.baseline: the plans of every example against the file that the repository keeps, for any server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dbtrust.claims.verdicts import Case
from dbtrust.judge.baseline import Seen, judge_baseline, sample_of, taken
from dbtrust.judge.claims import Judged, Names
from dbtrust.model.baseline import Baseline, Decision, Example
from dbtrust.model.engine import Engine
from dbtrust.model.location import Location
from dbtrust.model.report import Verdict

CHECK = "claim.baseline"
#: Samples of the statistics that a baseline is taken over: at least so many, and until so many in a row brought
#: no plan that was not seen before, but never more than the last number.
LEAST, QUIET, MOST = 12, 10, 32


@dataclass(slots=True)
class Observed:
    """A query and what its examples do now. `server` is the major version, `data` what verdicts name as data."""

    engine: Engine
    subject: str
    location: Location
    server: str
    data: Mapping[str, Any]
    examples: list[Seen] = field(default_factory=list[Seen])

    @property
    def problem(self) -> Judged | None:
        """Why no baseline can be taken."""
        if not self.examples:
            return Judged("unproved", "it has parameters and no example", "no_example", next="add an example")
        return next((e.problem for e in self.examples if e.problem), None)


def seen(case: Case, label: str, given: str, choices: Mapping[str, str], names: Names, *, data: bool) -> Seen:
    """The samples of one case; `data` False: the data could not be loaded, so its plans say nothing."""
    found = Seen(label, given, choices)
    if (failure := case.failure) is not None:
        found.problem = Judged("unproved", failure.message, failure.reason, next=failure.next)
        return found
    for plans in case.samples:
        add(found, plans, names)
    if not data:
        found.problem = Judged("unproved", "the data could not be loaded", "no_data")
    elif not found.samples and found.problem is None:
        found.problem = Judged("unproved", "the statement has no plan", "server_error")
    return found


def add(found: Seen, plans: Any, names: Names) -> None:
    """Adds one sample, or says why its plans cannot be compared."""
    sample = sample_of(plans, names)
    if sample is not None:
        found.samples.append(sample)
    elif plans:
        unknown = sorted({name for plan in plans for name in plan.unknown})
        said = f"the plan holds {', '.join(unknown)}, which this dbtrust does not know"
        unseen = [plan for plan in plans if plan.unknown and not plan.nodes]
        if unseen:
            said = "; ".join(unseen[0].unknown)
        found.problem = Judged("unproved", said, "server_error" if unseen else "version")


def judge_baselines(
    observed: Iterable[Observed], baselines: Mapping[str, Baseline], names: Names
) -> list[Verdict]:
    """One verdict for each query that has a baseline; `baselines` by subject."""
    verdicts: list[Verdict] = []
    for item in observed:
        if (baseline := baselines.get(item.subject)) is not None:
            judged = judge_baseline(baseline, item.examples, names, item.server)
            verdicts.append(_verdict(item, baseline, judged))
    return verdicts


def _verdict(item: Observed, baseline: Baseline, judged: Judged) -> Verdict:
    evidence: dict[str, Any] = {"data": dict(item.data), "baseline": baseline.location.file}
    evidence |= dict(judged.found)
    message = judged.message
    if judged.outcome == "refuted" and (then := _other_data(item.data, baseline.data)):
        message += f" (the baseline was taken at other {then})"
        evidence["baseline_data"] = dict(baseline.data)
    if judged.node is not None:
        evidence["node"] = judged.node.to_dict()
    plans = _plans(item, evidence.get("example"), judged)
    if plans:
        evidence["plan"] = plans[0]
        if len(plans) > 1:
            evidence["plans"] = plans
    return Verdict(
        CHECK, item.engine, item.subject, judged.outcome, message, reason=judged.reason, next=judged.next,
        evidence=evidence, location=item.location,
    )  # fmt: skip


def _plans(item: Observed, title: Any, judged: Judged) -> list[dict[str, Any]]:
    """The plans of the sample that the node is from, else of the first sample of the example."""
    samples = [s for e in item.examples if e.title == (title or "") for s in e.samples]
    wanted = (
        [s for s in samples if judged.node in [line.node for line in s.lines]] if judged.node else samples
    )
    return [plan.to_dict() for plan in (wanted or samples)[0].plans] if samples else []


def _other_data(now: Mapping[str, Any], then: Mapping[str, Any]) -> str:
    """Which of rows and settings differ from those of the baseline."""
    return " and ".join(key for key in ("rows", "settings") if key in then and now.get(key) != then[key])


def gone_baselines(
    baselines: Iterable[Baseline], known: set[tuple[Engine, str]], *, unreadable: bool
) -> list[Verdict]:
    """A verdict for each baseline whose query does not exist; `unreadable`: it may stand in a file with an error."""
    return [
        Verdict(
            CHECK, b.engine, b.subject, "unproved", "its query was not found, but not every file could be read",
            reason="missing_object", next="mend the errors", location=b.location,
        )
        if unreadable
        else Verdict(
            CHECK, b.engine, b.subject, "refuted", "the query of this baseline is gone", reason="missing_object",
            next="dbtrust claims baseline removes the file; a renamed query gets a new one", location=b.location,
        )
        for b in baselines
        if (b.engine, b.subject) not in known
    ]  # fmt: skip


def baseline_of(item: Observed, old: Baseline | None, names: Names) -> Baseline:
    """What is to be kept of a query without a problem, over all of its samples."""
    data = {key: item.data[key] for key in ("rows", "settings") if item.data.get(key)}
    examples = tuple(Example(e.label, e.given, dict(e.choices), _decisions(e)) for e in item.examples)
    return taken(old, Baseline(item.subject, item.engine, item.server, data, examples), names)


def _decisions(example: Seen) -> tuple[Decision, ...]:
    """Each tree once, with the cost of its first sample, in the order of the texts."""
    first: dict[tuple[str, ...], Decision] = {}
    for sample in example.samples:
        first.setdefault(sample.decision.tree, sample.decision)
    return tuple(first[tree] for tree in sorted(first))
