"""`migrate plan`: what each step was seen to do, on a scratch database; `migrate dump`: a text that makes the schema."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.cli.migrating import FILES, Call, caller, states, told, write

from dbtrust.cli.main import run
from dbtrust.engine.postgres.catalog import snapshot
from dbtrust.judge.catalog import diff

SHOP = Path(__file__).parents[2] / "examples" / "shop"
FIRST = """\
CREATE TYPE mood AS ENUM ('a');
CREATE TABLE p (id int PRIMARY KEY, v varchar(10), m mood);
CREATE TABLE c (id int, p int);
CREATE INDEX c_p ON c (p);
"""
INSIDE = """\
ALTER TYPE mood ADD VALUE 'b';
ALTER TABLE c ADD CONSTRAINT c_fk FOREIGN KEY (p) REFERENCES p;
ALTER TABLE p ALTER v TYPE int USING v::int;
CREATE TABLE d (id int);
SELECT pg_advisory_xact_lock(42);
DO $$ BEGIN EXECUTE 'ALTER TABLE c ADD x int'; END $$;
"""
OUTSIDE = """\
-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY p_v ON p (v);
DROP INDEX CONCURRENTLY c_p;
REINDEX TABLE CONCURRENTLY p;
VACUUM p;
ALTER TABLE c ADD y int;
DO $$ BEGIN COMMIT; END $$;
"""


@pytest.fixture
def call(pg_database: str, mongo_db: Any, mongo_url: str, capsys: pytest.CaptureFixture[str]) -> Call:
    return caller(capsys, postgres=pg_database, mongo=mongo_url.replace("/?", f"/{mongo_db.name}?"))


def locks(step: dict[str, Any]) -> dict[str, set[str]]:
    """Object -> modes, of what was there before the migration."""
    found: dict[str, set[str]] = {}
    for lock in step["locks"]:
        if not lock["new"]:
            found.setdefault(lock["object"], set()).add(lock["mode"])
    return found


def test_locks_and_rewrites_are_measured(call: Call, tmp_path: Path, pg: psycopg.Connection[Any]) -> None:
    project = write(tmp_path, {"0001_first.sql": FIRST, "0002_in.sql": INSIDE, "0003_out.sql": OUTSIDE})
    assert call("up", project, "--to", "1")[0] == 0
    code, document = call("plan", project)
    assert (code, states(document)) == (0, [("0002", "pending"), ("0003", "pending")])
    enum, key, rewrite, made, advisory, block = document["migrations"][0]["steps"]
    assert "ExclusiveLock" in locks(enum)["type mood"]
    assert locks(key)["public.c"] == {"AccessShareLock", "ShareRowExclusiveLock"}
    assert "ShareRowExclusiveLock" in locks(key)["public.p"]
    assert "AccessExclusiveLock" in locks(rewrite)["public.p"]
    assert rewrite["rewrites"] == ["public.p", "public.p_pkey"]
    assert made["rewrites"] == [] and "public.d" not in locks(made)
    assert locks(advisory) == {"advisory 0 42": {"ExclusiveLock"}}
    assert locks(block)["public.c"] == {"AccessExclusiveLock"}
    assert all(step["transaction"] for step in document["migrations"][0]["steps"])
    build, drop, reindex, vacuum, alter, commits = document["migrations"][1]["steps"]
    assert [s["transaction"] for s in (build, drop, reindex, vacuum, alter, commits)] == [False] * 4 + [
        True,
        False,
    ]
    assert "ShareUpdateExclusiveLock" in locks(build)["public.p"]
    assert "ShareUpdateExclusiveLock" in locks(drop)["public.c"]
    assert "ShareUpdateExclusiveLock" in locks(reindex)["public.p"]
    assert locks(vacuum)["public.p"] == {"ShareUpdateExclusiveLock"}
    assert [s["at_least_once"] for s in (build, alter, commits)] == [False, False, True]
    assert document["migrations"][0]["can_undo"] is False
    # Nothing of it is on the target, and the scratch database is gone.
    assert states(call("status", project)[1])[1:] == [("0002", "pending"), ("0003", "pending")]
    assert pg.execute("SELECT to_regclass('d')").fetchone() == (None,)


def test_steps_of_mongodb_and_what_cannot_be_undone(call: Call, tmp_path: Path, mongo_db: Any) -> None:
    text = (
        "from dbtrust.migrations import create_index, step, update_in_batches\n"
        "steps = [create_index('items', 'n', name='by_n'), update_in_batches('items', {}, {'$set': {'x': 1}}),\n"
        "         step('mine', apply=lambda db: db.items.insert_one({'_id': 1}))]\n"
    )
    project = write(
        tmp_path, {"0001_m.py": text, "0002_f.py": "def up(db):\n    db.create_collection('f')\n"}
    )
    code, document = call("plan", project)
    assert code == 0
    index, update, mine = document["migrations"][0]["steps"]
    assert index["commands"] == ["createIndexes items"] and index["can_undo"]
    assert not update["can_undo"] and not update["at_least_once"]
    assert mine["commands"] == ["insert items"] and mine["at_least_once"]
    assert document["migrations"][1]["steps"][0]["at_least_once"]
    assert [m["can_undo"] for m in document["migrations"]] == [False, False]
    assert mongo_db.list_collection_names() == []


def test_rows_of_a_copy_block_are_planned_too(call: Call, tmp_path: Path) -> None:
    """They follow in the script, and a row may hold a semicolon."""
    rows = "CREATE TABLE c (id int);\nCOPY c FROM STDIN;\n1\n2\n\\.\nALTER TABLE c ADD v text;\n"
    bad = "CREATE TABLE d (v text);\nCOPY d FROM STDIN;\na; b\tc\n\\.\n"
    project = write(tmp_path, {"0001_rows.sql": rows, "0002_bad.sql": bad})
    code, document = call("plan", project)
    assert (code, told(document)) == (1, [("0002", "refuted")])
    assert document["verdicts"][0]["location"]["line"] == 2
    assert [len(m["steps"]) for m in document["migrations"]] == [3, 1]


def test_a_plan_that_fails_is_refuted_at_its_line(call: Call, tmp_path: Path) -> None:
    project = write(tmp_path, {**FILES, "0004_bad.sql": "SELECT 1;\nDROP TABLE nothing;\n"})
    code, document = call("plan", project)
    assert (code, told(document)) == (1, [("0004", "refuted")])
    assert document["verdicts"][0]["location"]["line"] == 2
    assert len(document["migrations"][-1]["steps"]) == 1
    assert call("plan", project, "--to", "3")[0] == 0


def test_without_a_target_embedded_servers_begin_with_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DBTRUST_POSTGRES", raising=False)
    project = write(tmp_path, {"0001_first.sql": FIRST})
    code, document = caller(capsys)("plan", project)
    assert (code, states(document)) == (0, [("0001", "pending")])
    assert document["servers"]["postgres"]["embedded"] and document["servers"]["mongo"] is None
    assert run(["migrate", "plan", str(project)]) == 0
    assert "CREATE INDEX c_p ON c (p)" in capsys.readouterr().out


# --- dump


def test_a_dump_makes_the_same_schema_again(
    pg_database: str, pg: psycopg.Connection[Any], postgres_url: str, fresh: Callable[[], str],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    argv = ["migrate", "dump", str(SHOP), "--only", "postgres"]
    assert run(["migrate", "up", str(SHOP), "--postgres", pg_database, "--only", "postgres"]) == 0
    capsys.readouterr()
    assert run([*argv, "--postgres", pg_database]) == 0
    live = capsys.readouterr().out
    assert run(argv) == 0
    assert capsys.readouterr().out == live
    with psycopg.connect(fresh(), autocommit=True) as other:
        other.execute(live.encode())
        assert diff(snapshot(pg), snapshot(other)) == ()


def test_a_dump_of_one_of_each_runs_on_an_empty_database(
    pg_database: str, pg: psycopg.Connection[Any], fresh: Callable[[], str], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Views under indexes, functions under columns and views, triggers on views, partitions of partitions, keys in a circle."""
    pg.execute((Path(__file__).parent / "dumped.sql").read_bytes())
    argv = ["migrate", "dump", str(write(tmp_path)), "--only", "postgres", "--postgres"]
    assert run([*argv, pg_database]) == 0
    text = capsys.readouterr().out
    url = fresh()
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(text.encode())
        assert diff(snapshot(pg), snapshot(other)) == ()
    assert run([*argv, url]) == 0
    assert capsys.readouterr().out == text


@pytest.fixture
def fresh(pg_database: str, pg: psycopg.Connection[Any]) -> Any:
    """A second empty database."""
    names: list[str] = []

    def make() -> str:
        name = f"{pg.info.dbname}_2"
        pg.execute(f"CREATE DATABASE {name}".encode())
        names.append(name)
        return psycopg.conninfo.make_conninfo(pg_database, dbname=name)

    yield make
    for name in names:
        pg.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def test_a_dump_of_mongodb_tells_every_change(
    mongo_db: Any, mongo_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = mongo_url.replace("/?", f"/{mongo_db.name}?")
    argv = ["migrate", "dump", str(write(tmp_path)), "--mongo", url, "--only", "mongo"]
    mongo_db.items.create_index("n", name="by_n")
    assert run(argv) == 0
    one = capsys.readouterr().out
    assert '"name": "items.by_n"' in one
    assert run(argv) == 0
    assert capsys.readouterr().out == one
    mongo_db.items.create_index("m", name="by_m")
    assert run(argv) == 0
    assert capsys.readouterr().out != one
    assert run(["migrate", "dump", str(tmp_path), "--mongo", mongo_url, "--only", "mongo"]) == 2
    assert "names no database" in capsys.readouterr().err


def test_new_writes_the_next_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = write(tmp_path)
    assert run(["migrate", "new", "add prices", str(project)]) == 0
    assert capsys.readouterr().out == "wrote m/0004_add_prices.sql\nwrote m/0004_add_prices.down.sql\n"
    assert run(["migrate", "new", "prices", str(project), "--engine", "mongo"]) == 0
    assert capsys.readouterr().out == "wrote m/0005_prices.py\n"
    assert run(["migrate", "new", "?", str(project)]) == 2


def test_blocks_of_a_script_that_commits_itself_are_measured_by_statement(call: Call, tmp_path: Path) -> None:
    blocks = "-- migrate:up transaction:false\nBEGIN;\nCREATE TABLE e (id int);\nCOMMIT;\nBEGIN;\nALTER TABLE e ADD v text;\nCOMMIT;\n"
    code, document = call("plan", write(tmp_path, {"0001_blocks.sql": blocks}))
    assert code == 0, document["errors"]
    assert [s["text"].split()[0] for s in document["migrations"][0]["steps"]] == ["CREATE", "ALTER"]
