"""Rules over a snapshot: the findings, and what could not be examined, each thing once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from dbtrust.model.report import Finding, NotExamined
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.ranking import ranked
from dbtrust.monitor.rule import Rule

#: What is said of a section that a snapshot lacks without saying why.
_UNSAID = "a snapshot that holds them: take it again with this version of dbtrust"


def judge(
    rules: Sequence[Rule], now: Snapshot, earlier: Snapshot | None
) -> tuple[list[Finding], list[NotExamined]]:
    """`earlier` is a snapshot of the same server, or None: then the counters' own age is the period.

    Each finding has its rank in its evidence (ranking.py). A section that is absent stands in `not_examined` under its name, followed by the rules that need it.
    """
    findings: list[Finding] = []
    blind: defaultdict[str, list[str]] = defaultdict(list)
    for rule in rules:
        missing = [name for name in rule.needs if name not in now.sections]
        for name in missing:
            blind[name].append(rule.id)
        if not missing:
            findings += map(ranked, rule.decide(now, earlier))
    return findings, _once(_not_examined(now.not_examined, blind))


def _once(items: Iterable[NotExamined]) -> list[NotExamined]:
    """One entry for each thing that is needed."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for item in items:
        found[item.needs].append(item.what)
    return [NotExamined(", ".join(what), needs) for needs, what in found.items()]


def _not_examined(said: Iterable[NotExamined], blind: dict[str, list[str]]) -> Iterable[NotExamined]:
    told: set[str] = set()
    for item in said:
        told.add(item.what)
        ids = blind.get(item.what)
        yield replace(item, what=f"{item.what} ({', '.join(ids)})") if ids else item
    for name, ids in blind.items():
        if name not in told:
            yield NotExamined(f"{name} ({', '.join(ids)})", _UNSAID)
