"""The command line of `claims why`: names, claims, exit codes, outputs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from dbtrust.claims.why import find_query
from dbtrust.cli.main import run
from dbtrust.report.why import why_schema
from dbtrust.source.config import load_config
from dbtrust.source.modules import project_path
from dbtrust.source.project import read_project

ORDERS = Path(__file__).parents[1] / "projects" / "orders"
Called = tuple[int, str, str]
Command = Callable[..., Called]


@pytest.fixture
def why(postgres_url: str, mongo_url: str, capsys: pytest.CaptureFixture[str]) -> Command:
    """why(*arguments): exit code, stdout, stderr, on the session's servers."""

    def call(*arguments: str | Path) -> Called:
        code = run(
            [
                "claims",
                "why",
                *map(str, arguments),
                "--postgres",
                postgres_url,
                "--mongo",
                mongo_url,
                "--builds",
                "0",
            ]
        )
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.mark.parametrize("name", ["typed", "orders.typed", "query:orders.typed"])
def test_a_name_in_each_form(name: str) -> None:
    config = load_config(ORDERS)
    with project_path(config):
        assert find_query(read_project(config), name).subject == "query:orders.typed"


def test_text(why: Command) -> None:
    code, out, err = why("typed", ORDERS)
    assert (code, err) == (0, "")
    assert "smallest change that flips it: send :id as integer" in out


def test_json_and_a_file(why: Command, tmp_path: Path) -> None:
    target = tmp_path / "why.json"
    code, out, _ = why("ThingQueries.prices", ORDERS, "--format", "json", "--output", target)
    assert (code, out) == (0, "")
    document = json.loads(target.read_text(encoding="utf-8"))
    jsonschema.validate(document, why_schema())
    assert document["explanations"][0]["impossible"] == ["field day is not in group_price"]


def test_one_claim(why: Command) -> None:
    code, out, _ = why("amounts", ORDERS, "--claim", "no sort")
    assert code == 0 and "no sort" in out and "index only" not in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["of_emial"], "did you mean orders.of_email?", id="misspelt"),
        pytest.param(["order.typed"], "did you mean orders.typed?", id="misspelt file"),
        pytest.param(["ThingQuery.prices"], "did you mean ThingQueries.prices?", id="misspelt class"),
        pytest.param(["amounts", "--claim", "no sorts"], "did you mean 'no sort'?", id="misspelt claim"),
        pytest.param(["amounts", "--claim", ""], "several claims begin with ''", id="an empty claim"),
        pytest.param(["amounts", "--format", "html"], "html", id="a format that it has not"),
    ],
)
def test_what_is_wrong_is_exit_2(why: Command, arguments: list[str], said: str) -> None:
    code, _, err = why(arguments[0], ORDERS, *arguments[1:])
    assert code == 2 and said in err and len(err.splitlines()) == 1


def test_a_query_without_claims(why: Command) -> None:
    code, _, err = why("insert_user", Path(__file__).parents[2] / "examples" / "shop")
    assert code == 2 and "makes no claim" in err


def test_no_server_is_exit_3(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["claims", "why", "typed", str(ORDERS), "--postgres", "postgresql://nobody@127.0.0.1:1/none"])
    assert code == 3 and "cannot connect" in capsys.readouterr().err


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["claims", "why", "--help"]) == 0
    assert "--builds" in capsys.readouterr().out
    assert run(["claims", "--help"]) == 0
    assert "why" in capsys.readouterr().out


def test_an_embedded_server_is_gone_afterwards(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dbtrust", "claims", "why", "typed", str(ORDERS), "--builds", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "(embedded)" in done.stdout and list(tmp_path.iterdir()) == []
