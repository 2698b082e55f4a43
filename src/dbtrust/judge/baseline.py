"""Plans of now against a baseline: the verdict, and what the baseline becomes when it is taken again."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dbtrust.judge.claims import Judged, Names
from dbtrust.judge.signature import Line, index_named, postgres_lines, unquoted
from dbtrust.judge.signature_mongo import mongo_lines
from dbtrust.model.baseline import Baseline, Decision, Example
from dbtrust.model.plan import Node, Plan

ACCEPT = "accept it with dbtrust claims baseline, or undo the change"
TAKE = "take it with dbtrust claims baseline"
_BADNESS = {"holds": 0, "unproved": 1, "refuted": 2}
Key = tuple[str, str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Sample:
    """The decisions of one sample: the lines of the tree, and the planner's total where it has one."""

    lines: tuple[Line, ...]
    cost: float | None
    plans: tuple[Plan, ...] = ()

    @property
    def decision(self) -> Decision:
        """As a baseline keeps it: the cost with three significant digits."""
        return Decision(tuple(line.text for line in self.lines), _rounded(self.cost))


@dataclass(slots=True)
class Seen:
    """One example as it runs now. `problem` says why there is nothing to compare."""

    label: str
    given: str
    choices: Mapping[str, str] = field(default_factory=dict[str, str])
    samples: list[Sample] = field(default_factory=list[Sample])
    problem: Judged | None = None

    @property
    def title(self) -> str:
        words = ", ".join(f"{name} = {word}" for name, word in self.choices.items())
        return ", ".join(filter(None, (self.label or self.given, words)))


def sample_of(plans: Sequence[Plan], names: Names) -> Sample | None:
    """None where there is no plan, or one that this dbtrust does not know."""
    if not plans or any(plan.unknown for plan in plans):
        return None
    if plans[0].engine == "mongo":
        return Sample(mongo_lines(plans), None, tuple(plans))
    cost = plans[0].totals.get("cost")
    return Sample(
        postgres_lines(plans[0], names.keys), cost if isinstance(cost, (int, float)) else None, tuple(plans)
    )


def _rounded(cost: float | None) -> float | None:
    return None if cost is None else float(f"{cost:.3g}")


def judge_baseline(baseline: Baseline, seen: Sequence[Seen], names: Names, server: str) -> Judged:
    """The worst over the examples of both sides. `server` is the major version of now."""
    if server != baseline.server:
        message = f"the baseline is of version {baseline.server}, the server is {server}: plans of different versions are not compared"
        return Judged("unproved", message, "version", next=TAKE)
    judged = [_example(recorded, now, names) for recorded, now in paired(baseline.examples, seen)]
    if not judged:
        return Judged("unproved", "the baseline holds no example", "no_example", next=TAKE)
    worst = max(judged, key=lambda j: _BADNESS[j.outcome])
    if worst.outcome == "holds":
        plans = sum(len(example.plans) for example in baseline.examples)
        message = f"{len(judged)} example{'s' * (len(judged) != 1)}, {plans} plan{'s' * (plans != 1)}: as in the baseline"
        return replace(worst, message=message)
    return worst


def paired(recorded: Sequence[Example], seen: Sequence[Seen]) -> Iterator[tuple[Example | None, Seen | None]]:
    """Each example of both sides once: the same values first, then the same label with other values."""
    left = list(recorded)
    found: dict[int, Example] = {}
    for same in (_values, _label):
        for number, now in enumerate(seen):
            match = next((e for e in left if number not in found and same(e) == same(now)), None)
            if match is not None:
                left.remove(match)
                found[number] = match
    for number, now in enumerate(seen):
        yield found.get(number), now
    for example in left:
        yield example, None


def _values(example: Example | Seen) -> Any:
    return example.given, tuple(sorted(example.choices.items()))


def _label(example: Example | Seen) -> Any:
    # A label that is only the text of the values says nothing about other values.
    own = "" if example.label == example.given else example.label
    return own, tuple(sorted(example.choices.items()))


def _example(recorded: Example | None, now: Seen | None, names: Names) -> Judged:
    if now is None:
        assert recorded is not None
        said = f"the example {recorded.label or recorded.given or 'without values'} of the baseline is gone"
        return Judged("unproved", said, "no_example", next=TAKE)
    if now.problem is not None:
        gone = _gone(recorded, names) if recorded is not None else None
        return replace(gone or now.problem, found={"example": now.title})
    if recorded is None:
        said = f"the example {now.title or 'without values'} is not in the baseline"
        return Judged("unproved", said, "no_example", found={"example": now.title}, next=TAKE)
    judged = _compared(recorded, now, names)
    if judged.outcome != "holds" and recorded.given != now.given:
        said = f"the example changed ({recorded.given} became {now.given}), and its plan is another one"
        return Judged("unproved", said, "no_example", judged.node, judged.found, TAKE)
    return judged


def _compared(recorded: Example, now: Seen, names: Names) -> Judged:
    accepted = {plan.tree for plan in recorded.plans}
    strange = [sample for sample in now.samples if sample.decision.tree not in accepted]
    if strange and len(strange) < len(now.samples):
        evidence = _difference(recorded, now, strange[0])
        said = "the plan changes between samples of the same rows, and one of them is not in the baseline"
        return Judged("unproved", said, "undecided", evidence.node, evidence.found, TAKE)
    if strange:
        return _difference(recorded, now, strange[0])
    judged = _gone(recorded, names) or Judged("holds", "")
    return replace(judged, found=_costs(recorded, now, now.samples[0]))


def _gone(recorded: Example, names: Names) -> Judged | None:
    """Refuted where an index of an accepted plan is gone, whether or not the query runs without it."""
    gone = next((index for plan in recorded.plans for index in missing_indexes(plan.tree, names)), None)
    if gone is None:
        return None
    said = f"there is no index {gone}, which a plan of the baseline uses"
    return Judged("refuted", said, "missing_object", next=ACCEPT)


def _difference(recorded: Example, now: Seen, sample: Sample) -> Judged:
    """Refuted, with a tree diff against the most similar plan of the baseline and the first node that differs."""
    tree = sample.decision.tree
    nearest = max(recorded.plans, key=lambda plan: difflib.SequenceMatcher(None, plan.tree, tree).ratio())
    lines = list(difflib.unified_diff(nearest.tree, tree, "baseline", "now", lineterm="", n=2))
    node = _first_node(nearest.tree, sample.lines)
    found = _costs(recorded, now, sample, nearest) | {"difference": lines}
    before, after = found.get("cost_before"), found.get("cost_after")
    costs = f"; cost {before:g} before, {after:g} now" if before is not None and after is not None else ""
    was = next((line[1:].strip() for line in lines[3:] if line.startswith("-")), "")
    new = next((line[1:].strip() for line in lines[3:] if line.startswith("+")), "")
    what = f"{was} became {new}" if was and new else f"{new} is new" if new else f"{was} is gone"
    return Judged("refuted", f"another plan than in the baseline: {what}{costs}", "", node, found, ACCEPT)


def _costs(recorded: Example, now: Seen, sample: Sample, plan: Decision | None = None) -> dict[str, Any]:
    """The example and what the planner estimated before and now."""
    tree = sample.decision.tree
    before = plan or next((p for p in recorded.plans if p.tree == tree), None)
    costs = {"cost_before": before.cost if before else None, "cost_after": _rounded(sample.cost)}
    head = {"example": now.title} if now.title else {}
    return head | {name: cost for name, cost in costs.items() if cost is not None}


def _first_node(before: Sequence[str], lines: Sequence[Line]) -> Node | None:
    """The node of the first line that is not as it was; the last one where lines are only gone from the end."""
    number = next(
        (n for n, line in enumerate(lines) if n >= len(before) or before[n] != line.text), len(lines) - 1
    )
    return next((line.node for line in reversed(lines[: number + 1]) if line.node), None)


def missing_indexes(tree: Iterable[str], names: Names) -> list[str]:
    """The indexes that a tree names and that do not exist, as they stand there."""
    named = (index_named(line) for line in tree)
    return [index for index in named if index and not _exists(index, names)]


def _exists(index: str, names: Names) -> bool:
    """MongoDB's own _id_ is in no catalog of what was declared."""
    schema, name = unquoted(index)
    return name == "_id_" or any(n == name and s in ("", schema or "public") for s, n in names.indexes)


def taken(old: Baseline | None, new: Baseline, names: Names) -> Baseline:
    """What is written: the new baseline, but what did not change stays as it is in the old one.

    Near a tie every plan that was ever accepted stays accepted as long as one of them is still taken and their
    indexes exist. Costs of known plans stay: they differ a little with each sample.
    """
    if old is None or old.server != new.server:
        return new
    seen = [Seen(e.label, e.given, e.choices) for e in new.examples]
    before = {id(now): was for was, now in paired(old.examples, seen) if now is not None and was is not None}
    examples = [_kept(before.get(id(s)), e, names) for s, e in zip(seen, new.examples, strict=True)]
    return replace(new, examples=tuple(examples))


def _kept(was: Example | None, now: Example, names: Names) -> Example:
    if was is None or not {plan.tree for plan in was.plans} & {plan.tree for plan in now.plans}:
        return now
    known = [plan for plan in was.plans if not missing_indexes(plan.tree, names)]
    trees = {plan.tree for plan in known}
    plans = known + [plan for plan in now.plans if plan.tree not in trees]
    return replace(now, plans=tuple(sorted(plans, key=lambda plan: plan.tree)))
