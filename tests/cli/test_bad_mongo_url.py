"""A MongoDB URL that cannot be read: exit 2 in every verb, one line, no password, and no server is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbtrust.cli.main import run

CONFIG = '[project]\nname = "p"\npython = ["."]\n[mongo]\nqueries = ["store_of_p:Things"]\n'
CONFIG += 'collections = ["store_of_p:things"]\n'
STORE = """
from pydantic import BaseModel

from dbtrust import Collection, MongoQueries, claim


class Thing(BaseModel):
    n: int


things = Collection("things", Thing)


class Things(MongoQueries):
    @claim("no collection scan")
    def all(self):
        return list(self.db.things.find({}))
"""
BAD = ["", "postgres://x/y", "mongodb://h/prod?foo=bar", "mongodb://h:99999/x", "mongodb://u:s3cr/et@h/x"]
VERBS = {
    "check": ["check"],
    "claims": ["claims"],
    "explain": ["claims", "explain", "all"],
    "baseline": ["claims", "baseline"],
    "why": ["claims", "why", "all"],
    "drift": ["check", "--only", "schema.drift"],
}


@pytest.mark.parametrize("url", BAD)
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("more", [[], ["--database", "other"]], ids=["", "database"])
def test_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str, url: str, more: list[str]
) -> None:
    (tmp_path / "dbtrust.toml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "store_of_p.py").write_text(STORE, encoding="utf-8")
    code = run([*VERBS[verb], str(tmp_path), "--mongo", url, *more])
    shown = capsys.readouterr()
    assert code == 2, shown
    errors = [line for line in shown.err.splitlines() if "is no MongoDB URL" in line]
    assert len(errors) == 1 and "write mongodb://HOST:PORT" in errors[0], shown.err
    assert "s3cr" not in shown.err + shown.out and "Traceback" not in shown.err


def test_a_url_without_a_user_is_no_fault_of_a_role(
    mongo_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dbtrust.toml").write_text('[project]\nname = "p"\n[mongo]\n[migrations]\nfolder = "m"\n')
    (tmp_path / "m").mkdir()
    (tmp_path / "m/1_a.py").write_text(
        "from dbtrust.migrations import create_collection\nsteps = [create_collection('a')]\n"
    )
    host = mongo_url.partition("@")[2].partition("/")[0]
    for verb in ("status", "up"):
        assert run(["migrate", verb, str(tmp_path), "--mongo", f"mongodb://{host}/nobody"]) == 3
        said = capsys.readouterr().err
        assert "requires authentication" in said and "name a user and a password" in said
