"""check --write-proofs: what it refuses before anything is started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ONLY = ["--only", "schema.mutation"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--write-proofs", "p.sql"], "add --only schema.mutation"),
        (["--only", "schema", "--write-proofs", "p.sql"], "add --only schema.mutation"),
        ([*ONLY, "--write-proofs", "p.txt"], "neither .sql nor .py"),
        ([*ONLY, "--write-proofs", "there.sql"], "the file is there already"),
        ([*ONLY, "--write-proofs", "no/such/folder/p.sql"], "cannot write"),
    ],
)
def test_a_file_that_is_not_written(tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "there.sql").write_text("-- mine\n", encoding="utf-8")
    command = [sys.executable, "-m", "dbtrust", "check", ".", *arguments]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, env={**os.environ}
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""
    assert (tmp_path / "there.sql").read_text(encoding="utf-8") == "-- mine\n"
    assert [path.name for path in tmp_path.iterdir()] == ["there.sql"]
