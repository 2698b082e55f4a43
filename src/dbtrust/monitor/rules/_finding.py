"""How the diagnostics of both engines make a finding."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from dbtrust.model.engine import Engine
from dbtrust.model.report import Finding, Severity


def of_engine(engine: Engine) -> Callable[..., Finding]:
    """finding(rule, severity, subject, message, fix, **evidence) of one engine."""
    return partial(_finding, engine)


def _finding(
    engine: Engine, rule: str, severity: Severity, subject: str, message: str, fix: str, **evidence: Any
) -> Finding:
    return Finding(rule, severity, engine, subject, message, fix, evidence)
