"""What migrations make outside their database, on a server that is lent: the server is afterwards what it was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from dbtrust.cli.main import run
from dbtrust.engine.postgres.server_wide import State, guarded_state, state

Admin = psycopg.Connection[Any]


def write(folder: Path, *migrations: tuple[str, str], alone: bool = False) -> Path:
    """One file a migration: (up, down)."""
    (folder / "dbtrust.toml").write_text('[project]\nname = "lent"\n[migrations]\nfolder = "m"\n')
    (folder / "m").mkdir()
    word = " transaction:false" if alone else ""
    for number, (up, down) in enumerate(migrations, 1):
        text = f"-- migrate:up{word}\n{up}\n-- migrate:down{word}\n{down}\n"
        (folder / "m" / f"{number:04}_x.sql").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def name() -> str:
    return f"lent_{uuid.uuid4().hex[:8]}"


@pytest.fixture
def foreign(pg: Admin, name: str) -> Iterator[tuple[str, str]]:
    """Two roles that were on the server before."""
    roles = (f"{name}_old", f"{name}_app")
    for role in roles:
        pg.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
    yield roles
    for role in roles:
        pg.execute(sql.SQL("DROP OWNED BY {0}").format(sql.Identifier(role)))
        pg.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def prove(folder: Path, url: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = run(["migrate", "prove", str(folder), "--postgres", url, "--format", "json"])
    return code, json.loads(capsys.readouterr().out)


def outcomes(report: dict[str, Any]) -> dict[str, str]:
    return {f"{v['subject']} {v['check']}": v["verdict"] for v in report["verdicts"]}


def refuted(report: dict[str, Any]) -> list[str]:
    return [
        f"{v['subject']} {v['check']}: {v['message']}"
        for v in report["verdicts"]
        if v["verdict"] in ("refuted", "unproved")
    ]


def scratch(pg: Admin) -> set[str]:
    rows = pg.execute("SELECT datname FROM pg_database WHERE datname ~ '^dbtrust_[0-9a-f]{8}_'").fetchall()
    return {name for (name,) in rows}


#: Scratch databases that fixtures of other tests hold on the same server.
_HELD = set[str]()


@pytest.fixture(autouse=True)
def held(pg: Admin) -> None:
    _HELD.clear()
    _HELD.update(scratch(pg))


def the_same(pg: Admin, before: State) -> bool:
    return state(pg) == before and scratch(pg) <= _HELD


def test_two_runs_say_the_same_and_leave_nothing(
    tmp_path: Path, pg: Admin, postgres_url: str, name: str, foreign: tuple[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Roles with rights, a setting, a membership and rights between what was there before; a down that leaves its role."""
    old, app = foreign
    up = f"""
    CREATE ROLE {name};
    CREATE TABLE t (id int PRIMARY KEY, a text);
    GRANT SELECT ON t TO {name};
    GRANT {old} TO {app};
    GRANT {old} TO {name};
    ALTER ROLE {old} SET search_path = app, "$user";
    ALTER DATABASE postgres SET work_mem = '7MB';
    GRANT CREATE ON DATABASE postgres TO {app}, {name};"""
    down = f"""
    DROP TABLE t;
    REVOKE ALL ON DATABASE postgres FROM {app}, {name};
    ALTER DATABASE postgres RESET work_mem;
    ALTER ROLE {old} RESET search_path;
    REVOKE {old} FROM {app};
    DROP ROLE {name};"""
    second = (
        f"ALTER TABLE t ADD COLUMN b text; GRANT UPDATE (b) ON t TO {name};",
        "ALTER TABLE t DROP COLUMN b;",
    )
    third = (f"CREATE ROLE {name}_2;", "SELECT 1;")
    folder = write(tmp_path, (up, down), second, third)
    before = state(pg)
    code, first = prove(folder, postgres_url, capsys)
    assert the_same(pg, before)
    found = outcomes(first)
    assert code == 1
    assert found.pop("migration:0003 migrate.up_again") == "refuted"
    assert found.pop("migration:0003 migrate.populated") == "refuted"
    assert set(found.values()) == {"holds", "not_applicable"}, refuted(first)
    assert found["migration:0002 migrate.populated"] == found["migration:0002 migrate.written"] == "holds"
    _, again = prove(folder, postgres_url, capsys)
    assert outcomes(again) == outcomes(first)
    assert the_same(pg, before) and not first["findings"] and not again["findings"]


def test_a_database_and_a_role_outside_a_transaction(
    tmp_path: Path, pg: Admin, postgres_url: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    up = f"""
    CREATE ROLE {name};
    CREATE DATABASE {name}_db;
    ALTER DATABASE {name}_db OWNER TO {name};
    CREATE TABLE t (id int PRIMARY KEY);
    GRANT SELECT ON t TO {name};"""
    down = f"DROP TABLE t; DROP DATABASE {name}_db; DROP ROLE {name};"
    second = (f"CREATE TABLE u (id int); ALTER TABLE u OWNER TO {name};", "DROP TABLE u;")
    folder = write(tmp_path, (up, down), second, alone=True)
    before = state(pg)
    code, first = prove(folder, postgres_url, capsys)
    assert code == 0 and set(outcomes(first).values()) == {"holds", "not_applicable"}, refuted(first)
    assert the_same(pg, before) and not first["findings"]
    _, again = prove(folder, postgres_url, capsys)
    assert outcomes(again) == outcomes(first) and the_same(pg, before)


def test_a_role_that_is_not_there_is_no_fault_of_the_migration(
    tmp_path: Path, postgres_url: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path, (f"CREATE TABLE t (id int); GRANT SELECT ON t TO {name};", "DROP TABLE t;"))
    code, report = prove(folder, postgres_url, capsys)
    up = next(v for v in report["verdicts"] if v["check"] == "migrate.up")
    assert code == 0 and up["verdict"] == "unproved" and up["reason"] == "missing_object"
    assert up["next"].startswith(
        f"create role {name} on that server first, or prove it on dbtrust's own servers"
    )
    assert up["location"]["line"] == 2


def test_a_role_that_the_history_itself_drops_too_early_is_its_fault(
    tmp_path: Path, postgres_url: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first = (f"CREATE ROLE {name};", f"DROP ROLE {name};")
    second = (f"CREATE TABLE t (id int); DROP ROLE {name}; GRANT SELECT ON t TO {name};", "DROP TABLE t;")
    code, report = prove(write(tmp_path, first, second), postgres_url, capsys)
    assert code == 1 and outcomes(report)["migration:0002 migrate.up"] == "refuted"


@pytest.mark.parametrize("alone", [False, True], ids=["transaction", "alone"])
def test_a_role_that_was_there_before_is_left_alone(
    tmp_path: Path, pg: Admin, postgres_url: str, foreign: tuple[str, str], alone: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    old, _ = foreign
    folder = write(tmp_path, (f"CREATE ROLE {old};", f"DROP ROLE {old};"), alone=alone)
    before = state(pg)
    code, report = prove(folder, postgres_url, capsys)
    up = next(v for v in report["verdicts"] if v["check"] == "migrate.up")
    assert code == 0 and up["verdict"] == "unproved" and f"role {old} exists on this server" in up["message"]
    assert "without --postgres" in up["next"] and the_same(pg, before)


@pytest.mark.parametrize("alone", [False, True], ids=["transaction", "alone"])
@pytest.mark.parametrize("up", ["DROP ROLE {};", "ALTER ROLE {} CREATEDB;", "ALTER ROLE {} PASSWORD 'x';", "DO $$ BEGIN EXECUTE 'ALTER ROLE {} CREATEDB'; END $$;"])  # fmt: skip
def test_a_role_of_the_server_is_not_changed_for_good(
    tmp_path: Path, pg: Admin, postgres_url: str, foreign: tuple[str, str], alone: bool, up: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    old, _ = foreign
    if alone and up.startswith("DO"):
        up = "ALTER ROLE {} RENAME TO another;"
    folder = write(
        tmp_path, (up.format(old), "SELECT 1;"), ("CREATE TABLE t (id int);", "DROP TABLE t;"), alone=alone
    )
    before = state(pg)
    code, report = prove(folder, postgres_url, capsys)
    assert code == 0 and the_same(pg, before)
    later = [v for v in report["verdicts"] if v["subject"] == "migration:0002"]
    assert {v["verdict"] for v in later} == {"unproved"}
    assert all(
        f"it changes role {old}, which was on this server before" in v["message"] for v in later if not alone
    )


@pytest.mark.parametrize("alone", [False, True], ids=["transaction", "alone"])
def test_a_role_that_somebody_else_makes_meanwhile_stays(
    tmp_path: Path, pg: Admin, postgres_url: str, name: str, alone: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(
        tmp_path, (f"CREATE ROLE {name}; SELECT pg_sleep(0.2);", f"DROP ROLE {name};"), alone=alone
    )
    done = threading.Event()
    others: list[str] = []

    def make() -> None:
        """A role in every sleep of every trial."""
        with psycopg.connect(postgres_url, autocommit=True) as other:
            while not done.is_set():
                if _sleeping(other, "pg_sleep(0.2)"):
                    others.append(f"{name}_{len(others)}x")
                    other.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(others[-1])))

    thread = threading.Thread(target=make)
    thread.start()
    try:
        code, report = prove(folder, postgres_url, capsys)
    finally:
        done.set()
        thread.join()
    there = {f.name for f in state(pg).values() if f.kind == "role"}
    for other in others:
        pg.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(other)))
    assert code == 0 and others and set(others) <= there and name not in there
    told = {f["subject"] for f in report["findings"]}
    assert told and told <= {f"role:{other}" for other in others}


def test_a_look_at_the_server_is_of_one_moment(pg: Admin, postgres_url: str, name: str) -> None:
    """A role that comes or goes meanwhile is seen with its password, or neither is."""
    done = threading.Event()

    def come_and_go() -> None:
        with psycopg.connect(postgres_url, autocommit=True) as other:
            while not done.is_set():
                other.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))
                other.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        looks = [guarded_state(pg) for _ in range(100)]
    finally:
        done.set()
        thread.join()
    kinds = [sorted(f.kind for f in look.values() if f.name in (name, f"of role {name}")) for look in looks]
    assert {tuple(k) for k in kinds} <= {(), ("password", "role")}
    assert any(kinds)


def _sleeping(connection: Admin, text: str) -> bool:
    query = "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND query ~ %s AND wait_event = 'PgSleep'"
    return connection.execute(query, [text.replace("(", r"\(").replace(")", r"\)")]).fetchone() is not None


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "interrupted"])
def test_a_run_that_is_ended_in_the_middle(
    tmp_path: Path, pg: Admin, postgres_url: str, name: str, number: signal.Signals, foreign: tuple[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """A killed one's role goes with the next run, which tells it; nothing of others goes."""
    old, _ = foreign
    sleep = f"pg_sleep({60 + number})"
    first = (f"CREATE ROLE {name}; CREATE TABLE t (id int); GRANT SELECT ON t TO {name}; ALTER ROLE {old} SET work_mem = '7MB';",
             f"ALTER ROLE {old} RESET work_mem; DROP TABLE t; DROP ROLE {name};")  # fmt: skip
    folder = write(tmp_path, first, (f"SELECT {sleep};", "SELECT 1;"))
    before = state(pg)
    command = [
        sys.executable,
        "-m",
        "dbtrust",
        "migrate",
        "prove",
        str(folder),
        "--postgres",
        postgres_url,
        "-q",
    ]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ)
    )
    while not _sleeping(pg, sleep):
        assert process.poll() is None
        time.sleep(0.02)
    pg.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(f"{name}_2")))
    process.send_signal(number)
    code = process.wait(60)
    pg.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(f"{name}_2")))
    if number == signal.SIGTERM:
        assert code == 4 and the_same(pg, before)
        return
    assert not the_same(pg, before)
    other = tmp_path / "other"
    other.mkdir()
    code, report = prove(write(other, ("CREATE TABLE t (id int);", "DROP TABLE t;")), postgres_url, capsys)
    assert code == 0 and the_same(pg, before)
    told = {f["subject"]: f["severity"] for f in report["findings"]}
    assert told == {f"role:{name}": "info", f"setting:ROLE {old} SET work_mem": "info"}


def test_a_role_that_may_make_roles_is_enough(
    tmp_path: Path, pg: Admin, postgres_url: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """No superuser: who makes a role may take it back, too."""
    pg.execute(f"CREATE ROLE {name}_me LOGIN CREATEDB CREATEROLE PASSWORD 'x'".encode())
    url = psycopg.conninfo.make_conninfo(postgres_url, user=f"{name}_me", password="x")
    up = f"CREATE ROLE {name}; CREATE TABLE t (id int); GRANT SELECT ON t TO {name}; ALTER TABLE t OWNER TO {name};"
    folder = write(
        tmp_path, (up, f"DROP TABLE t; DROP ROLE {name};"), ("CREATE TABLE u (id int);", "DROP TABLE u;")
    )
    before = state(pg)
    try:
        code, report = prove(folder, url, capsys)
        assert the_same(pg, before)
        assert code == 0 and set(outcomes(report).values()) == {"holds", "not_applicable"}, refuted(report)
    finally:
        pg.execute(f"DROP ROLE {name}_me".encode())


def plan(folder: Path, url: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = run(["migrate", "plan", str(folder), "--postgres", url, "--format", "json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.fixture
def victim(pg: Admin, name: str) -> Iterator[str]:
    """A database that was there before, with a comment."""
    database = f"{name}_db"
    pg.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
    pg.execute(sql.SQL("COMMENT ON DATABASE {} IS 'old'").format(sql.Identifier(database)))
    yield database
    pg.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(database)))


REFUSED = [
    ("ALTER SYSTEM SET work_mem = '5MB';", True),
    ("ALTER SYSTEM RESET ALL;", True),
    ("COMMENT ON DATABASE {db} IS 'hello';", False),
    ("COMMENT ON ROLE {old} IS 'hello';", True),
    ("COMMENT ON TABLESPACE pg_default IS 'hello';", False),
    ("DO $$ BEGIN EXECUTE 'COMMENT ON DATABASE {db} IS ''hello'' ' ; END $$;", False),
    ("ALTER DATABASE {db} CONNECTION LIMIT 5;", False),
    ("ALTER DATABASE {db} OWNER TO {old};", True),
    ("DO $$ BEGIN EXECUTE 'ALTER DATABASE {db} OWNER TO {old}'; END $$;", False),
    ("DROP OWNED BY {old};", False),
    ("REASSIGN OWNED BY {old} TO CURRENT_USER;", True),
    ("SELECT pg_create_physical_replication_slot('{old}');", False),
    ("DO $$ BEGIN PERFORM pg_catalog.pg_reload_conf(); END $$;", True),
    ("CREATE SUBSCRIPTION s CONNECTION 'host=/nowhere' PUBLICATION p;", True),
    ("COPY (SELECT 1) TO PROGRAM 'cat';", False),
]


@pytest.mark.parametrize(("up", "alone"), REFUSED, ids=[up[:40] for up, _ in REFUSED])
def test_a_plan_changes_nothing_that_was_there_before(
    tmp_path: Path, pg: Admin, postgres_url: str, foreign: tuple[str, str], victim: str, up: str, alone: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Each is refused and told, with the next step."""
    text = up.format(db=victim, old=foreign[0])
    folder = write(tmp_path, (text, "SELECT 1;"), alone=alone)
    before = guarded_state(pg)
    _, report = plan(folder, postgres_url, capsys)
    assert guarded_state(pg) == before and the_same(pg, state(pg))
    assert pg.execute("SELECT count(*) FROM pg_replication_slots").fetchone() == (0,)
    (verdict,) = report["verdicts"]
    assert verdict["verdict"] == "unproved" and "it changes" in verdict["message"]
    assert "prove it on dbtrust's own servers" in verdict["next"]


def test_what_no_rollback_takes_back_is_not_tried(
    tmp_path: Path, pg: Admin, postgres_url: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A proof tries in a transaction that it rolls back; a slot would stay."""
    slot = f"SELECT pg_create_physical_replication_slot('{name}');"
    folder = write(tmp_path, (slot, f"SELECT pg_drop_replication_slot('{name}');"))
    code, report = prove(folder, postgres_url, capsys)
    up = next(v for v in report["verdicts"] if v["check"] == "migrate.up")
    assert (
        code == 0 and up["verdict"] == "unproved" and "pg_create_physical_replication_slot()" in up["message"]
    )
    assert pg.execute("SELECT count(*) FROM pg_replication_slots").fetchone() == (0,)


@pytest.mark.parametrize(
    ("verb", "statement", "was"),
    [
        (plan, "ALTER ROLE {old} CONNECTION LIMIT 5 CREATEDB", "rolcreatedb False, rolconnlimit -1"),
        (prove, "ALTER ROLE {old} RENAME TO {old}_renamed", "rolname {old}"),
        (plan, "COMMENT ON DATABASE {db} IS ''hello''", "old"),
        (plan, "ALTER DATABASE {db} OWNER TO {old}", "owner "),
        (
            prove,
            "ALTER DATABASE {db} IS_TEMPLATE true CONNECTION LIMIT 7",
            "is_template False, connection_limit -1",
        ),
    ],
)
def test_what_a_block_has_committed_is_put_back_and_told(
    tmp_path: Path, pg: Admin, postgres_url: str, foreign: tuple[str, str], victim: str, verb: Any, statement: str,
    was: str, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Its text hides what it does until it is done."""
    names = {"old": foreign[0], "db": victim}
    up = f"DO $$ BEGIN EXECUTE '{statement}'; COMMIT; END $$;".format(**names)
    folder = write(tmp_path, (up, "SELECT 1;"), alone=True)
    before = guarded_state(pg)
    code, report = verb(folder, postgres_url, capsys)
    assert guarded_state(pg) == before and the_same(pg, state(pg))
    found = report["findings"][0]
    assert code == 1 and found["rule"] == "migration.changed_server" and found["severity"] == "error"
    assert found["evidence"]["old"].startswith(was.format(**names)) and "put back" in found["message"]
    assert report["verdicts"][0]["verdict"] == "unproved"


def test_a_password_that_a_block_has_changed_is_told(
    tmp_path: Path, pg: Admin, postgres_url: str, foreign: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    up = f"DO $$ BEGIN EXECUTE 'ALTER ROLE {foreign[0]} PASSWORD ''x'' '; COMMIT; END $$;"
    code, report = plan(write(tmp_path, (up, "SELECT 1;"), alone=True), postgres_url, capsys)
    (found,) = report["findings"]
    assert (
        code == 1
        and found["subject"] == f"password:of role {foreign[0]}"
        and "it stays so" in found["message"]
    )


def declared(folder: Path, text: str) -> Path:
    (folder / "dbtrust.toml").write_text(
        '[project]\nname = "lent"\n[postgres]\nversion = "17"\nschema = ["schema.sql"]\n'
    )
    (folder / "schema.sql").write_text(text, encoding="utf-8")
    return folder


def check(folder: Path, url: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = run(["check", str(folder), "--postgres", url, "--format", "json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    "text",
    [
        "COMMENT ON ROLE {old} IS 'hello';",
        "DO $$ BEGIN EXECUTE 'ALTER DATABASE {db} CONNECTION LIMIT 5'; END $$;",
        "SELECT pg_create_physical_replication_slot('{old}');",
    ],
)
def test_a_declared_schema_changes_nothing_that_was_there_before(
    tmp_path: Path, pg: Admin, postgres_url: str, foreign: tuple[str, str], victim: str, text: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    folder = declared(
        tmp_path, f"CREATE TABLE t (id int PRIMARY KEY);\n{text}\n".format(db=victim, old=foreign[0])
    )
    before = guarded_state(pg)
    code, report = check(folder, postgres_url, capsys)
    assert guarded_state(pg) == before and the_same(pg, state(pg))
    assert pg.execute("SELECT count(*) FROM pg_replication_slots").fetchone() == (0,)
    (verdict,) = [v for v in report["verdicts"] if v["check"] == "schema.applies"]
    assert (verdict["verdict"], verdict["reason"]) == ("unproved", "server_error"), verdict
    assert "it changes" in verdict["message"] and "dbtrust's own servers" in verdict["next"]
    assert code == 0 and {v["verdict"] for v in report["verdicts"]} == {"unproved"}, refuted(report)


def test_what_a_declared_schema_makes_outside_its_database_goes_with_it(
    tmp_path: Path, pg: Admin, postgres_url: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each of its databases makes the role again; a rule is tried where the role is that the schema names."""
    text = f"CREATE ROLE {name};\nCREATE TABLE t (id int PRIMARY KEY CHECK (id > 0));\nGRANT SELECT ON t TO {name};\n"
    before = state(pg)
    code, report = check(declared(tmp_path, text), postgres_url, capsys)
    assert the_same(pg, before)
    assert (code, report["errors"]) == (0, []), report["errors"]
    assert {v["verdict"] for v in report["verdicts"]} == {"holds"}, refuted(report)
