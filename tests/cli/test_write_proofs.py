"""check --write-proofs: what it refuses before anything is started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dbtrust.engine.waiting import ended_or

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


def test_an_interruption_ends_the_tests_that_run(tmp_path: Path, postgres_url: str) -> None:
    (tmp_path / "dbtrust.toml").write_text(
        '[project]\nname = "slow"\ntests = ["sh", "-c", "echo $$ > pid.tmp; mv pid.tmp pid; exec sleep 600"]\n'
        '[postgres]\nschema = ["schema.sql"]\n', encoding="utf-8",
    )  # fmt: skip
    (tmp_path / "schema.sql").write_text("CREATE TABLE t (n int NOT NULL);", encoding="utf-8")
    command = [sys.executable, "-m", "dbtrust", "check", ".", *ONLY, "--postgres", postgres_url]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert ended_or(process, (tmp_path / "pid").exists, 60.0)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 4
    assert "interrupted" in said
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text(encoding="utf-8")), 0)
