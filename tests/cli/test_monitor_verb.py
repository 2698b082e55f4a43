"""The command line of `monitor`: targets, files, formats, exit codes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import psycopg
import pytest

from dbtrust.cli.main import run
from dbtrust.engine.waiting import await_true
from dbtrust.report.json import schema

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def monitor(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """monitor(*arguments): exit code, stdout, stderr, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        code = run(["monitor", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def faulty(counting: psycopg.Connection[Any], pg_database: str) -> str:
    """A database with a table without a key, a slow statement and a secret in one."""
    counting.execute("CREATE TABLE nokey (v int)")
    counting.execute("SELECT pg_sleep(0.15) /* geheim */", prepare=False)
    return pg_database


def test_a_target_is_needed(monitor: Run) -> None:
    for verb in ("snapshot", "diagnose"):
        code, out, err = monitor(verb)
        assert (code, out) == (2, "") and "there is none" in err and "--postgres URL" in err
    code, _, err = monitor()
    assert code == 2 and "monitor diagnose" in err
    assert monitor("diagnos")[0] == 2


def test_diagnose_as_text(monitor: Run, faulty: str) -> None:
    # That fsync is off would be an error, but for a scratch server of dbtrust.
    assert monitor("diagnose", "--postgres", faulty)[0] == 0
    assert monitor("diagnose", "--postgres", faulty, "--fail-on", "warning")[0] == 1
    code, out, err = monitor("diagnose", "--postgres", faulty, "--fail-on", "never")
    assert (code, err) == (0, "")
    assert "table.no_primary_key  table:nokey" in out
    assert out.index("Warnings (") < out.index("Not examined") < out.index("Slowest statements by total time")
    assert "geheim" not in out
    assert out.splitlines()[-1].startswith("findings: ")


def test_diagnose_as_json(monitor: Run, faulty: str, tmp_path: Path) -> None:
    code, out, err = monitor(
        "diagnose", "--postgres", faulty, "--format", "json", "--fail-on", "warning", "--output", "r.json"
    )
    assert (code, out, err) == (1, "", "")
    document = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, schema(), cls=jsonschema.Draft202012Validator)
    assert document["verdicts"] == [] and document["servers"]["postgres"]["embedded"] is False
    names = [listing["name"] for listing in document["monitor"]["postgres"]["listings"]]
    assert names[:2] == ["statements", "statement_io"] and {"indexes", "unused_indexes", "locks"} <= set(
        names
    )
    assert document["monitor"]["mongo"] is None and "geheim" not in out


def test_a_file_needs_no_server(monitor: Run, faulty: str, tmp_path: Path) -> None:
    code, out, err = monitor("snapshot", "--postgres", faulty, "--output", "s.json")
    assert (code, out) == (0, "") and "not examined: free space in tables" in err
    assert "geheim" not in (tmp_path / "s.json").read_text(encoding="utf-8")
    live = json.loads(monitor("diagnose", "--postgres", faulty, "--only", "table", "--format", "json")[1])
    saved = json.loads(monitor("diagnose", "--from", "s.json", "--only", "table", "--format", "json")[1])
    assert live["findings"] == saved["findings"] and saved["findings"]
    code, out, _ = monitor("diagnose", "--postgres", faulty, "--since", "s.json", "--format", "json")
    view = json.loads(out)["monitor"]["postgres"]
    assert (
        code == 0
        and view["since"] == json.loads((tmp_path / "s.json").read_text())["snapshots"][0]["taken_at"]
    )
    for only in ("mongo", "collection"):
        code, out, err = monitor("diagnose", "--from", "s.json", "--only", only)
        assert (code, out) == (2, "") and "--from s.json has no snapshot of MongoDB" in err
    code, _, err = monitor("diagnose", "--from", "none.json")
    assert code == 2 and "none.json" in err


def test_literals_are_shown_when_asked_for(monitor: Run, faulty: str) -> None:
    assert "geheim" in monitor("snapshot", "--postgres", faulty, "--show-literals")[1]


def test_print_sql_sends_nothing(monitor: Run, faulty: str, pg: psycopg.Connection[Any]) -> None:
    code, out, _ = monitor("diagnose", "--postgres", faulty, "--print-sql")
    assert code == 0 and "BEGIN READ ONLY" in out and "statement_timeout" in out
    assert "pg_stat_checkpointer" in out and "pg_stat_bgwriter" not in out
    row = pg.execute(
        "SELECT count(*) FROM pg_stat_statements JOIN pg_database d ON d.oid = dbid"
        " WHERE datname = current_database() AND query LIKE '%pg_stat_archiver%' AND query NOT LIKE '%datname%'"
    ).fetchone()
    assert row == (0,)


def test_a_target_of_the_configuration(
    monitor: Run, faulty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml = '[project]\nname = "p"\n[check]\nfail_on = "warning"\n[targets.live]\npostgres = "env:LIVE_PG"\n'
    (tmp_path / "dbtrust.toml").write_text(toml, encoding="utf-8")
    monkeypatch.setenv("LIVE_PG", faulty)
    assert monitor("diagnose", "--target", "live")[0] == 1
    assert monitor("diagnose", "--target", "lief")[0] == 2
    assert monitor("diagnose", "--target", "live", "--only", "indx")[0] == 2


def test_a_server_that_is_not_there(monitor: Run, faulty: str) -> None:
    nobody = "postgresql://u:geheim@127.0.0.1:1/d"
    code, out, err = monitor("diagnose", "--postgres", nobody, "--format", "json")
    assert code == 3 and json.loads(out)["errors"][0]["code"] == 3 and "geheim" not in out + err
    assert monitor("snapshot", "--postgres", nobody)[0] == 3
    assert monitor("diagnose", "--postgres", nobody, "--print-sql")[0] == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_snapshot_leaves_the_earlier_one(
    pg: psycopg.Connection[Any], pg_database: str, tmp_path: Path, number: signal.Signals
) -> None:
    kept = tmp_path / "keep.json"
    kept.write_text("mine", encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "dbtrust",
        "monitor",
        "snapshot",
        "--postgres",
        pg_database,
        "--output",
        kept,
    ]
    with psycopg.connect(pg_database) as other:
        other.execute("LOCK TABLE pg_policy IN ACCESS EXCLUSIVE MODE")
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert await_true(lambda: _waiting(pg), 60)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (4, "") and err.startswith("error: interrupted")
    assert kept.read_text(encoding="utf-8") == "mine"


def _waiting(pg: psycopg.Connection[Any]) -> bool:
    row = pg.execute(
        "SELECT FROM pg_stat_activity WHERE application_name = 'dbtrust' AND wait_event_type = 'Lock'"
        " AND datname = current_database()"
    ).fetchone()
    return row is not None


def test_an_error_is_written_into_no_data(monitor: Run, tmp_path: Path) -> None:
    kept = tmp_path / "keep.json"
    kept.write_text("mine", encoding="utf-8")
    assert monitor("snapshot", "--output", kept)[0] == 2
    code, _, err = monitor("snapshot", "--output", kept, "--no-such")
    assert code == 2 and "no option --no-such" in err
    assert kept.read_text(encoding="utf-8") == "mine"
    code, _, _ = monitor("diagnose", "--output", kept, "--format", "json")
    assert code == 2 and json.loads(kept.read_text(encoding="utf-8"))["errors"]


def test_a_folder_as_output_is_one_error(monitor: Run, tmp_path: Path) -> None:
    for sub in ("snapshot", "diagnose"):
        code, _, err = monitor(sub, "--output", tmp_path)
        assert code == 2 and len(err.splitlines()) == 1 and "is a folder" in err
