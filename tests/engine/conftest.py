"""A cache folder for the tests of embedded servers, where templates are made once a session."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import in_memory

from dbtrust.engine import watchdog
from dbtrust.engine.mongo.server import MongodBinary, find_mongod
from dbtrust.engine.postgres.server import PostgresBinaries, find_postgres
from dbtrust.engine.runs import Run


def _short_folder() -> Path:
    """Short, and open to the user that servers run as; pytest's own folders are neither."""
    folder = Path(tempfile.mkdtemp(prefix="dbt", dir=in_memory.home() or "/tmp")).resolve()
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return folder


@pytest.fixture(scope="session")
def session_home() -> Iterator[Path]:
    folder = _short_folder()
    yield folder
    assert watchdog.processes(str(folder)) == {}, "a test left a server behind"
    shutil.rmtree(folder)


@pytest.fixture
def servers_home(session_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """DBTRUST_HOME, shared by the session: the first test makes the templates."""
    monkeypatch.setenv("DBTRUST_HOME", str(session_home))
    return session_home


@pytest.fixture
def fresh_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """DBTRUST_HOME of one test, empty."""
    folder = _short_folder()
    monkeypatch.setenv("DBTRUST_HOME", str(folder))
    yield folder
    watchdog.clean(str(folder))


@pytest.fixture
def run(servers_home: Path) -> Iterator[Run]:
    with Run() as run:
        yield run


@pytest.fixture
def binaries(servers_home: Path) -> PostgresBinaries:
    return find_postgres("17")


@pytest.fixture
def mongod(servers_home: Path) -> MongodBinary:
    return find_mongod("8.0")
