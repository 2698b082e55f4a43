"""`dbtrust servers`: what each command prints."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pymongo
import pytest
from click.testing import CliRunner

from dbtrust.cli import servers as module
from dbtrust.cli.servers import servers
from dbtrust.engine import watchdog
from dbtrust.model.errors import ServerError


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="dbt", dir="/tmp")).resolve()
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    yield folder
    assert watchdog.processes(str(folder)) == {}
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DBTRUST_HOME", str(home))
    yield
    invoke("stop", "--delete")


def invoke(*words: str) -> str:
    return CliRunner().invoke(servers, words, catch_exceptions=False).output


def document(*words: str) -> dict[str, Any]:
    return json.loads(invoke(*words, "--format", "json"))


def test_start_prints_one_document_with_usable_urls() -> None:
    started = document("start")
    assert list(started) == ["schema", "postgres", "mongo"]
    assert started["schema"] == 1
    assert all(set(started[engine]) == {"url", "version", "pid"} for engine in ("postgres", "mongo"))
    with psycopg.connect(started["postgres"]["url"]) as connection:
        assert connection.execute("SHOW server_version").fetchone() == (started["postgres"]["version"],)
    with pymongo.MongoClient(started["mongo"]["url"]) as client:
        assert client.server_info()["version"] == started["mongo"]["version"]
    assert document("start") == started
    assert document("status") == started
    assert invoke("stop") == "PostgreSQL: stopped\nMongoDB: stopped\n"
    assert invoke("stop") == "PostgreSQL: was not running\nMongoDB: was not running\n"
    assert document("status") == {"schema": 1, "postgres": None, "mongo": None}


def test_only_starts_one() -> None:
    started = document("start", "--only", "postgres")
    assert started["mongo"] is None
    text = invoke("status")
    assert text.startswith(f"PostgreSQL {started['postgres']['version']}  {started['postgres']['url']}  pid ")
    assert text.endswith("MongoDB: not running\n")


def test_output_goes_to_a_file(tmp_path: Path) -> None:
    assert invoke("status", "--format", "json", "--output", str(tmp_path / "out.json")) == ""
    assert json.loads((tmp_path / "out.json").read_text())["schema"] == 1


def test_one_that_does_not_start_does_not_hide_the_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "mongod"
    broken.write_text(
        "#!/bin/sh\necho 'error while loading shared libraries: libcurl.so.4: no' >&2; exit 127\n"
    )
    broken.chmod(0o755)
    monkeypatch.setenv("DBTRUST_MONGOD", str(broken))
    monkeypatch.setattr("dbtrust.engine.mongo.binaries._WHEELS", ())
    monkeypatch.setattr("dbtrust.engine.mongo.binaries.shutil.which", lambda name: None)
    result = CliRunner().invoke(servers, ["start", "--format", "json"])
    assert json.loads(result.stdout)["postgres"]["url"]
    assert json.loads(result.stdout)["mongo"] is None
    assert isinstance(result.exception, ServerError)
    assert result.exception.code == 3
    assert "libcurl4" in str(result.exception)


def test_two_failures_are_one_line() -> None:
    both = module._joined([ServerError("a", next="x"), ServerError("b", next="x"), ServerError("c")])
    assert str(both) == "a; b; c (x)"


def test_prune_says_what_it_removed(home: Path) -> None:
    (home / "runs" / "0badbabe").mkdir(parents=True)
    (home / "templates" / "postgres-old").mkdir(parents=True)
    assert invoke("prune", "--all").startswith("removed 1 stale run(s) and ")
    assert not (home / "templates" / "postgres-old").exists()
    assert invoke("prune") == "removed 0 stale run(s) and 0 cached folder(s)\n"


def test_progress_is_for_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module._progress(False)("not in a pipe")
    monkeypatch.setattr(module.sys.stderr, "isatty", lambda: True)
    module._progress(False)("starting")
    module._progress(True)("not if quiet")
    assert capsys.readouterr().err == "starting\n"


def test_help_names_every_command() -> None:
    text = invoke("--help")
    assert all(name in text for name in ("start", "status", "stop", "prune"))
