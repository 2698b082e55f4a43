"""`dbtrust monitor diagnose` as a person runs it, in every format, and the order in which each shows its findings."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from dbtrust.cli.main import run

_SEVERITIES = ("error", "warning", "info")
#: A finding of the text: two blanks, a mark, the rule, two blanks, the subject.
_TEXT = re.compile(r"^  \S+ ([a-z_]+\.[a-z_]+)  (.+)$", re.MULTILINE)
_PAGE = re.compile(
    r"<summary><span class=\"badge level[^>]*>[a-z]+</span> <code>([^<]+)</code>|<h4>([^<]*)</h4>"
)

#: (rule, subject) of findings in the order in which they are shown.
Order = list[tuple[str, str]]


@dataclass(frozen=True)
class Told:
    """What one diagnosis said: its document, and the order of the findings in it, in the text and on the page.

    `live` is the text of a diagnosis of the server itself, the others are of a snapshot taken beside it.
    """

    document: dict[str, Any]
    live: Order
    json: Order
    text: Order
    page: Order

    def place(self, rule: str, subject: str) -> int | None:
        """1 for the first finding, the later of both readings; None where the formats differ or it was not found."""
        if not self.json == self.text == self.page or any(
            (rule, subject) not in seen for seen in (self.live, self.text)
        ):
            return None
        return max(seen.index((rule, subject)) + 1 for seen in (self.live, self.text))


def diagnosed(folder: Path, asked: list[str], *, seconds: float = 0.0, since: Path | None = None) -> Told:
    """Diagnoses a server, and a snapshot of it in three formats: with `seconds` as if it were taken so much later."""
    more = ["--since", str(since)] if since else []
    live = _TEXT.findall(_call(folder / "live", ["diagnose", *asked, *more])) if not seconds else None
    snapshot(folder / "now.json", asked)
    later(folder / "now.json", seconds)
    saved = ["diagnose", "--from", str(folder / "now.json"), *more, "--format"]
    found = {kind: _call(folder / kind, [*saved, kind]) for kind in ("json", "text", "html")}
    document = json.loads(found["json"])
    text = _TEXT.findall(found["text"])
    return Told(document, text if live is None else live, _json(document), text, _page(found["html"]))


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
        taken["taken_at"] = (
            datetime.fromisoformat(taken["taken_at"]) + timedelta(seconds=seconds)
        ).isoformat()
        for row in taken["sections"].get("activity", ()):
            row |= {
                name: row[name] + 1000 * seconds for name in ("xact_ms", "query_ms", "state_ms") if row[name]
            }
    file.write_text(json.dumps(document), encoding="utf-8")


@dataclass(frozen=True)
class Fault:
    """`make` is there until the end of its block, is given the engine's Control and tells the finding's subject.

    `seconds` are not waited for.
    """

    name: str
    rule: str
    make: Callable[[Any], AbstractContextManager[str]]
    seconds: float = 0.0

    def outcome(self, subject: str, told: Told) -> Outcome:
        return Outcome(self.name, self.rule, subject, told.place(self.rule, subject), told)


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
