"""`migrate up`, `down`, `status`, `baseline` and `repair` on real servers: exit codes, documents, and what is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.cli.migrating import FILES, Call, caller, states, told, write

from dbtrust.cli.main import run


@pytest.fixture
def call(pg_database: str, mongo_db: Any, mongo_url: str, capsys: pytest.CaptureFixture[str]) -> Call:
    return caller(capsys, postgres=pg_database, mongo=mongo_url.replace("/?", f"/{mongo_db.name}?"))


def tables(connection: psycopg.Connection[Any]) -> list[str]:
    rows = connection.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"
    )
    return [name for (name,) in rows]


def test_up_and_down_over_both_engines(
    call: Call, tmp_path: Path, pg: psycopg.Connection[Any], mongo_db: Any
) -> None:
    project = write(tmp_path)
    assert states(call("status", project)[1]) == [
        ("0001", "pending"),
        ("0002", "pending"),
        ("0003", "pending"),
    ]
    assert tables(pg) == []  # status makes no ledger
    code, document = call("status", project, "--check")
    assert (code, document["errors"][0]["message"]) == (1, "not applied: 0001, 0002, 0003")
    code, document = call("up", project, "--to", "2")
    assert (code, told(document)) == (0, [("0001", "holds"), ("0002", "holds")])
    assert document["servers"]["postgres"]["version"].startswith("17.")
    assert not document["servers"]["mongo"]["embedded"]
    code, document = call("up", project)
    assert (code, told(document)) == (0, [("0003", "holds")])
    assert call("up", project) == (
        0,
        {**document, "verdicts": [], "summary": dict.fromkeys(document["summary"], 0)},
    )
    code, document = call("status", project, "--check")
    assert (code, states(document)) == (0, [("0001", "applied"), ("0002", "applied"), ("0003", "applied")])
    code, document = call("down", project)
    assert (code, told(document), document["verdicts"][0]["check"]) == (
        0,
        [("0003", "holds")],
        "migrate.down",
    )
    assert call("down", project, "--to", "0")[0] == 0
    assert tables(pg) == ["dbtrust_migration"]
    assert "items" not in mongo_db.list_collection_names()
    code, document = call("down", project)
    assert (code, document["verdicts"]) == (0, [])


def test_a_failure_stops_the_run_and_names_what_is_left(
    call: Call, tmp_path: Path, pg: psycopg.Connection[Any]
) -> None:
    project = write(tmp_path, {**FILES, "0002_bad.sql": "CREATE TABLE b (id int);\nSELECT 1/0;\n"})
    (project / "m" / "0002_items.py").unlink()
    code, document = call("up", project)
    assert (code, told(document)) == (1, [("0001", "holds"), ("0002", "refuted")])
    bad = next(v for v in document["verdicts"] if v["verdict"] == "refuted")
    assert "22012" in bad["message"] and (bad["location"]["file"], bad["location"]["line"]) == (
        "m/0002_bad.sql",
        2,
    )
    assert document["not_examined"] == [{"what": "not reached: 0003", "needs": "the one before it"}]
    assert tables(pg) == ["a", "dbtrust_migration"]
    (project / "m" / "0002_bad.sql").write_text("CREATE TABLE b (id int);\n", encoding="utf-8")
    assert told(call("up", project)[1]) == [("0002", "holds"), ("0003", "holds")]


def test_a_lower_number_merged_late_is_refused_by_name(call: Call, tmp_path: Path) -> None:
    project = write(tmp_path, {name: FILES[name] for name in ("0001_a.sql", "0003_b.sql")})
    assert call("up", project)[0] == 0
    write(tmp_path, {"0002_c.sql": "CREATE TABLE c (id int);\n", "0004_d.sql": "CREATE TABLE d (id int);\n"})
    code, document = call("up", project)
    assert (code, told(document)) == (1, [("0002", "refuted")])
    assert "--out-of-order" in document["verdicts"][0]["next"]
    assert ("0002", "late") in states(call("status", project)[1])
    code, document = call("up", project, "--out-of-order")
    assert (code, told(document)) == (0, [("0002", "holds"), ("0004", "holds")])


def test_a_lower_number_of_the_other_engine_is_applied_and_told(call: Call, tmp_path: Path) -> None:
    project = write(tmp_path)
    assert call("up", project, "--only", "postgres")[0] == 0
    code, document = call("up", project)
    assert (code, told(document)) == (0, [("0002", "holds")])
    assert [f["rule"] for f in document["findings"]] == ["migration.other_engine"]


def test_edited_options_and_marks_are_called_what_they_are(call: Call, tmp_path: Path) -> None:
    body = "CREATE TABLE a (id int PRIMARY KEY);\n"
    mark = "-- migrate:up lock_timeout:2s\n"
    project = write(tmp_path, {"0001_a.sql": mark + body})
    assert call("up", project)[0] == 0
    for text, said in (
        ("-- migrate:up\n" + body, "options of the -- migrate:up line were edited"),
        (f"{mark}-- why\n{body}", "comments or blanks were edited"),
        (f"{mark}-- verify: 1 > 2\n{body}", "-- verify: lines were edited"),
        (body, "options of the -- migrate:up line were edited"),
    ):
        write(tmp_path, {"0001_a.sql": text})
        code, document = call("up", project)
        assert (code, [f["rule"] for f in document["findings"]]) == (0, ["migration.comments"])
        assert said in document["findings"][0]["message"], document["findings"]
    write(tmp_path, {"0001_a.sql": f"-- migrate:up lock_timeout:10s\n{body.replace('int', 'bigint')}"})
    difference = call("up", project)[1]["verdicts"][0]["evidence"]["difference"]
    assert [line for line in difference[3:] if "migrate:up" in line] == [
        "--- migrate:up (16 characters of options, which the ledger does not keep)",
        "+-- migrate:up (17 characters of options, which the ledger does not keep)",
    ]


def test_an_edited_file_is_refused_with_its_diff_until_it_is_repaired(call: Call, tmp_path: Path) -> None:
    project = write(tmp_path)
    assert call("up", project)[0] == 0
    write(tmp_path, {"0001_a.sql": "-- why\nCREATE TABLE a (\n  id int PRIMARY KEY\n);\n"})
    code, document = call("up", project)
    assert (code, [f["rule"] for f in document["findings"]]) == (0, ["migration.comments"])
    write(tmp_path, {"0001_a.sql": "CREATE TABLE a (id bigint PRIMARY KEY);\n"})
    code, document = call("up", project)
    assert (code, told(document)) == (1, [("0001", "refuted")])
    difference = document["verdicts"][0]["evidence"]["difference"]
    assert difference[-2:] == [
        "-CREATE TABLE a (id int PRIMARY KEY);",
        "+CREATE TABLE a (id bigint PRIMARY KEY);",
    ]
    assert call("status", project)[1]["migrations"][0]["edited"] == "statements"
    code, document = call("repair", "1", project, "--mark", "done")
    assert (code, told(document)) == (0, [("0001", "holds")])
    assert call("up", project)[0] == 0


def test_it_stops_before_an_engine_without_a_target(
    call: Call, tmp_path: Path, pg: psycopg.Connection[Any]
) -> None:
    project = write(tmp_path)
    code, document = call("up", project, without=("mongo",))
    assert (code, told(document)) == (3, [("0001", "holds")])
    assert "0002 is for MongoDB, which has no target" in document["errors"][0]["message"]
    assert document["not_examined"][0]["what"] == "not reached: 0002, 0003"
    assert states(call("status", project, without=("mongo",))[1])[1] == ("0002", "untold")
    assert call("status", project, "--check", without=("mongo",))[0] == 3
    code, document = call("up", project, "--only", "postgres", without=("mongo",))
    assert (code, told(document)) == (0, [("0003", "holds")])


def test_usage(call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = write(tmp_path)
    code, document = call("up", project, "--to", "7")
    assert (code, document["errors"][0]["message"]) == (2, "--to 7: no migration of that number")
    assert call("up", project, "--only", "claim.uses")[0] == 2
    for verb in ("up", "down", "status", "adopt"):
        code, document = call(verb, project, without=("postgres", "mongo"))
        assert (code, document["servers"]) == (2, {"postgres": None, "mongo": None})
        assert "no target" in document["errors"][0]["message"]
    write(tmp_path, {"0001_again.sql": "SELECT 1;\n"})
    code, document = call("up", project)
    assert (code, document["errors"][0]["message"]) == (2, "number 0001 is taken by m/0001_a.sql")
    assert run(["migrate"]) == 2 and run(["migrate", "upp"]) == 2
    assert "did you mean up?" in capsys.readouterr().err


def test_a_server_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, document = caller(capsys, postgres="postgresql://nobody:secret@127.0.0.1:1/x")(
        "up", write(tmp_path)
    )
    assert code == 3 and "secret" not in str(document)


def test_down_refuses_before_anything_is_undone(
    call: Call, tmp_path: Path, pg: psycopg.Connection[Any]
) -> None:
    project = write(tmp_path, {"0001_a.sql": FILES["0001_a.sql"], "0002_b.sql": "CREATE TABLE b (id int);\n"})
    (project / "m" / "0003_c.sql").write_text(FILES["0003_b.sql"], encoding="utf-8")
    assert call("up", project)[0] == 0
    code, document = call("down", project, "--to", "1")
    assert (code, told(document)) == (1, [("0002", "refuted")])
    assert "write 0002_b.down.sql" in document["verdicts"][0]["next"]
    assert pg.execute(
        "SELECT count(*) FROM information_schema.columns WHERE column_name = 'v'"
    ).fetchone() == (1,)
    (project / "m" / "0003_c.sql").unlink()
    code, document = call("down", project)
    assert (code, told(document)) == (1, [("0003", "refuted")])
    code, document = call("up", project)
    assert (code, [f["rule"] for f in document["findings"]]) == (0, ["migration.unknown"])


def test_a_baseline_runs_nothing(call: Call, tmp_path: Path, pg: psycopg.Connection[Any]) -> None:
    project = write(tmp_path)
    code, document = call("baseline", project, "--to", "0002")
    assert (code, told(document)) == (0, [("0001", "holds"), ("0002", "holds")])
    assert tables(pg) == ["dbtrust_migration"]
    assert [m["origin"] for m in call("status", project)[1]["migrations"][:2]] == ["baseline", "baseline"]
    assert call("baseline", project, "--to", "2")[1]["verdicts"] == []
    write(tmp_path, {"0001_a.sql": "CREATE TABLE other (id int);\n"})
    code, document = call("baseline", project, "--to", "3")
    assert (code, told(document)) == (1, [("0001", "refuted")])
    assert call("baseline", project, "--to", "9")[0] == 2


def test_repair_forgets_and_marks(call: Call, tmp_path: Path, pg: psycopg.Connection[Any]) -> None:
    project = write(tmp_path)
    assert call("up", project)[0] == 0
    assert call("repair", "2", project, "--mark", "pending")[0] == 0
    assert ("0002", "pending") in states(call("status", project)[1])
    (project / "m" / "0003_b.sql").unlink()
    assert call("repair", "3", project, "--mark", "done")[0] == 2
    assert call("repair", "3", project, "--mark", "pending")[0] == 0
    assert states(call("status", project)[1]) == [("0001", "applied"), ("0002", "pending")]
    assert call("repair", "8", project, "--mark", "done")[0] == 2


def test_hooks_run_around_what_is_applied(call: Call, tmp_path: Path, pg: psycopg.Connection[Any]) -> None:
    pg.execute("CREATE TABLE log (id int GENERATED ALWAYS AS IDENTITY, what text)")
    hooks = ("before_up", "before_each", "after_each", "after_up")
    files = {f"{h}.sql": f"INSERT INTO log (what) VALUES ('{h}');\n" for h in hooks}
    project = write(tmp_path, {**FILES, **files})
    assert call("up", project)[0] == 0
    each = ["before_each", "after_each"]
    said = [what for (what,) in pg.execute("SELECT what FROM log ORDER BY id")]
    assert said == ["before_up", *each, *each, "after_up"]
    assert call("up", project)[0] == 0
    assert pg.execute("SELECT count(*) FROM log").fetchone() == (6,)
    write(tmp_path, {"0004_c.sql": "SELECT 1;\n", "before_each.sql": "SELECT 1/0;\n"})
    code, document = call("up", project)
    assert code == 1 and "the hook m/before_each.sql failed" in document["verdicts"][0]["message"]
    assert ("0004", "pending") in states(call("status", project)[1])


@pytest.mark.parametrize("hook", ["after_each", "after_up"])
def test_a_hook_that_no_later_run_calls_says_that_it_must_be_run_by_hand(
    call: Call, tmp_path: Path, hook: str
) -> None:
    project = write(tmp_path, {**FILES, f"{hook}.sql": "SELECT 1/0;\n"})
    code, document = call("up", project)
    said = str(document["errors"] + document["verdicts"])
    assert code == 1 and f"run it yourself (psql -f m/{hook}.sql)" in said, said


def test_sigterm_ends_the_statement_and_the_next_up_goes_on(
    pg_database: str, pg: psycopg.Connection[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {
        "0001_a.sql": FILES["0001_a.sql"],
        "0002_s.sql": "SELECT pg_advisory_xact_lock(77);\nCREATE TABLE b (id int);\n",
    }
    project = write(tmp_path, files)
    pg.execute("SELECT pg_advisory_lock(77)")
    argv = [sys.executable, "-m", "dbtrust", "migrate", "up", str(project), "--postgres", pg_database]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as program:
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 77 AND NOT granted"
        while pg.execute(waiting).fetchone() != (1,):
            assert program.poll() is None
        program.send_signal(signal.SIGTERM)
        out, err = program.communicate(timeout=60)
    assert program.returncode == 4, (out, err)
    assert "interrupted while 0002 was being applied" in err and "0001" in out
    pg.execute("SELECT pg_advisory_unlock(77)")
    code, document = caller(capsys, postgres=pg_database)("up", project)
    assert (code, told(document)) == (0, [("0002", "holds")])


def test_the_text_is_a_table_in_the_order_of_the_numbers(
    pg_database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {f"{n}_t.sql": f"CREATE TABLE t{n} (id int);\n" for n in (1, 2, 10)}
    project = str(write(tmp_path, files))
    assert run(["migrate", "up", project, "--postgres", pg_database]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines if "applied in" in line] == ["1", "2", "10"]
    assert lines[-1] == "done: 3"
    assert run(["migrate", "status", project, "--postgres", pg_database]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "applied: 3"
    assert run(["migrate", "up", project, "--postgres", pg_database]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "nothing to do"
    assert run(["migrate", "up", project, "--postgres", pg_database, "--format", "html"]) == 0
    assert "<html" in capsys.readouterr().out


def test_a_step_that_nobody_can_ask_is_settled_by_repair(
    call: Call, tmp_path: Path, pg: psycopg.Connection[Any]
) -> None:
    """The server ends the session in the middle of a DO that commits by itself: whether it ran is not known."""
    text = (
        "-- migrate:up transaction:false\nCREATE TABLE t (id int);\n"
        "DO $$ BEGIN INSERT INTO t VALUES (1); COMMIT; PERFORM pg_terminate_backend(pg_backend_pid()); END $$;\n"
        "CREATE TABLE after_it (id int);\n"
    )
    project = write(tmp_path, {"0001_t.sql": text})
    assert call("up", project)[0] == 3
    assert states(call("status", project)[1]) == [("0001", "running")]
    code, document = call("up", project)
    assert (code, told(document)) == (1, [("0001", "refuted")])
    assert "repair --mark" in document["verdicts"][0]["next"]
    code, document = call("repair", "1", project, "--mark", "done")
    assert (code, document["verdicts"][0]["next"]) == (0, "finish with dbtrust migrate up")
    assert call("up", project)[0] == 0
    assert pg.execute("SELECT count(*) FROM t").fetchone() == (1,)
    assert "after_it" in tables(pg)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "0001_t.sql",
            "-- migrate:up transaction:false\nCREATE TABLE t (id int);\n"
            "DO $$ BEGIN COMMIT; PERFORM pg_terminate_backend(pg_backend_pid()); END $$;\n",
        ),
        (
            "0001_t.py",
            "from dbtrust.migrations import create_collection, step\n"
            "def lost(db): raise ValueError('in the middle')\n"
            "steps = [create_collection('t'), step('lost', apply=lost)]\n",
        ),
    ],
)
def test_repair_twice_forgets_no_step_that_has_run(call: Call, tmp_path: Path, name: str, text: str) -> None:
    """The rule is one for both engines: what is not in doubt is only changed with --whole."""
    project = write(tmp_path, {name: text})
    assert call("up", project)[0] in (1, 3)
    assert call("repair", "1", project, "--mark", "pending")[0] == 0
    for mark in ("pending", "done"):
        code, document = call("repair", "1", project, "--mark", mark)
        assert (code, told(document)) == (1, [("0001", "refuted")])
        assert (
            "half run" in document["verdicts"][0]["message"] and "--whole" in document["verdicts"][0]["next"]
        )
    assert states(call("status", project)[1]) == [("0001", "running")]
    assert call("repair", "1", project, "--mark", "pending", "--whole")[0] == 0
    assert states(call("status", project)[1]) == [("0001", "pending")]
    assert call("repair", "1", project, "--mark", "done")[0] == 0
    assert states(call("status", project)[1]) == [("0001", "applied")]


def test_a_ledger_of_a_newer_dbtrust_is_refused(call: Call, tmp_path: Path, mongo_db: Any) -> None:
    mongo_db.dbtrust_migration.insert_one({"_id": "meta", "kind": "meta", "format": 2})
    project = write(tmp_path, {"0002_items.py": FILES["0002_items.py"]})
    for verb in ("up", "down", "status"):
        code, document = call(verb, project)
        assert code == 1
        assert "newer dbtrust" in document["errors"][0]["message"]
        assert document["errors"][0]["next"] == "update dbtrust"
    assert mongo_db.list_collection_names() == ["dbtrust_migration"]
