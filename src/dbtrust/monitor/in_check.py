"""The diagnostics that need no production: `check` runs them over what the history builds."""

from __future__ import annotations

from typing import Any

import psycopg

from dbtrust.engine.postgres.monitor import read_sections
from dbtrust.model.report import Finding, NotExamined
from dbtrust.monitor.judging import judge
from dbtrust.monitor.registry import rules


def postgres_in_check(connection: psycopg.Connection[Any]) -> tuple[list[Finding], list[NotExamined]]:
    """What they say of the connection's database. Raises ServerError where the server tells nothing."""
    chosen = [rule for rule in rules("postgres") if rule.in_check]
    needed = frozenset(name for rule in chosen for name in rule.needs)
    return judge(chosen, read_sections(connection, needed), None)
