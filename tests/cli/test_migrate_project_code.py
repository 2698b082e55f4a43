"""What the report of `migrate up` says of a project's own functions, and what they cannot do to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.cli.migrating import Call, caller, told, write

HEAD = "from dbtrust.migrations import *\n"


@pytest.fixture
def call(mongo_db: Any, mongo_url: str, capsys: pytest.CaptureFixture[str]) -> Call:
    return caller(capsys, mongo=mongo_url.replace("/?", f"/{mongo_db.name}?"))


def test_a_step_that_its_probe_found_done_is_told(call: Call, tmp_path: Path, mongo_db: Any) -> None:
    text = "steps = [step('x', apply=lambda db: db.a.insert_one({}), probe=lambda db: True), create_collection('b')]\n"
    code, document = call("up", write(tmp_path, {"0001_x.py": HEAD + text}))
    assert (code, told(document)) == (0, [("0001", "holds")])
    said = "step x: its probe said done, apply was not called"
    assert said in document["verdicts"][0]["message"]
    assert document["verdicts"][0]["evidence"]["found"] == [said]
    assert mongo_db.a.count_documents({}) == 0


def test_a_step_that_ran_before_the_crash_is_told_when_its_probe_says_so(
    call: Call, tmp_path: Path, mongo_db: Any
) -> None:
    text = (
        "def work(db):\n    db.a.insert_one({})\n    if db.a.count_documents({}) == 1: raise ValueError('late')\n"
        "steps = [step('x', apply=work, probe=lambda db: db.a.count_documents({}) > 0)]\n"
    )
    project = write(tmp_path, {"0001_x.py": HEAD + text})
    assert call("up", project)[0] == 1
    code, document = call("up", project)
    assert (
        code == 0 and "its probe said done, apply was not called again" in document["verdicts"][0]["message"]
    )
    assert mongo_db.a.count_documents({}) == 1


GONE = {
    "deleted": "db.dbtrust_migration.delete_many({})",
    "dropped": "db.dbtrust_migration.drop()",
    "renamed": "db.dbtrust_migration.rename('other')",
    "its row": "db.dbtrust_migration.delete_many({'kind': 'migration'})",
    "the lease": "db.dbtrust_migration.delete_one({'_id': 'lease'})",
}
FORMS = {
    "up": "def up(db): {what}\n",
    "step": "def work(db): {what}\nsteps = [create_collection('a'), step('x', apply=work), create_collection('b')]\n",
    "verify": "def up(db): pass\ndef good(db):\n    {what}\n    return True\nverify = [good]\n",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("what", GONE.values(), ids=GONE)
def test_a_migration_that_removes_the_ledger_is_not_called_applied(
    call: Call, tmp_path: Path, what: str, form: str
) -> None:
    project = write(tmp_path, {"0001_x.py": HEAD + form.format(what=what)})
    code, document = call("up", project)
    assert (code, told(document)) == (1, [("0001", "refuted")])
    assert "dropped, renamed or deleted in dbtrust_migration" in document["verdicts"][0]["message"]
    assert "baseline" in document["verdicts"][0]["next"]
    # The lease was given back: nobody waits for it.
    assert call("repair", "1", project, "--mark", "done", "--whole", "--lock-wait", "0")[0] == 0
