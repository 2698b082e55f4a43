"""A known fault is the first or second finding in every format, and a healthy server has none.

The suite makes every third fault; `python -m tests.monitor.workload` makes them all. Each diagnostic has a fault of its
own in tests/monitor/rules.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.monitor.workload import mongo, postgres

from dbtrust.engine.runs import Run


@pytest.fixture(scope="module")
def shop(server_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.Control]:
    with postgres.control(server_run, tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="module")
def documents(server_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[mongo.Control]:
    with mongo.control(server_run, tmp_path_factory.mktemp("mongo")) as server:
        yield server


def test_nothing_is_flagged_on_a_healthy_postgresql(shop: postgres.Control) -> None:
    shop.work()
    told = shop.ask()
    assert (told.live, told.document["findings"], told.document["not_examined"]) == ([], [], [])


@pytest.mark.parametrize("fault", postgres.FAULTS[::3], ids=lambda fault: fault.rule)
def test_a_fault_of_postgresql_comes_first(shop: postgres.Control, fault: postgres.Fault) -> None:
    found = postgres.outcome(shop, fault)
    assert found.fine, (found.subject, found.told)


def test_nothing_is_flagged_on_a_healthy_mongodb(documents: mongo.Control) -> None:
    since = documents.before()
    documents.work()
    told = documents.ask(since=since)
    assert (told.live, told.document["findings"], told.document["not_examined"]) == ([], [], [])


@pytest.mark.parametrize("fault", mongo.FAULTS[::3], ids=lambda fault: fault.rule)
def test_a_fault_of_mongodb_comes_first(documents: mongo.Control, fault: mongo.Fault) -> None:
    found = mongo.outcome(documents, fault)
    assert found.fine, (found.subject, found.told)
