"""A server of each engine that these tests may kill, and what an uninterrupted run leaves on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.crash.lab import Lab
from tests.crash.mongo_lab import MongoLab
from tests.crash.postgres_lab import PostgresLab

from dbtrust.engine.runs import Run


@pytest.fixture(scope="session")
def postgres_lab(server_run: Run) -> Iterator[Lab]:
    lab = PostgresLab(server_run)
    yield lab
    lab.close()


@pytest.fixture(scope="session")
def mongo_lab(server_run: Run) -> Iterator[Lab]:
    lab = MongoLab(server_run, documents=2000)
    yield lab
    lab.close()
