"""Tables and collections of the ledger's name that dbtrust did not write, or that were changed by hand: every verb refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.cli.migrating import FILES, Call, caller, write

VERBS = (
    ("up",), ("down",), ("status",), ("plan",), ("baseline", "--to", "1"), ("repair", "1", "--mark", "done"),
)  # fmt: skip


@pytest.fixture
def call(pg_database: str, mongo_db: Any, mongo_url: str, capsys: pytest.CaptureFixture[str]) -> Call:
    return caller(capsys, postgres=pg_database, mongo=mongo_url.replace("/?", f"/{mongo_db.name}?"))


def refused(call: Call, project: Path, said: str, *more: str) -> None:
    for verb in VERBS:
        words = (
            (verb[0], verb[1], project, *verb[2:]) if verb[0] == "repair" else (verb[0], project, *verb[1:])
        )
        code, document = call(*words, *more)
        assert (code, document["verdicts"]) == (1, []), (verb, document)
        message = document["errors"][0]["message"]
        assert "is no ledger that this dbtrust can read" in message and said in message, (verb, message)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE dbtrust_migration SET stored = '[]' WHERE number = -1", "get"),
        ("UPDATE dbtrust_migration SET number = 1.5 WHERE number = 1", "1.5"),
        ("UPDATE dbtrust_migration SET state = 'paused' WHERE number = 1", "0001 has state 'paused'"),
        ("DELETE FROM dbtrust_migration WHERE number = -1", "row -1"),
        (
            "ALTER TABLE dbtrust_migration RENAME TO x; CREATE VIEW dbtrust_migration AS SELECT * FROM x",
            "it is no table",
        ),
        ("DROP TABLE dbtrust_migration; CREATE TABLE dbtrust_migration (id int)", "table public."),
    ],
)
def test_a_table_that_is_no_ledger(
    change: str, said: str, call: Call, tmp_path: Path, pg: psycopg.Connection[Any]
) -> None:
    project = write(tmp_path, {name: FILES[name] for name in ("0001_a.sql", "0001_a.down.sql")})
    assert call("up", project)[0] == 0
    pg.execute(change.encode())
    refused(call, project, said, "--only", "postgres")
    assert pg.execute("SELECT to_regclass('a') IS NOT NULL").fetchone() == (True,)


@pytest.mark.parametrize(
    ("key", "fields", "said"),
    [
        ("meta", {"format": "x"}, "its format is 'x'"),
        ("abc", {"kind": "migration"}, "KeyError"),
        ("abc", {"kind": "migration", "state": "done"}, "abc"),
        ("1", {"state": "paused"}, "0001 has state 'paused'"),
        ("1", {"state": None}, "0001 has state None"),
    ],
)
def test_documents_that_are_no_ledger(
    key: str, fields: dict[str, Any], said: str, call: Call, tmp_path: Path, mongo_db: Any
) -> None:
    project = write(tmp_path, {"0001_a.py": FILES["0002_items.py"]})
    assert call("up", project)[0] == 0
    mongo_db.dbtrust_migration.update_one({"_id": key}, {"$set": fields}, upsert=True)
    refused(call, project, said, "--only", "mongo")
    assert "items" in mongo_db.list_collection_names()


def test_a_collection_and_a_view_of_the_user_s_own(call: Call, tmp_path: Path, mongo_db: Any) -> None:
    project = write(tmp_path, {"0001_a.py": FILES["0002_items.py"]})
    mongo_db.dbtrust_migration.insert_one({"mine": 1})
    refused(call, project, "the document meta about itself is missing", "--only", "mongo")
    assert mongo_db.dbtrust_migration.count_documents({}) == 1
    mongo_db.dbtrust_migration.drop()
    mongo_db.create_collection("dbtrust_migration", viewOn="other", pipeline=[])
    refused(call, project, "it is a view", "--only", "mongo")


def test_a_script_without_a_transaction_that_deletes_its_own_row(
    call: Call, tmp_path: Path, pg: psycopg.Connection[Any]
) -> None:
    delete = "DELETE FROM dbtrust_migration WHERE number = 1;"
    text = f"-- migrate:up transaction:false\nCREATE TABLE a (id int);\n{delete}\n"
    code, document = call("up", write(tmp_path, {"0001_a.sql": text}), "--only", "postgres")
    (told,) = document["verdicts"]
    assert code == 1 and "the ledger, or a part of it, was removed while migrations ran" in told["message"]
    assert "baseline --to N" in told["next"]
    assert pg.execute("SELECT to_regclass('a') IS NOT NULL").fetchone() == (True,)
