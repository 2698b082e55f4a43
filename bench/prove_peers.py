"""Run by bench/prove.py in the peers' environment: TOOL ROOT URL FOLDER...; prints the folders that the tool refuses.

Each project gets a database of its own. Both tools are told not to judge the base revision.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict


def mrt(folder: Path, url: str) -> None:
    """Its tests that look at single downs."""
    from pytest_mrt import MRTConfig
    from pytest_mrt.plugin import MRTFixture

    config = MRTConfig(alembic_ini=str(folder / "alembic.ini"), db_url=url, skip={"r1": "not judged"})
    fixture: Any = MRTFixture(config)
    try:
        fixture.assert_all_reversible()
        fixture.assert_no_static_errors()
    finally:
        fixture._runner.dispose()


def alembic(folder: Path, url: str) -> None:
    """Its test of consistency, and its experimental one of what a down leaves."""
    import sqlalchemy
    from pytest_alembic import runner
    from pytest_alembic.config import Config
    from pytest_alembic.tests.default import test_up_down_consistency
    from pytest_alembic.tests.experimental.downgrade_leaves_no_trace import test_downgrade_leaves_no_trace

    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
    options = {"file": str(folder / "alembic.ini"), "script_location": str(folder / "scripts")}
    config = Config(config_options=options, minimum_downgrade_revision="r1")
    for test in (test_downgrade_leaves_no_trace, test_up_down_consistency):
        with runner(config=config, engine=engine) as context:
            test(context)


TOOLS: dict[str, Callable[[Path, str], None]] = {"pytest-mrt": mrt, "pytest-alembic": alembic}


def refused(check: Callable[[Path, str], None], folder: Path, url: str) -> bool:
    said = io.StringIO()
    with warnings.catch_warnings(), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        warnings.simplefilter("ignore")
        try:
            check(folder, url)
        except BaseException as error:  # pytest's own failures are no Exceptions
            print(f"{folder.name}: {type(error).__name__}: {str(error)[:300]}", file=sys.__stderr__)
            return True
    return False


def main() -> None:
    tool, root, url, *names = sys.argv[1:]
    parts = conninfo_to_dict(url)
    found: list[str] = []
    for name in names:
        database = f"peer_{name}"
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
            admin.execute(f"CREATE DATABASE {database}")
        own = f"postgresql+psycopg://{parts['user']}@/{database}?host={parts['host']}&port={parts['port']}"
        if refused(TOOLS[tool], Path(root, name), own):
            found.append(name)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
