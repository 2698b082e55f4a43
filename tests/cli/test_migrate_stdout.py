"""Standard output is one document, whatever a project's own code prints, and by which way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.cli.migrating import write

from dbtrust.model.project_code import project_output

TEXT = """
import os, subprocess, sys
subprocess.run(["echo", "at import"])
def up(db):
    subprocess.run(["echo", "sub"])
    os.write(1, b"raw\\n")
    print("printed")
    print("original", file=sys.__stdout__)
def good(db):
    return subprocess.run(["echo", "verified"]).returncode == 0
verify = [good]
"""


def test_a_program_that_a_migration_starts_writes_to_standard_error(
    mongo_db: Any, mongo_url: str, tmp_path: Path
) -> None:
    project, url = write(tmp_path, {"0001_x.py": TEXT}), mongo_url.replace("/?", f"/{mongo_db.name}?")
    done = subprocess.run(
        [sys.executable, "-m", "dbtrust", "migrate", "up", project, "--mongo", url, "--format", "json"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert [v["verdict"] for v in json.loads(done.stdout)["verdicts"]] == ["holds"]
    assert done.stderr.split("\n")[:-1] == ["at import", "sub", "raw", "printed", "original", "verified"]


def test_threads_that_end_in_any_order_leave_standard_output_as_it_was(
    capfd: pytest.CaptureFixture[str],
) -> None:
    both, first_gone = threading.Barrier(2), threading.Event()

    def first() -> None:
        with project_output():
            both.wait()
        first_gone.set()

    thread = threading.Thread(target=first)
    stream = sys.stdout
    thread.start()
    with project_output():
        both.wait()
        assert first_gone.wait(60)
        os.write(1, b"inside\n")
    thread.join()
    assert sys.stdout is stream
    os.write(1, b"outside\n")
    assert capfd.readouterr() == ("outside\n", "inside\n")
