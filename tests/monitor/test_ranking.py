"""The order of findings: every rule has its place, and causes come before what follows."""

from __future__ import annotations

from typing import Any

from dbtrust.model.report import Finding
from dbtrust.monitor.ranking import ORDER, impact, ranked
from dbtrust.monitor.registry import ENGINES, rules
from dbtrust.report.monitor import in_rank


def finding(rule: str, **evidence: Any) -> Finding:
    return Finding(rule, "warning", "postgres", f"table:{rule}", "m", "f", evidence)


def test_every_rule_has_one_place() -> None:
    places = [rule for line in ORDER for rule in line]
    assert sorted(places) == sorted({rule.id for engine in ENGINES for rule in rules(engine)})


def test_an_impact_is_between_0_and_100_and_grows_with_size() -> None:
    found = [impact(finding(rule, share=9.0, bytes=10**30)) for line in ORDER for rule in line]
    assert min(found) > 0 and max(found) <= 100
    assert impact(finding("table.bloat", bytes=10**9)) > impact(finding("table.bloat", bytes=10**6))
    assert impact(finding("statement.slow", share=0.9)) < impact(finding("table.missing_index"))


def test_findings_are_shown_by_severity_impact_rule_and_subject() -> None:
    def shown(rule: str, severity: str, subject: str) -> dict[str, Any]:
        told = ranked(finding(rule)).evidence
        return {"rule": rule, "severity": severity, "subject": subject, "evidence": told}

    rows = [
        shown("index.unused", "info", "a"), shown("statement.slow", "warning", "b"),
        shown("table.missing_index", "warning", "d"), shown("table.missing_index", "warning", "c"),
        shown("statement.slow", "error", "z"),
    ]  # fmt: skip
    assert [row["subject"] for row in in_rank(rows)] == ["z", "c", "d", "b", "a"]
