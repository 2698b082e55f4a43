"""The Python of MongoDB migrations on the way up and down: nothing counts as applied that did not run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.cli.migrating import Call, caller, states, told, write

from dbtrust.cli.main import run

HEAD = "from dbtrust.migrations import *\n"


@pytest.fixture
def call(mongo_db: Any, mongo_url: str, capsys: pytest.CaptureFixture[str]) -> Call:
    return caller(capsys, mongo=mongo_url.replace("/?", f"/{mongo_db.name}?"))


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("async def up(db):\n    db.c.insert_one({})\n", 2, "up is async"),
        ("def up(db):\n    yield db.c.insert_one({})\n", 2, "up has a yield"),
        ("def up(db): pass\nasync def down(db): pass\n", 3, "down is async"),
        ("async def f(db): pass\nsteps = [step('s', apply=f)]\n", 3, "apply is async"),
        ("def f(db): yield\nsteps = [step('s', apply=print, revert=f)]\n", 3, "revert has a yield"),
        ("async def f(db): pass\ndef up(db): pass\nverify = [f]\n", 4, "verify: f is async"),
        ("steps = 5\n", 2, "steps is 5, no list"),
        ("steps = ['x']\n", 2, "step 1 is 'x', no step"),
        ("def up(db): pass\nverify = 3\n", 3, "verify is 3, no list"),
        ("def up(db): pass\ndef v(db): pass\nverify = v\n", 4, "no list"),
        ("def up(db): pass\nlossy = 1\n", 3, "lossy is 1, no list"),
        ("def up(db): pass\nlossy = 'all of it'\n", 3, "lossy is 'all of it', no list"),
        ("def up(db, x): pass\n", 2, "up does not take the database alone"),
        ("up = 3\n", 2, "up is 3, no function"),
        ("import sys\nsys.exit(3)\n", 3, "raised SystemExit: 3"),
    ],
)
def test_what_cannot_be_run_is_refused_when_it_is_loaded(
    text: str, line: int, said: str, call: Call, tmp_path: Path, mongo_db: Any
) -> None:
    project = write(tmp_path, {"0001_a.py": HEAD + text})
    code, document = call("up", project)
    error = document["errors"][0]
    assert (code, error["location"]["file"], error["location"]["line"]) == (2, "m/0001_a.py", line), document
    assert said in error["message"]
    assert states(call("status", project)[1]) == [("0001", "pending")]
    assert "c" not in mongo_db.list_collection_names()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("async def f(db): pass\nup = lambda db: f(db)\n", "it gave a coroutine"),
        ("def f(db):\n    yield\nsteps = [step('s', apply=lambda db: f(db))]\n", "it gave a generator"),
        ("import sys\ndef up(db):\n    sys.exit(0)\n", "it called sys.exit(0)"),
        ("import sys\ndef up(db): pass\nverify = [lambda db: sys.exit()]\n", "it called sys.exit()"),
    ],
)
def test_what_did_not_run_is_not_applied(text: str, said: str, call: Call, tmp_path: Path) -> None:
    project = write(tmp_path, {"0001_a.py": HEAD + text})
    code, document = call("up", project)
    assert (code, told(document)) == (1, [("0001", "refuted")])
    message = document["verdicts"][0]["message"]
    assert said in message and message.count("step ") <= 1
    assert states(call("status", project)[1]) == [("0001", "running")]


def test_a_down_that_ends_the_process_is_a_failed_down(call: Call, tmp_path: Path) -> None:
    project = write(
        tmp_path, {"0001_a.py": "import sys\ndef up(db): pass\n\ndef down(db):\n    sys.exit(7)\n"}
    )
    assert call("up", project)[0] == 0
    code, document = call("down", project)
    assert (code, told(document), document["verdicts"][0]["location"]["line"]) == (
        1,
        [("0001", "refuted")],
        5,
    )
    assert "was being undone, and failed: it called sys.exit(7)" in document["verdicts"][0]["message"]


def test_prove_tells_what_ends_the_process(call: Call, tmp_path: Path) -> None:
    project = write(tmp_path, {"0001_a.py": "import sys\ndef up(db):\n    sys.exit(7)\n"})
    code, document = call("prove", project)
    up = next(v for v in document["verdicts"] if v["check"] == "migrate.up")
    assert (code, up["verdict"]) == (1, "refuted") and "sys.exit(7)" in up["message"]


def test_what_a_migration_prints_is_not_in_the_document(call: Call, tmp_path: Path) -> None:
    text = (
        "print('loading')\ndef up(db): print('up')\ndef down(db): print('down')\n"
        "def v(db):\n    print('v')\n    return True\nverify = [v]\n"
    )
    project = write(tmp_path, {"0001_a.py": text})
    for verb in ("prove", "up", "down"):  # a document that is no JSON fails in call
        assert call(verb, project)[0] == 0


def test_a_syntax_error_is_told_before_anything_is_applied(call: Call, tmp_path: Path) -> None:
    project = write(tmp_path, {"0001_a.py": "steps = []\n", "0002_b.py": "steps = [\n"})
    code, document = call("up", project)
    assert (code, document["verdicts"]) == (2, [])
    assert "SyntaxError" in document["errors"][0]["message"]
    assert states(call("status", project)[1])[0] == ("0001", "pending")


def test_lock_wait_is_a_number_of_seconds(
    tmp_path: Path, mongo_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for text in ("nan", "-1"):
        assert run(["migrate", "up", str(tmp_path), "--mongo", mongo_url, "--lock-wait", text]) == 2
        assert "--lock-wait" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "steps = [create_collection('c'), create_index('c', 'n', name='x', unique=1, v=77)]\n",
            "steps = [create_collection('c'), create_index('c', 'n', name='x', unique=True)]\n",
        ),
        (
            "def up(db): db.create_collection('c')\ndef right(db): return 1\nverify = [right]\n",
            "def up(db): db.create_collection('c')\ndef right(db): return True\nverify = [right]\n",
        ),
    ],
)
def test_what_was_mended_while_half_applied_is_what_is_applied(
    before: str, after: str, call: Call, tmp_path: Path, mongo_db: Any
) -> None:
    project = write(tmp_path, {"0001_a.py": HEAD + before})
    assert call("up", project)[0] == 1
    write(tmp_path, {"0001_a.py": HEAD + after})
    code, document = call("up", project)
    assert (code, told(document)) == (0, [("0001", "holds")]), document
    assert mongo_db.dbtrust_migration.find_one({"_id": "1"})["source"] == HEAD + after
    code, document = call("up", project)
    assert (code, document["verdicts"], document["findings"]) == (0, [], [])


def test_a_half_run_migration_whose_file_is_gone_is_told(call: Call, tmp_path: Path) -> None:
    files = {"0001_a.py": "steps = []\n", "0002_b.py": "def up(db): 1 / 0\n"}
    project = write(tmp_path, files)
    code, document = call("up", project)
    bad = next(v for v in document["verdicts"] if v["verdict"] == "refuted")
    assert code == 1 and bad["message"].startswith("step up(db) of migration 0002 raised ZeroDivisionError")
    (project / "m" / "0002_b.py").unlink()
    code, document = call("status", project)
    assert (code, states(document)[1]) == (0, ("0002", "unknown"))
    assert ["half done" in f["message"] for f in document["findings"]] == [True]
    code, document = call("status", project, "--check")
    assert (code, document["errors"][0]["message"]) == (1, "not applied: 0002")
