"""Faults made on a real server, and what a diagnostic says of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dbtrust.engine.mongo.monitor import read_snapshot
from dbtrust.engine.mongo.urls import with_database
from dbtrust.model.report import Finding
from dbtrust.model.snapshot import ReadOptions, Snapshot
from dbtrust.monitor.rule import Rule

Diagnose = Callable[..., list[Finding]]


def judged(rule: Rule, now: Snapshot, earlier: Snapshot | None = None) -> list[Finding]:
    """What a rule finds, once it has been seen that its sections are there."""
    assert [name for name in rule.needs if name not in now.sections] == [], now.not_examined
    return list(rule.decide(now, earlier))


@pytest.fixture
def look(mongo_url: str, mongo_db: Any) -> Callable[..., Snapshot]:
    """A snapshot of the test's database; the profiler is left alone."""

    def read(**options: Any) -> Snapshot:
        url = with_database(mongo_url, mongo_db.name)
        return read_snapshot(url, ReadOptions(**{"profiler": False, **options}))

    return read


@pytest.fixture
def diagnose(look: Callable[..., Snapshot]) -> Diagnose:
    """The findings of one rule for the test's database."""

    def run(rule: Rule, **options: Any) -> list[Finding]:
        return judged(rule, look(**options))

    return run


@pytest.fixture
def slowly(mongo_db: Any) -> Iterator[Callable[..., str]]:
    """A filter's part that takes so many milliseconds for each document it is asked about."""
    yield lambda ms=1: f"sleep({ms}) || true"
