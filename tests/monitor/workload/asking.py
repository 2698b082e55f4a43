"""`dbtrust monitor diagnose` as a person runs it, in every format, and the order in which each shows its findings."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from dbtrust.cli.main import run

_SEVERITIES = ("error", "warning", "info")
#: A finding of the text: two blanks, a mark, the rule, two blanks, the subject.
_TEXT = re.compile(r"^  \S+ ([a-z_]+\.[a-z_]+)  (.+)$", re.MULTILINE)
_PAGE = re.compile(r"<summary><span class=\"badge level[^>]*>[a-z]+</span> <code>([^<]+)</code>|<h4>([^<]*)</h4>")

#: (rule, subject) of findings in the order in which they are shown.
Order = list[tuple[str, str]]


@dataclass(frozen=True)
class Told:
    """What one diagnosis said: its document, and the order of the findings in it, in the text and on the page."""

    document: dict[str, Any]
    json: Order
    text: Order
    page: Order

    def place(self, rule: str, subject: str) -> int | None:
        """1 for the first finding; None where the formats differ or it was not found."""
        same = self.json == self.text == self.page
        return self.text.index((rule, subject)) + 1 if same and (rule, subject) in self.text else None


def diagnosed(folder: Path, asked: list[str], *, seconds: float = 0.0, since: Path | None = None) -> Told:
    """Diagnoses a server in three formats; with `seconds` a snapshot of it, as if it had been taken so much later."""
    if seconds:
        snapshot(folder / "now.json", asked)
        later(folder / "now.json", seconds)
        asked = ["--from", str(folder / "now.json")]
    asked = [*asked, *(["--since", str(since)] if since else [])]
    found = {kind: _call(folder / kind, ["diagnose", *asked, "--format", kind]) for kind in ("json", "text", "html")}
    document = json.loads(found["json"])
    return Told(document, _json(document), _TEXT.findall(found["text"]), _page(found["html"]))


def snapshot(file: Path, asked: list[str]) -> Path:
    """`monitor snapshot` into a file."""
    _call(file, ["snapshot", *asked])
    return file


def _call(file: Path, argv: list[str]) -> str:
    code = run(["monitor", *argv, "--output", str(file), "--quiet"])
    assert code in (0, 1), (code, argv)
    return file.read_text(encoding="utf-8")


def _json(document: dict[str, Any]) -> Order:
    def rank(finding: dict[str, Any]) -> tuple[Any, ...]:
        place = _SEVERITIES.index(finding["severity"])
        return (place, -finding["evidence"]["impact"], finding["rule"], finding["subject"])

    return [(f["rule"], f["subject"]) for f in sorted(document["findings"], key=rank)]


def _page(text: str) -> Order:
    found: Order = []
    rule = ""
    for heading, subject in _PAGE.findall(text):
        rule = heading or rule
        if not heading:
            found.append((rule, html.unescape(subject)))
    return found


def later(file: Path, seconds: float) -> None:
    """Moves a snapshot's time on: what was open then is so much older, and so are the counters."""
    document = json.loads(file.read_text(encoding="utf-8"))
    for taken in document["snapshots"]:
        taken["taken_at"] = (datetime.fromisoformat(taken["taken_at"]) + timedelta(seconds=seconds)).isoformat()
        for row in taken["sections"].get("activity", ()):
            row |= {name: row[name] + 1000 * seconds for name in ("xact_ms", "query_ms", "state_ms") if row[name]}
    file.write_text(json.dumps(document), encoding="utf-8")


@dataclass(frozen=True)
class Outcome:
    """One fault and where it was found."""

    fault: str
    rule: str
    subject: str
    place: int | None
    told: Told

    @property
    def fine(self) -> bool:
        return self.place in (1, 2)


def table(engine: str, outcomes: list[Outcome]) -> str:
    """The outcomes as a table of Markdown."""
    rows = [f"| {o.fault} | {o.rule} | {o.place or 'not found'} | {_others(o)} |" for o in outcomes]
    return "\n".join([f"| {engine}: fault | found as | place | beside it |", "|---|---|---|---|", *rows])


def _others(outcome: Outcome) -> str:
    return ", ".join(dict.fromkeys(r for r, s in outcome.told.text if r != outcome.rule)) or "nothing"


Check = Callable[[Outcome], None]
