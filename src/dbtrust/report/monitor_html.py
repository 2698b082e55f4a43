"""The page of `monitor diagnose`: one file under a megabyte, readable without JavaScript.

Everything that comes from a server (names, statements, application names) is text to the template, which escapes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from dbtrust.report.document import visible
from dbtrust.report.monitor import SEVERITIES, cell, in_rank
from dbtrust.report.words import ENGINES, clipped, evidence_facts

_Data = dict[str, Any]
#: The page is made again with fewer findings in full until it is no larger, in bytes.
LARGEST = 1_000_000
#: How many findings are shown in full at first, and at the least of each rule.
_FINDINGS, _EACH = 400, 2
#: Characters of a statement, of a message, of one fact of the evidence; and how many facts.
_STATEMENT, _MESSAGE, _FACT, _FACTS = 1_500, 600, 300, 14
_LEFT = ("text", "name", "code", "time")
_TONES = {"error": "refuted", "warning": "unproved", "info": "not_applicable"}


@dataclass(frozen=True, slots=True)
class Shown:
    """One finding as the page shows it."""

    data: _Data
    message: str
    statement: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The findings of one rule and severity; `more` are left to the JSON document."""

    rule: str
    severity: str
    tone: str
    anchor: str
    shown: tuple[Shown, ...]
    more: int

    @property
    def total(self) -> int:
        return len(self.shown) + self.more


@dataclass(frozen=True, slots=True)
class Cell:
    """`bar` is the value's part of the column's largest in percent, where the column has bars."""

    text: str
    unit: str
    bar: float | None

    @property
    def left(self) -> bool:
        return self.unit in _LEFT


@dataclass(frozen=True, slots=True)
class Table:
    anchor: str
    data: _Data
    rows: tuple[tuple[Cell, ...], ...]


def monitor_page(data: _Data, exit_code: int) -> str:
    """The page for a report that has `monitor`; `data` is its document."""
    most = _FINDINGS
    while True:
        page = _page(data, exit_code, most)
        if len(page.encode()) <= LARGEST or most == 0:
            return page
        most //= 2


def _page(data: _Data, exit_code: int, most: int) -> str:
    from dbtrust.report.html import environment
    from dbtrust.report.text import error_line

    groups = list(_groups(data["findings"], most))
    views = [
        (ENGINES[engine], engine, view, tuple(_tables(engine, view)))
        for engine, view in data["monitor"].items()
        if view is not None
    ]
    return environment().get_template("monitor.html.j2").render(
        data=data, groups=groups, views=views, exit_code=exit_code, error_line=error_line,
        headline=_headline(data), severities=[(s, _TONES[s], data["summary"][f"{s}s"]) for s in SEVERITIES],
        names=ENGINES,
    )  # fmt: skip


def _headline(data: _Data) -> tuple[str, str]:
    """(outcome for the colour, sentence)."""
    count = data["summary"]
    said = [_many(count[f"{s}s"], s) for s in SEVERITIES if count[f"{s}s"]]
    if data["errors"]:
        return "refuted", f"The run met {_many(len(data['errors']), 'problem')}"
    if not any(view is not None for view in data["monitor"].values()):
        return "not_applicable", "No server was read"
    if not said:
        rest = f", {len(data['not_examined'])} left out" if data["not_examined"] else ""
        return "holds", f"Nothing found in what was examined{rest}"
    tone = "refuted" if count["errors"] else "unproved" if count["warnings"] else "not_applicable"
    return tone, ", ".join(said)


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _groups(findings: list[_Data], most: int) -> Iterator[Group]:
    """The findings by severity and rule; a rule stands where the first of its findings does."""
    members: dict[tuple[str, str], list[_Data]] = {}
    for finding in in_rank(findings):
        members.setdefault((finding["severity"], finding["rule"]), []).append(finding)
    each = max(_EACH, most // max(1, len(members)))
    for (severity, rule), found in members.items():
        shown = tuple(_shown(finding) for finding in found[:each])
        anchor = f"{severity}-{rule.replace('.', '-')}"
        yield Group(rule, severity, _TONES[severity], anchor, shown, len(found) - len(shown))


def _shown(finding: _Data) -> Shown:
    evidence: Mapping[str, Any] = finding["evidence"]
    query = evidence.get("query")
    facts = [(k, clipped(v, _FACT)) for k, v in evidence_facts(evidence, full=True) if k != "query"]
    statement = clipped(query, _STATEMENT) if isinstance(query, str) else ""
    # A name may turn the direction of what follows it: such characters are spelled out, as on a terminal.
    data = {**finding, "subject": visible(finding["subject"]), "fix": visible(finding["fix"])}
    told = tuple((visible(key), visible(value)) for key, value in facts[:_FACTS])
    return Shown(data, visible(clipped(finding["message"], _MESSAGE)), spelled(statement), told)


def spelled(text: str) -> str:
    """Visible, line by line: a statement keeps its lines."""
    return "\n".join(visible(line.replace("\t", "    ")) for line in text.splitlines())


def _tables(engine: str, view: _Data) -> Iterator[Table]:
    for listing in view["listings"]:
        barred = next((c["key"] for c in listing["columns"] if c["unit"] not in _LEFT), None)
        largest = max((_size(row[barred]) for row in listing["rows"]), default=0.0) if barred else 0.0
        rows = tuple(
            tuple(_cell(row, column, barred, largest) for column in listing["columns"])
            for row in listing["rows"]
        )
        yield Table(f"{engine}-{listing['name']}", listing, rows)


def _cell(row: _Data, column: _Data, barred: str | None, largest: float) -> Cell:
    value, unit = row[column["key"]], column["unit"]
    text = (
        spelled(clipped(str(value), _STATEMENT))
        if unit == "code" and value is not None
        else cell(value, unit)
    )
    bar = 100 * _size(value) / largest if column["key"] == barred and largest else None
    return Cell(text, unit, bar)


def _size(value: Any) -> float:
    return float(cast("float", value)) if isinstance(value, (int, float)) and value > 0 else 0.0
