"""The example of docs/drift.md gives the output that stands there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg

from dbtrust.engine.postgres.connect import connect
from dbtrust.source.config import load_config
from dbtrust.source.migrations import read_history
from dbtrust.stage.history import apply_history

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "drift.md").read_text(encoding="utf-8")


def test_the_example(tmp_path: Path, pg_database: str) -> None:
    shutil.copytree(ROOT / "examples" / "shop", tmp_path / "shop")
    config = load_config(tmp_path / "shop")
    with connect(pg_database) as live:
        apply_history(live, None, read_history(config.root, "migrations"), config.root)
    found = re.search(r"<!-- run on a live database -->\n```console\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    changes, command, *shown = found[1].splitlines()
    for statement in re.findall(r"""psql "\$LIVE" -qc '([^']*)'""", changes):
        with psycopg.connect(pg_database) as live:
            live.execute(statement.encode())
    words = shlex.split(command.removeprefix("$ dbtrust ").replace("$LIVE", pg_database))
    ran = subprocess.run(
        [sys.executable, "-m", "dbtrust", *words], cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert ran.returncode == 1, ran.stderr
    assert ran.stdout.splitlines() == shown
