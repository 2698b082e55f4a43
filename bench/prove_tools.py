"""The tools that bench/prove.py compares, each set up as its documentation says, and what each says of one project.

dbtrust: `dbtrust migrate prove FOLDER`. pytest-mrt: `pytest` with MRTConfig in conftest.py, so its own six tests; and its
linter, `mrt check --since a1 --strict`. pytest-alembic: `pytest` with its tests imported, as its documentation has it beside --test-alembic
(which fails with pytest 9), and downgrade_leaves_no_trace, its strictest test of downs; model_definitions_match_ddl is
left out, for the projects have no models.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import psycopg
from common import SRC, Cost, Ran, ran
from psycopg.conninfo import conninfo_to_dict

#: Seconds that one tool may take for one project.
SECONDS = 180.0
PACKAGES = (
    "pytest-mrt==1.9.1",
    "pytest-alembic==0.13.1",
    "pytest==9.2.0",
    "alembic==1.18.4",
    "sqlalchemy==2.0.44",
    "psycopg[binary]==3.2.12",
)
MRT = """import os

from pytest_mrt import MRTConfig


def pytest_configure(config):
    config._mrt_config = MRTConfig(alembic_ini="alembic.ini", db_url=os.environ["TEST_DATABASE_URL"])
"""
#: Each of its tests expects an empty database.
ALEMBIC = """import os

import pytest
import sqlalchemy

URL = sqlalchemy.make_url(os.environ["TEST_DATABASE_URL"])


@pytest.fixture
def alembic_engine():
    admin = sqlalchemy.create_engine(URL.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {URL.database} WITH (FORCE)")
        connection.exec_driver_sql(f"CREATE DATABASE {URL.database}")
    admin.dispose()
    engine = sqlalchemy.create_engine(URL, poolclass=sqlalchemy.pool.NullPool)
    yield engine
    engine.dispose()
"""
ALEMBIC_TESTS = """from pytest_alembic.tests import test_single_head_revision, test_up_down_consistency, test_upgrade
from pytest_alembic.tests.experimental import test_downgrade_leaves_no_trace
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a project lies, the Python of the peers, the server, and the database that is the tool's own."""

    folder: Path
    python: Path
    server: str
    database: str

    @property
    def url(self) -> str:
        """As SQLAlchemy writes it."""
        parts = conninfo_to_dict(self.server)
        host = quote(str(parts["host"]), safe="/")
        return f"postgresql+psycopg://{parts['user']}@/{self.database}?host={host}&port={parts['port']}"

    def command(self, argv: list[str], **more: str) -> Ran | None:
        environment = {**os.environ, "TEST_DATABASE_URL": self.url, **more}
        return ran(argv, environment, self.folder, SECONDS)


@dataclass(frozen=True, slots=True)
class Said:
    """What a tool says against a project, one text for each complaint; None where it did not end."""

    complaints: list[str] | None
    cost: Cost | None


def dbtrust(place: Place) -> Said:
    """Its refuted verdicts. Raises RuntimeError where it could not judge."""
    argv = [sys.executable, "-m", "dbtrust", "migrate", "prove", str(place.folder), "--format", "json"]
    found = place.command([*argv, "--postgres", place.server], PYTHONPATH=str(SRC))
    if found is None:
        return Said(None, None)
    if found.code not in (0, 1):
        raise RuntimeError(f"dbtrust ended with {found.code}: {found.errors[-2000:]}")
    report: dict[str, Any] = json.loads(found.output)
    applied = [v for v in report["verdicts"] if v["check"] == "migrate.up" and v["verdict"] == "holds"]
    if report["errors"] or len(applied) != 2:
        raise RuntimeError(f"dbtrust could not judge: {report['errors'] or report['verdicts']}")
    refuted = [v for v in report["verdicts"] if v["verdict"] == "refuted"]
    said = [
        f"[{v['subject'].removeprefix('migration:')}] {v['check']}: "
        + "; ".join([v["message"], *map(str, v["evidence"].get("differences", ()))])
        for v in refuted
    ]
    return Said(said, found.cost)


def mrt(place: Place) -> Said:
    """The failures of its own tests."""
    (place.folder / "conftest.py").write_text(MRT)
    return _pytest(place, 6)


def mrt_check(place: Place) -> Said:
    """The findings of its linter, warnings included."""
    tool = str(place.python.parent / "mrt")
    found = place.command(
        [tool, "check", "scripts/versions", "--since", "a1", "--strict", "--format", "json"]
    )
    if found is None:
        return Said(None, None)
    if found.code not in (0, 2):
        raise RuntimeError(f"mrt check ended with {found.code}: {found.output}{found.errors}")
    report: dict[str, Any] = json.loads(found.output)
    said = [f"[{f['file'][:2]}] {f['rule']} {f['pattern']}: {f['message']}" for f in report["findings"]]
    return Said(said, found.cost)


def alembic(place: Place) -> Said:
    """The failures of its tests."""
    (place.folder / "conftest.py").write_text(ALEMBIC)
    (place.folder / "test_alembic.py").write_text(ALEMBIC_TESTS)
    return _pytest(place, 4)


def _pytest(place: Place, count: int) -> Said:
    """Runs all tests there, which are `count`. Raises RuntimeError where they are not."""
    argv = [str(place.python), "-m", "pytest", "--tb=line", "--junitxml=said.xml", "-p", "no:cacheprovider"]
    found = place.command(argv)
    if found is None:
        return Said(None, None)
    if found.code not in (0, 1):
        raise RuntimeError(f"pytest ended with {found.code}: {found.output}{found.errors}")
    cases = list(ElementTree.parse(place.folder / "said.xml").iter("testcase"))
    if len(cases) != count:
        raise RuntimeError(f"pytest ran {len(cases)} tests: {found.output}{found.errors}")
    said = [(case.get("name"), e) for case in cases for e in [*case.iter("failure"), *case.iter("error")]]
    return Said([f"{name}: {_told(failure)}" for name, failure in said], found.cost)


def _told(failure: ElementTree.Element) -> str:
    """The longer of the message and the text; the places in the tools' own files are left out."""
    told = max(failure.get("message") or "", failure.text or "", key=len)
    return "\n".join(line for line in told.splitlines() if "site-packages" not in line)


TOOLS: dict[str, Callable[[Place], Said]] = {
    "dbtrust": dbtrust,
    "pytest-mrt": mrt,
    "mrt check --strict": mrt_check,
    "pytest-alembic": alembic,
}


def tried(tool: str, place: Place) -> Said:
    """Runs a tool on a project, with an empty database of its own."""
    with psycopg.connect(place.server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {place.database} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {place.database}")
        try:
            return TOOLS[tool](place)
        finally:
            admin.execute(f"DROP DATABASE IF EXISTS {place.database} WITH (FORCE)")
