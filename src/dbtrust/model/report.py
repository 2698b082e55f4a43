"""Verdicts, findings and the report that every output shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from dbtrust.model.engine import Engine
from dbtrust.model.errors import BUG, FAILED, INTERRUPTED, NO_SERVER, USAGE, DbtrustError
from dbtrust.model.location import NOWHERE, Location

if TYPE_CHECKING:
    from dbtrust.model.monitor import EngineView

Outcome = Literal["holds", "refuted", "unproved", "not_applicable"]
Severity = Literal["error", "warning", "info"]
_LEVELS: dict[str, int] = {"error": 3, "warning": 2, "info": 1}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one statement about one subject. `evidence` is JSON-like; a plan in it is Plan.to_dict()."""

    check: str
    engine: Engine | None
    subject: str
    verdict: Outcome
    message: str
    claim: str = ""
    reason: str = ""
    next: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict[str, Any])
    location: Location = NOWHERE


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a rule saw in code or on a server."""

    rule: str
    severity: Severity
    engine: Engine | None
    subject: str
    message: str
    fix: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict[str, Any])
    location: Location = NOWHERE


@dataclass(frozen=True, slots=True)
class NotExamined:
    """What was left out, and the right or thing it needs."""

    what: str
    needs: str


@dataclass(frozen=True, slots=True)
class Problem:
    """An error that ended a part of the run: `code` is an exit code."""

    code: int
    message: str
    location: Location = NOWHERE
    next: str = ""

    @classmethod
    def of(cls, error: DbtrustError) -> Problem:
        return cls(error.code, error.message, error.location, error.next)


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """A server that was used: its version and whether dbtrust started it."""

    version: str
    embedded: bool


def _order(location: Location, name: str, subject: str) -> tuple[Any, ...]:
    place = (location.file, location.line, location.column)
    return (
        *((part is None, part or 0) if i else (part is None, part or "") for i, part in enumerate(place)),
        name,
        subject,
    )


@dataclass(frozen=True, slots=True)
class Report:
    """Everything one run found. `exit_code` follows docs/exit-codes.md: the first of 2, 5, 3, 4, 1, else 0.

    `monitor` holds what `monitor` shows beside its findings, one view for each engine; other verbs have None.
    """

    project: str | None
    servers: Mapping[str, ServerInfo | None] = field(default_factory=dict[str, "ServerInfo | None"])
    verdicts: tuple[Verdict, ...] = ()
    findings: tuple[Finding, ...] = ()
    not_examined: tuple[NotExamined, ...] = ()
    errors: tuple[Problem, ...] = ()
    fail_on: str = "error"
    strict: bool = False
    #: What `migrate status` and `migrate plan` tell of each migration; None: another verb.
    migrations: tuple[Mapping[str, Any], ...] | None = None
    monitor: tuple[EngineView, ...] | None = None

    @property
    def exit_code(self) -> int:
        codes = {problem.code for problem in self.errors}
        if self._failed():
            codes.add(FAILED)
        return next((code for code in (USAGE, BUG, NO_SERVER, INTERRUPTED, FAILED) if code in codes), 0)

    def _failed(self) -> bool:
        bad = {"refuted", "unproved"} if self.strict else {"refuted"}
        level = _LEVELS.get(self.fail_on, 9)
        return any(v.verdict in bad for v in self.verdicts) or any(
            _LEVELS[f.severity] >= level for f in self.findings
        )

    def summary(self) -> dict[str, int]:
        count: dict[str, int] = {}
        count |= dict.fromkeys(("holds", "refuted", "unproved", "not_applicable"), 0)
        for verdict in self.verdicts:
            count[verdict.verdict] += 1
        for severity in _LEVELS:
            count[f"{severity}s"] = sum(f.severity == severity for f in self.findings)
        return count

    def sorted_verdicts(self) -> list[Verdict]:
        return sorted(self.verdicts, key=lambda v: (_order(v.location, v.check, v.subject), v.claim))

    def sorted_findings(self) -> list[Finding]:
        return sorted(self.findings, key=lambda f: _order(f.location, f.rule, f.subject))

    def sorted_errors(self) -> list[Problem]:
        return sorted(self.errors, key=lambda e: _order(e.location, e.message, ""))

    def to_dict(self) -> dict[str, Any]:
        """The JSON document of contract version 1 (see report/schema.json)."""
        views = {view.engine: view.to_dict() for view in self.monitor or ()}
        monitor = (
            {} if self.monitor is None else {"monitor": {e: views.get(e) for e in ("postgres", "mongo")}}
        )
        document: dict[str, Any] = {
            "schema": 1,
            "dbtrust": VERSION,
            "project": self.project,
            "servers": {engine: _server(self.servers.get(engine)) for engine in ("postgres", "mongo")},
            "verdicts": [_verdict(v) for v in self.sorted_verdicts()],
            "findings": [_finding(f) for f in self.sorted_findings()],
            "not_examined": [{"what": n.what, "needs": n.needs} for n in self.not_examined],
            "errors": [_problem(e) for e in self.sorted_errors()],
            "summary": self.summary(),
            **monitor,
        }
        if self.migrations is not None:
            document["migrations"] = [dict(m) for m in self.migrations]
        return document


VERSION = "0.1.0"


def _server(info: ServerInfo | None) -> dict[str, Any] | None:
    return None if info is None else {"version": info.version, "embedded": info.embedded}


def _verdict(v: Verdict) -> dict[str, Any]:
    return {
        "check": v.check, "engine": v.engine, "subject": v.subject, "claim": v.claim, "verdict": v.verdict,
        "reason": v.reason, "message": v.message, "next": v.next, "evidence": dict(v.evidence),
        "location": v.location.to_dict(),
    }  # fmt: skip


def _finding(f: Finding) -> dict[str, Any]:
    return {
        "rule": f.rule, "severity": f.severity, "engine": f.engine, "subject": f.subject, "message": f.message,
        "evidence": dict(f.evidence), "fix": f.fix, "location": f.location.to_dict(),
    }  # fmt: skip


def _problem(e: Problem) -> dict[str, Any]:
    return {"code": e.code, "message": e.message, "location": e.location.to_dict(), "next": e.next}
