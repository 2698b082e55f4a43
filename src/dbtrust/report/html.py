"""The HTML output: one file that needs nothing else, readable without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined

from dbtrust.model.report import Report
from dbtrust.report.document import document
from dbtrust.report.monitor_html import monitor_page
from dbtrust.report.text import error_line, grouped
from dbtrust.report.tree import HEADINGS, PlanView, plan_view
from dbtrust.report.words import ENGINES, WORDS, evidence_facts, has_nodes, node_title, place

_Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PlanCard:
    """A plan of one subject. `marked` maps a node to the outcome of a verdict that points at it."""

    anchor: str
    number: int
    view: PlanView
    example: str
    open: bool
    marked: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """A verdict with what is shown of its evidence and the plans that it rests on."""

    data: _Data
    word: str
    place: str
    node: str
    example: str
    facts: tuple[tuple[str, str], ...]
    plans: tuple[PlanCard, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """`counts` maps an outcome to the number of its verdicts, worst first."""

    name: str
    anchor: str
    entries: tuple[Entry, ...]
    plans: tuple[PlanCard, ...]
    counts: Mapping[str, int]

    @property
    def open(self) -> bool:
        return any(self.counts.get(outcome) for outcome in _BAD)


@dataclass(slots=True)
class _Shelf:
    """The plans of one subject while its verdicts are read; equal plans are kept once."""

    anchor: str
    verdicts: list[tuple[_Data, list[bytes]]] = field(default_factory=list["tuple[_Data, list[bytes]]"])
    plans: dict[bytes, tuple[_Data, list[_Data]]] = field(
        default_factory=dict[bytes, "tuple[_Data, list[_Data]]"]
    )


_BAD = ("refuted", "unproved")


def render_html(report: Report) -> str:
    """A page with the summary first, then every subject with its verdicts, evidence and plans."""
    data = document(report)
    if "monitor" in data:
        return monitor_page(data, report.exit_code)
    engines = [
        (
            ENGINES[engine],
            [
                _subject(name, verdicts, f"{engine or 'project'}-{n}")
                for n, (name, verdicts) in enumerate(subjects.items())
            ],
        )
        for engine, subjects in grouped(data["verdicts"]).items()
    ]
    subjects = [subject for _, members in engines for subject in members]
    return environment().get_template("report.html.j2").render(
        data=data, engines=engines, attention=_attention(subjects), words=WORDS,
        headline=_headline(data, report.exit_code),
        names=ENGINES, headings=HEADINGS, place=place, error_line=error_line, total=len(data["verdicts"]),
        exit_code=report.exit_code, plans=sum(len(subject.plans) for subject in subjects),
    )  # fmt: skip


def environment() -> Environment:
    """jinja2 over this package's templates; everything is escaped."""
    return Environment(
        loader=PackageLoader("dbtrust.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _attention(subjects: list[Subject]) -> list[tuple[Subject, Entry]]:
    """What does not hold, refuted before unproved."""
    entries = [(s, e) for s in subjects for e in s.entries if e.data["verdict"] in _BAD]
    return sorted(entries, key=lambda pair: _BAD.index(pair[1].data["verdict"]))


def _headline(data: _Data, exit_code: int) -> tuple[str, str]:
    """(outcome for the colour, sentence)."""
    count = data["summary"]
    if data["errors"]:
        return "refuted", f"The run met {_many(len(data['errors']), 'error')}"
    if count["refuted"]:
        return "refuted", f"{_many(count['refuted'], 'statement')} refuted"
    if exit_code:
        return "refuted", "The findings or the unproved statements fail this run"
    if count["unproved"]:
        return "holds", f"Nothing is refuted, {_many(count['unproved'], 'statement')} unproved"
    return ("holds", "Every statement holds") if count["holds"] else ("not_applicable", "Nothing was judged")


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _subject(name: str, verdicts: list[_Data], anchor: str) -> Subject:
    shelf = _Shelf(anchor)
    for verdict in verdicts:
        keys: list[bytes] = []
        for plan in find_plans(verdict["evidence"]):
            key = orjson.dumps(plan)
            keys.append(key)
            shelf.plans.setdefault(key, (plan, []))[1].append(verdict)
        shelf.verdicts.append((verdict, list(dict.fromkeys(keys))))
    cards = {
        key: _card(shelf.anchor, n, *found) for n, (key, found) in enumerate(shelf.plans.items(), start=1)
    }
    entries = tuple(_entry(verdict, tuple(cards[key] for key in keys)) for verdict, keys in shelf.verdicts)
    order = (*_BAD, "holds", "not_applicable")
    counts = {o: n for o in order if (n := sum(v["verdict"] == o for v in verdicts))}
    return Subject(name, anchor, entries, tuple(cards.values()), counts)


def find_plans(evidence: Any) -> Iterator[_Data]:
    """Every Plan.to_dict() in the evidence, at any depth."""
    if has_nodes(evidence):
        yield evidence
    elif isinstance(evidence, dict):
        for value in cast("_Data", evidence).values():
            yield from find_plans(value)
    elif isinstance(evidence, list):
        for value in cast("list[Any]", evidence):
            yield from find_plans(value)


def _card(anchor: str, number: int, plan: _Data, verdicts: list[_Data]) -> PlanCard:
    marked: dict[int, str] = {}
    for verdict in sorted(verdicts, key=lambda v: v["verdict"] == "refuted"):
        node = verdict["evidence"].get("node")
        if node_title(node) and node in plan["nodes"]:
            marked[node.get("id")] = verdict["verdict"]
    examples = dict.fromkeys(e for v in verdicts if isinstance(e := v["evidence"].get("example"), str) and e)
    refuted = any(v["verdict"] == "refuted" for v in verdicts)
    return PlanCard(f"{anchor}-plan-{number}", number, plan_view(plan), ", ".join(examples), refuted, marked)


def _entry(verdict: _Data, plans: tuple[PlanCard, ...]) -> Entry:
    evidence: Mapping[str, Any] = verdict["evidence"]
    example = evidence.get("example")
    return Entry(
        verdict, WORDS[verdict["verdict"]], place(verdict["location"]), node_title(evidence.get("node")),
        example if isinstance(example, str) else "", tuple(evidence_facts(evidence, full=True)), plans,
    )  # fmt: skip
