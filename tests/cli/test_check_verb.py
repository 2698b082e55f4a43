"""The command line around `check`: outputs, exit codes, options and the environment."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dbtrust.cli.main import run
from dbtrust.engine.waiting import await_true
from dbtrust.report.json import schema

LIBRARY = Path(__file__).parents[1] / "projects" / "library"
Small = Callable[..., Path]


@pytest.fixture
def small(tmp_path: Path) -> Small:
    """small(claim): a project of one table, one query and one claim."""

    def make(claim: str = "uses t_pkey on t", *, toml: str = "") -> Path:
        folder = tmp_path / "small"
        folder.mkdir(exist_ok=True)
        text = f'[project]\nname = "small"\n{toml}\n[postgres]\nschema = ["s.sql"]\nqueries = ["q.sql"]\n[data.t]\nfile = "d.sql"\nrows = 5000\n'
        (folder / "dbtrust.toml").write_text(text, encoding="utf-8")
        (folder / "s.sql").write_text(
            "CREATE TABLE t (id int PRIMARY KEY, v text);\nCREATE TABLE u (id int PRIMARY KEY);\n",
            encoding="utf-8",
        )
        (folder / "d.sql").write_text(
            "INSERT INTO t SELECT n, 'v' || n FROM generate_series(1, :rows) AS n", encoding="utf-8"
        )
        (folder / "q.sql").write_text(
            f"-- name: one\n-- claim: {claim}\n-- example: id = 7\nSELECT v FROM t WHERE id = :id;\n",
            encoding="utf-8",
        )
        return folder

    return make


@pytest.fixture
def dbtrust(
    postgres_url: str, mongo_url: str, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """dbtrust(*arguments): exit code, stdout, stderr, on the session's servers."""

    def call(*arguments: str | Path, servers: bool = True) -> tuple[int, str, str]:
        urls = ["--postgres", postgres_url, "--mongo", mongo_url] if servers else []
        code = run([*map(str, arguments), *urls])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def valid(text: str) -> dict[str, Any]:
    document = json.loads(text)
    jsonschema.validate(document, schema(), cls=jsonschema.Draft202012Validator)
    return document


def test_what_holds_is_exit_0(small: Small, dbtrust: Any) -> None:
    code, out, err = dbtrust("check", small())
    assert (code, err) == (0, "")
    assert "uses t_pkey on t" in out
    assert "holds: 6" in out.splitlines()[-1]
    assert "\x1b" not in out


def test_what_is_refuted_is_exit_1(small: Small, dbtrust: Any) -> None:
    code, out, _ = dbtrust("check", small("no sort at 5 rows in u"))
    assert code == 0 and "unproved" in out
    assert dbtrust("check", small("no sort at 5 rows in u"), "--strict")[0] == 1
    code, out, _ = dbtrust("check", small("uses nothing"))
    assert code == 1
    assert "there is no index nothing" in out
    assert "q.sql:2:11" in out


def test_json_is_one_valid_document(small: Small, dbtrust: Any) -> None:
    code, out, _ = dbtrust("check", small("cost at most 0.1"), "--format", "json")
    document = valid(out)
    assert code == 1
    assert document["servers"]["postgres"]["embedded"] is False
    assert document["servers"]["mongo"] is None
    claim = next(v for v in document["verdicts"] if v["check"] == "claim.cost")
    assert claim["location"] == {"file": "q.sql", "line": 2, "column": 11}
    assert claim["evidence"]["plan"]["nodes"][0]["index"] == "t_pkey"
    assert claim["evidence"]["data"]["rows"] == {"t": 5000}
    assert document["summary"]["refuted"] == 1


@pytest.mark.parametrize("only", ["claim", "query.prepares", "schema", "trace", "mongo"])
def test_only(small: Small, dbtrust: Any, only: str) -> None:
    _, out, _ = dbtrust("check", small(), "--only", only, "--format", "json")
    checks = {v["check"] for v in valid(out)["verdicts"]}
    expected = {
        "claim": {"claim.uses", "claim.generic"},
        "query.prepares": {"query.prepares"},
        "schema": {"schema.applies", "schema.constraint"},
    }
    assert checks == expected.get(only, set())


def test_a_file_instead_of_stdout(small: Small, dbtrust: Any, tmp_path: Path) -> None:
    target = tmp_path / "out.html"
    code, out, _ = dbtrust("check", small(), "--format", "html", "--output", target)
    assert (code, out) == (0, "")
    page = target.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") or page.lower().startswith("<!doctype")
    assert "Index Scan" in page and "http://" not in page.replace("http://www.w3.org", "")
    code, _, err = dbtrust("check", small(), "--output", tmp_path / "no" / "such" / "folder.json")
    assert code == 2 and "cannot write" in err


def test_errors_are_one_line(small: Small, dbtrust: Any) -> None:
    code, out, err = dbtrust("check", small("no sorts"))
    assert code == 2
    assert err.splitlines() == [
        "q.sql:2:14: error: claim 'no sorts': unknown word 'sorts' (did you mean 'sort'?)"
    ]
    assert "holds: 4" in out
    code, out, _ = dbtrust("check", small("no sorts"), "--format", "json")
    document = valid(out)
    assert [(e["code"], e["location"]["line"]) for e in document["errors"]] == [(2, 2)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chek"], "did you mean check?"), (["check", "--onyl", "x"], "--only"), (["check", "--format", "yaml"], "yaml"),
        (["check", "no/such/folder"], "not a folder"), (["check", "--only", "clam"], "claim"), (["check", "--target", "t"], "dbtrust.toml"),
    ],
)  # fmt: skip
def test_usage_is_exit_2(
    arguments: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert len(captured.err.splitlines()) == 1
    assert run([*arguments, "--format", "json"]) == 2
    assert valid(capsys.readouterr().out)["errors"]


def test_help_names_what_is_built(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(verb in text for verb in ("check", "claims", "demo", "migrate", "monitor", "servers"))
    assert not any(verb in text for verb in ("lint", "shadow"))
    assert run(["check", "--help"]) == 0
    assert "--fail-on" in capsys.readouterr().out
    assert run([]) == 0
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.endswith("dbtrust 0.1.0\n")


def test_the_environment_sets_options(small: Small, dbtrust: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBTRUST_FORMAT", "json")
    monkeypatch.setenv("DBTRUST_ONLY", "claim")
    _, out, _ = dbtrust("check", small())
    assert {v["check"] for v in valid(out)["verdicts"]} == {"claim.uses", "claim.generic"}


def test_a_target_of_the_configuration(
    small: Small, dbtrust: Any, postgres_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = small()
    with (folder / "dbtrust.toml").open("a", encoding="utf-8") as file:
        file.write(
            '[targets.here]\npostgres = "env:HERE_PG"\n[targets.file]\npostgres = "file:url.txt"\n[targets.gone]\npostgres = "file:none.txt"\n'
        )
    code, _, err = dbtrust("check", folder, "--target", "here", servers=False)
    assert code == 2 and "HERE_PG is not set" in err
    monkeypatch.setenv("HERE_PG", postgres_url)
    (folder / "url.txt").write_text(postgres_url + "\n", encoding="utf-8")
    for name in ("here", "file"):
        code, out, _ = dbtrust("check", folder, "--target", name, "--format", "json", servers=False)
        assert code == 0 and valid(out)["servers"]["postgres"]["embedded"] is False
    assert dbtrust("check", folder, "--target", "gone", servers=False)[0] == 2
    code, _, err = dbtrust("check", folder, "--target", "hree", servers=False)
    assert code == 2 and "did you mean here?" in err


def test_a_bug_is_exit_5(small: Small, dbtrust: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("unexpected")

    monkeypatch.setattr("dbtrust.checks.postgres.judge_queries", broken)
    code, _, err = dbtrust("check", small())
    assert code == 5
    assert "a bug in dbtrust: RuntimeError: unexpected" in err and "Traceback" not in err
    code, out, err = dbtrust("check", small(), "--format", "json", "-v")
    assert code == 5 and valid(out)["errors"][0]["code"] == 5 and "Traceback" in err


def test_fail_on_decides_about_findings(small: Small, dbtrust: Any) -> None:
    folder = small()
    (folder / "s.sql").write_text(
        "CREATE TABLE t (id int PRIMARY KEY, v text);\nCREATE INDEX again ON t (v);\nCREATE INDEX other ON t (v);\n",
        encoding="utf-8",
    )
    code, out, _ = dbtrust("check", folder, "--format", "json")
    assert [(f["rule"], f["subject"], f["location"]["line"]) for f in valid(out)["findings"]] == [
        ("index.redundant", "index:other", 3)
    ]
    assert code == 1
    assert dbtrust("check", folder, "--fail-on", "never")[0] == 0


@pytest.fixture
def home() -> Iterator[Path]:
    """A home whose path is short enough for the sockets of servers, so that they run below it."""
    folder = Path(tempfile.mkdtemp(prefix="dbtrust-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def start(folder: Path, home: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "DBTRUST_HOME": str(home), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "dbtrust", "check", str(folder), *arguments]
    return subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def living(home: Path) -> list[str]:
    """Command lines of processes that run below a dbtrust home."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = process.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(home) in line:
            found.append(line)
    return found


def orphans() -> set[str]:
    """Shared memory segments that no process is attached to (/proc/sysvipc/shm: shmid, nattch)."""
    rows = [line.split() for line in Path("/proc/sysvipc/shm").read_text(encoding="utf-8").splitlines()[1:]]
    return {row[1] for row in rows if row[6] == "0"}


def test_killed_at_random_moments_it_leaves_nothing(small: Small, home: Path) -> None:
    """SIGKILL of dbtrust: its watchdog, and else the next start, ends every server and deletes every folder."""
    folder = small()
    before = orphans()
    for number in range(10):
        process = start(folder, home)
        time.sleep(0.25 + 0.31 * number)
        process.kill()
        process.communicate()
    process = start(folder, home)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    assert "refuted: 0" in out
    deadline = time.monotonic() + 20
    while living(home) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert living(home) == []
    assert [p.name for p in (home / "runs").iterdir() if not p.name.startswith(".")] == []
    # Servers that other tests kill leave some for as long as those tests run.
    assert await_true(lambda: orphans() <= before, 60)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_is_exit_4(small: Small, home: Path, number: signal.Signals) -> None:
    folder = small()
    (folder / "d.sql").write_text(
        "INSERT INTO t SELECT n, 'x' FROM generate_series(1, :rows) AS n, pg_sleep(30)", encoding="utf-8"
    )
    process = start(folder, home)
    deadline = time.monotonic() + 60
    while (
        not any("dbtrust_data" in line or "postgres" in line for line in living(home))
        and time.monotonic() < deadline
    ):
        time.sleep(0.1)
    time.sleep(1.5)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 4, err
    assert "interrupted" in err
    assert living(home) == []


def test_twenty_at_once_all_end_right(small: Small, home: Path) -> None:
    folder = small()
    processes = [start(folder, home, "--format", "json") for _ in range(20)]
    for process in processes:
        out, err = process.communicate(timeout=300)
        assert (process.returncode, err) == (0, "")
        assert valid(out)["summary"]["holds"] == 6
