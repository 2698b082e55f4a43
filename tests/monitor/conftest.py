"""One sick and one healthy server for every test of `monitor`, each read once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.monitor.faults import Ill, healthy, sick, standby

from dbtrust.engine.postgres.binaries import find_postgres
from dbtrust.engine.postgres.monitor import read_snapshot
from dbtrust.engine.runs import Run
from dbtrust.model.report import Finding
from dbtrust.model.snapshot import ReadOptions, Snapshot
from dbtrust.monitor.registry import rules


@dataclass(frozen=True)
class Seen:
    """A snapshot and what the rules say of it."""

    snapshot: Snapshot

    def of(self, rule: str) -> list[Finding]:
        """The findings of one rule."""
        found = next(r for r in rules("postgres") if r.id == rule)
        assert all(name in self.snapshot.sections for name in found.needs)
        return list(found.decide(self.snapshot, None))

    def one(self, rule: str, subject: str) -> Finding:
        """The finding of one rule about one subject; exactly one there is."""
        found = [f for f in self.of(rule) if f.subject == subject]
        assert len(found) == 1, self.of(rule)
        return found[0]

    def subjects(self, rule: str) -> set[str]:
        return {f.subject for f in self.of(rule)}

    def without(self, section: str) -> Seen:
        sections = {name: rows for name, rows in self.snapshot.sections.items() if name != section}
        return Seen(replace(self.snapshot, sections=sections))

    def aged(self, seconds: float) -> Seen:
        """The same, had it been taken so much later: its counters are older."""
        taken = datetime.fromisoformat(self.snapshot.taken_at) + timedelta(seconds=seconds)
        return Seen(replace(self.snapshot, taken_at=taken.isoformat()))

    def later(self, section: str, *fields: str, ms: float) -> Seen:
        """The same, had it been read `ms` later: these ages of the section's rows are so much higher."""

        def aged(row: Any) -> Any:
            return {**row, **{name: row[name] + ms for name in fields if row[name] is not None}}

        rows = tuple(map(aged, self.snapshot.sections[section]))
        return Seen(replace(self.snapshot, sections={**self.snapshot.sections, section: rows}))


@pytest.fixture(scope="session")
def sick_server(server_run: Run) -> Iterator[Ill]:
    with sick(server_run, find_postgres("17")) as ill:
        yield ill


@pytest.fixture(scope="session")
def healthy_url(server_run: Run) -> Iterator[str]:
    with healthy(server_run, find_postgres("17")) as url:
        yield url


@pytest.fixture(scope="session")
def ill(sick_server: Ill) -> Seen:
    """The sick server, read once."""
    return Seen(read_snapshot(sick_server.url, ReadOptions()))


@pytest.fixture(scope="session")
def well(healthy_url: str) -> Seen:
    """The healthy server, read once."""
    return Seen(read_snapshot(healthy_url, ReadOptions()))


@pytest.fixture(scope="session")
def lagging(server_run: Run, healthy_url: str, well: Seen) -> Iterator[tuple[Seen, Seen]]:
    """The healthy server after a standby stopped to replay, and that standby. `well` was read before."""
    with standby(server_run, find_postgres("17"), healthy_url) as url:
        yield Seen(read_snapshot(healthy_url, ReadOptions())), Seen(read_snapshot(url, ReadOptions()))
