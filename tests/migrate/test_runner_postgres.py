"""Applying and undoing on one database: what is in it and in its ledger afterwards."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import sql
from tests.migrate.histories import ALONE, ALONE_DOWN, apply, entries, migration, runner, undo

from dbtrust.model.ledger import MigrationStopped
from dbtrust.model.progress import silent

Connection = psycopg.Connection[Any]


def value(pg: Connection, question: str) -> Any:
    row = pg.execute(question.encode()).fetchone()
    assert row is not None
    return row[0]


def test_a_fresh_database_has_no_entries_and_gets_no_table_by_being_read(
    pg_database: str, pg: Connection
) -> None:
    one = runner(pg_database)
    assert one.entries() == {}
    assert one.version.startswith("17.")
    one.close()
    assert value(pg, "SELECT to_regclass('dbtrust_migration')") is None


def test_a_migration_is_applied_once_and_its_row_tells_of_it(pg_database: str, pg: Connection) -> None:
    history = [migration(1, "CREATE TABLE t (a int);"), migration(2, "INSERT INTO t VALUES (1)")]
    assert apply(pg_database, history) == ["0001", "0002"]
    assert apply(pg_database, history) == []
    assert value(pg, "SELECT count(*) FROM t") == 1
    entry = entries(pg_database)[2]
    assert (entry.state, entry.origin, entry.written, entry.checksum) == (
        "done",
        "applied",
        "0002",
        history[1].checksum,
    )
    assert entry.source == history[1].text
    assert "@" in entry.who
    assert entry.duration_ms is not None and entry.at is not None


@pytest.mark.parametrize(
    "change",
    ["SET search_path = pg_catalog", "SET ROLE pg_monitor", "SET SESSION AUTHORIZATION pg_monitor",
     "SELECT set_config('search_path', '', false)", "SET default_transaction_read_only = on"],
)  # fmt: skip
@pytest.mark.parametrize("head", ["", ALONE])
def test_what_a_migration_sets_reaches_neither_the_ledger_nor_the_next_one(
    pg_database: str, pg: Connection, change: str, head: str
) -> None:
    history = [
        migration(1, f"{head}CREATE TABLE a (x int);\n{change};"),
        migration(2, "CREATE TABLE b (x int)"),
    ]
    if "read_only" in change and head:
        history[0] = migration(
            1, f"{head}CREATE TABLE a (x int);\nSET default_transaction_isolation = serializable;"
        )
    apply(pg_database, history)
    assert value(pg, "SELECT count(*) FROM public.dbtrust_migration WHERE number > 0 AND step = 0") == 2
    assert value(pg, "SELECT to_regclass('public.b') IS NOT NULL") is True


def test_a_session_keeps_the_name_by_which_a_later_run_finds_it(pg_database: str, pg: Connection) -> None:
    """RESET ALL goes back to what a session was opened with, and a pooler opens its own without a name."""
    text = (
        "SET application_name = 'mine'; CREATE TABLE a AS SELECT current_setting('application_name') AS name"
    )
    asks = "CREATE TABLE b AS SELECT current_setting('application_name') AS name"
    apply(pg_database, [migration(1, text), migration(2, asks)])
    assert value(pg, "SELECT name FROM a") == "mine"
    assert str(value(pg, "SELECT name FROM b")).startswith("dbtrust migrate ")


def test_a_failed_migration_leaves_nothing_and_is_told_with_its_place(
    pg_database: str, pg: Connection
) -> None:
    wrong = migration(1, "CREATE TABLE t (a int);\nINSERT INTO t\n  VALUES ('x'::text::int);")
    with pytest.raises(MigrationStopped) as caught:
        apply(pg_database, [wrong])
    assert str(caught.value).startswith("0001_m.sql:2:1: 22P02")
    assert value(pg, "SELECT to_regclass('t')") is None
    assert entries(pg_database) == {}


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("SELECT 1;\nCREATE TABLE x (a int;", "0001_m.sql:2:22", "nothing was run"),
        ("CREATE TABLE x (a int);\n\\d x\n", "0001_m.sql:2:1", "\\d is a command of psql"),
        ("CREATE TABLE x (a int);\nCOMMIT;\nSELECT 1;", "0001_m.sql:2:1", "COMMIT inside a migration"),
        ("COPY x FROM stdin;\n1\n", "0001_m.sql:1:19", "no line with \\."),
        (f"{ALONE}CREATE TABLE x (a int);\nBEGIN;\nSELECT 1;", "0001_m.sql:3:1", "BEGIN without a COMMIT"),
        (f"{ALONE}CREATE TABLE x (a int);\nSELECT (", "0001_m.sql:3:9", "syntax error"),
        ("CREATE INDEX CONCURRENTLY ON pg_class (oid)", "0001_m.sql:1:1", "transaction:false"),
    ],
)  # fmt: skip
def test_bad_text_is_refused_before_anything_has_run(
    pg_database: str, pg: Connection, text: str, place: str, said: str
) -> None:
    with pytest.raises(MigrationStopped) as caught:
        apply(pg_database, [migration(1, text)])
    assert str(caught.value).startswith(place)
    assert said in str(caught.value)
    assert value(pg, "SELECT to_regclass('x')") is None
    assert entries(pg_database) == {}


def test_an_outermost_begin_is_the_runners_own_with_its_isolation_level(
    pg_database: str, pg: Connection
) -> None:
    text = (
        "BEGIN ISOLATION LEVEL SERIALIZABLE;\n"
        "CREATE TABLE t AS SELECT current_setting('transaction_isolation') AS level;\nSELECT 1/0;\nCOMMIT;"
    )
    with pytest.raises(MigrationStopped):
        apply(pg_database, [migration(1, text)])
    assert value(pg, "SELECT to_regclass('t')") is None
    apply(pg_database, [migration(1, text.replace("1/0", "1"))])
    assert value(pg, "SELECT level FROM t") == "serializable"


@pytest.mark.parametrize("head", ["", ALONE])
def test_rows_behind_copy_are_loaded(pg_database: str, pg: Connection, head: str) -> None:
    text = f"{head}CREATE TABLE t (a int, b text);\nCOPY public.t (a, b) FROM stdin;\n1\tone; COMMIT\n2\t\\N\n\\.\n\nSELECT 'COPY t FROM stdin;\n';"
    apply(pg_database, [migration(1, text)])
    assert pg.execute("SELECT a, b FROM t ORDER BY a").fetchall() == [(1, "one; COMMIT"), (2, None)]


def test_a_wrong_row_of_copy_rolls_back(pg_database: str, pg: Connection) -> None:
    with pytest.raises(MigrationStopped, match="22P02"):
        apply(pg_database, [migration(1, "CREATE TABLE t (a int);\nCOPY t FROM stdin;\nx\n\\.\n")])
    assert value(pg, "SELECT to_regclass('t')") is None


def test_a_big_script_goes_in_parts(pg_database: str, pg: Connection) -> None:
    line = "INSERT INTO t VALUES ('" + "x; COMMIT" * 100 + "');\n"
    apply(pg_database, [migration(1, "CREATE TABLE t (a text); -- COMMIT\n" + line * 3000)])
    assert value(pg, "SELECT count(*) FROM t") == 3000
    assert entries(pg_database)[1].source is None


def test_verify_is_asked_inside_the_transaction(pg_database: str, pg: Connection) -> None:
    with pytest.raises(MigrationStopped) as caught:
        apply(pg_database, [migration(1, "CREATE TABLE t (a int);\n-- verify: EXISTS (SELECT FROM t)")])
    assert str(caught.value).startswith(
        "0001_m.sql:2:12: verify EXISTS (SELECT FROM t): it is false; rolled back"
    )
    assert value(pg, "SELECT to_regclass('t')") is None
    for wrong in ("NULL::boolean", "1", "nonsense", "true, true", "true FROM generate_series(1, 2)"):
        with pytest.raises(MigrationStopped, match="verify"):
            apply(pg_database, [migration(1, f"SELECT 1;\n-- verify: {wrong}")])
    apply(pg_database, [migration(1, "SELECT 1;\n-- verify: true")])


def test_a_false_verify_whose_down_fails_names_both_and_what_stays(pg_database: str, pg: Connection) -> None:
    up = f"{ALONE}CREATE TABLE t (a int);\n-- verify: EXISTS (SELECT FROM t)"
    with pytest.raises(MigrationStopped) as caught:
        apply(pg_database, [migration(1, up, "DROP TABLE nowhere;")])
    said = caught.value.message
    assert said.startswith("verify EXISTS (SELECT FROM t): it is false; its down failed: 42P01"), said
    assert said.endswith("; its steps stay") and "nothing of it is left" not in said
    assert entries(pg_database)[1].state == "running" and value(pg, "SELECT to_regclass('t')") == "t"
    pg.execute("INSERT INTO t VALUES (1)")
    assert apply(pg_database, [migration(1, up, "DROP TABLE nowhere;")]) == ["0001"]


def test_a_false_verify_behind_steps_runs_the_down(pg_database: str, pg: Connection) -> None:
    up = f"{ALONE}CREATE TABLE t (a int);\n-- verify: EXISTS (SELECT FROM t)"
    with pytest.raises(MigrationStopped, match="its down was run"):
        apply(pg_database, [migration(1, up, "DROP TABLE t")])
    assert value(pg, "SELECT to_regclass('t')") is None
    assert entries(pg_database) == {}
    with pytest.raises(MigrationStopped, match="no down"):
        apply(pg_database, [migration(1, up)])
    assert entries(pg_database)[1].state == "running"
    pg.execute("INSERT INTO t VALUES (1)")
    assert apply(pg_database, [migration(1, up)]) == ["0001"]
    assert entries(pg_database)[1].state == "done"


def test_a_down_takes_the_row_with_it(pg_database: str, pg: Connection) -> None:
    one = migration(1, "CREATE TABLE t (a int)", "DROP TABLE t")
    two = migration(
        2, f"{ALONE}CREATE INDEX CONCURRENTLY i ON t (a);{ALONE_DOWN}DROP INDEX CONCURRENTLY i;\nSELECT 1"
    )
    apply(pg_database, [one, two])
    undo(pg_database, two)
    assert value(pg, "SELECT to_regclass('i')") is None
    undo(pg_database, one)
    assert value(pg, "SELECT to_regclass('t')") is None
    assert entries(pg_database) == {}


def test_a_failed_down_changes_nothing_and_a_half_one_goes_on(pg_database: str, pg: Connection) -> None:
    one = migration(1, "CREATE TABLE t (a int)", "DROP TABLE t; SELECT 1/0")
    apply(pg_database, [one])
    with pytest.raises(MigrationStopped, match="22012"):
        undo(pg_database, one)
    assert entries(pg_database)[1].state == "done"
    half = migration(
        1,
        "CREATE TABLE t (a int)",
        f"{ALONE}INSERT INTO t VALUES (1);\nSELECT 1 / (SELECT count(*) - 1 FROM t);\nDROP TABLE t",
    )
    with pytest.raises(MigrationStopped, match="1 of its 3 steps"):
        undo(pg_database, half)
    assert entries(pg_database)[1].state == "reverting"
    pg.execute("INSERT INTO t VALUES (2)")
    undo(pg_database, half)
    assert entries(pg_database) == {}


def test_record_and_forget_run_nothing(pg_database: str) -> None:
    one = migration(1, "SELECT 1/0", "SELECT 1/0")
    taken = runner(pg_database)
    with taken.locked(silent):
        taken.record(one, "baseline")
        taken.record(one, "marked")
        assert taken.entries()[1].origin == "marked"
        taken.forget(one)
        assert taken.entries() == {}
    with pytest.raises(MigrationStopped, match="lock is not held"):
        taken.forget(one)
    taken.close()


def test_a_ledger_of_a_newer_dbtrust_is_refused(pg_database: str, pg: Connection) -> None:
    apply(pg_database, [])
    pg.execute("UPDATE dbtrust_migration SET stored = stored || '{\"format\": 99}' WHERE number = -1")
    with pytest.raises(MigrationStopped, match="update dbtrust"):
        entries(pg_database)
    with pytest.raises(MigrationStopped, match="update dbtrust"):
        apply(pg_database, [])


def test_a_strange_table_of_that_name_is_refused(pg_database: str, pg: Connection) -> None:
    pg.execute("CREATE TABLE dbtrust_migration (a int)")
    with pytest.raises(MigrationStopped, match="is no ledger"):
        entries(pg_database)


def test_a_role_without_rights_is_told_what_it_needs(pg_database: str, pg: Connection) -> None:
    role = f"poor_{pg.info.dbname}"
    pg.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
    poor = psycopg.conninfo.make_conninfo(pg_database, user=role)
    try:
        with pytest.raises(MigrationStopped, match=f"grant {role} CREATE on schema public"):
            apply(poor, [migration(1, "SELECT 1")])
        apply(pg_database, [])
        with pytest.raises(MigrationStopped, match=f"grant {role} SELECT, INSERT"):
            entries(poor)
        pg.execute(sql.SQL("GRANT SELECT ON dbtrust_migration TO {}").format(sql.Identifier(role)))
        for text in ("SELECT 1;", f"{ALONE}SELECT 1;", f"{ALONE}VACUUM;"):
            with pytest.raises(MigrationStopped, match=f"grant {role} SELECT, .*on public.dbtrust_migration"):
                apply(poor, [migration(1, text)])
        assert entries(pg_database) == {}
    finally:
        pg.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
        pg.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def test_steps_that_ran_may_not_be_edited_and_later_ones_may(pg_database: str, pg: Connection) -> None:
    begun = f"{ALONE}CREATE TABLE t (a int);\nSELECT 1/0;"
    with pytest.raises(MigrationStopped, match="1 of its 2 steps are done"):
        apply(pg_database, [migration(1, begun)])
    with pytest.raises(MigrationStopped, match="step 1 has begun with another text: CREATE TABLE t"):
        apply(pg_database, [migration(1, begun.replace("a int", "b int"))])
    mended = migration(1, begun.replace("1/0", "2"))
    assert apply(pg_database, [mended]) == ["0001"]
    assert entries(pg_database)[1].checksum == mended.checksum
    assert (
        value(pg, "SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'a'") == 1
    )


def test_the_ledger_is_found_where_it_was_made(pg_database: str, pg: Connection) -> None:
    pg.execute("CREATE SCHEMA app")
    apply(
        psycopg.conninfo.make_conninfo(pg_database, options="-csearch_path=app"),
        [migration(1, "CREATE TABLE t (a int)")],
    )
    assert value(pg, "SELECT to_regclass('app.dbtrust_migration') IS NOT NULL") is True
    assert apply(pg_database, [migration(1, "CREATE TABLE t (a int)")]) == []


@pytest.mark.parametrize("mark", [ALONE, ""])
@pytest.mark.parametrize("words", ["PREPARE TRANSACTION", "COMMIT PREPARED", "ROLLBACK PREPARED"])
def test_two_phase_commit_is_refused_with_and_without_a_transaction(
    pg_database: str, mark: str, words: str
) -> None:
    text = f"{mark}BEGIN;\nSELECT 1;\n{words} 'x';\nSELECT 2;\nCOMMIT;"
    with pytest.raises(MigrationStopped, match=rf"{words} cannot be done in a migration.*leave it out"):
        apply(pg_database, [migration(1, text)])
    assert entries(pg_database) == {}
