"""What is left after a failure or a crash, and that `up` finishes it."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.migrate.histories import ALONE, ALONE_DOWN, apply, entries, migration, runner, undo

from dbtrust.model.errors import ServerError
from dbtrust.model.ledger import MigrationStopped
from dbtrust.model.progress import silent

Connection = psycopg.Connection[Any]
UNIQUE = migration(1, f"{ALONE}CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_a ON t (a);")


def indexes(pg: Connection) -> list[tuple[Any, ...]]:
    return pg.execute(
        "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE i.indrelid = 't'::regclass ORDER BY 1"
    ).fetchall()


def test_a_failure_behind_an_autocommit_statement_goes_on_behind_it(pg_database: str, pg: Connection) -> None:
    one = migration(
        1, f"{ALONE}CREATE TABLE t (a int);\nSELECT 1 / (SELECT count(*) FROM t);\nALTER TABLE t ADD b int;"
    )
    with pytest.raises(MigrationStopped) as caught:
        apply(pg_database, [one])
    assert str(caught.value).startswith("0001_m.sql:3:1: 22012")
    assert "1 of its 3 steps are done and stay" in str(caught.value)
    pg.execute("INSERT INTO t VALUES (1)")
    assert apply(pg_database, [one]) == ["0001"]
    assert [step.state for step in entries(pg_database)[1].steps] == ["done"] * 3


def test_a_unique_index_over_duplicates_is_neither_applied_nor_left_invalid(
    pg_database: str, pg: Connection
) -> None:
    pg.execute("CREATE TABLE t AS SELECT 1 AS a FROM generate_series(1, 2)")
    for _ in range(2):
        with pytest.raises(MigrationStopped, match=r"23505.*none of its steps is done"):
            apply(pg_database, [UNIQUE])
        assert indexes(pg) == []
    pg.execute("DELETE FROM t WHERE ctid = '(0,1)'")
    assert apply(pg_database, [UNIQUE]) == ["0001"]
    assert indexes(pg) == [("t_a", True)]


def test_if_not_exists_does_not_swallow_an_invalid_index(pg_database: str, pg: Connection) -> None:
    pg.execute("CREATE TABLE t AS SELECT 1 AS a FROM generate_series(1, 2)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        pg.execute("CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a)")
    assert indexes(pg) == [("t_a", False)]
    with pytest.raises(MigrationStopped, match=r"t_a is there and invalid.*DROP INDEX CONCURRENTLY"):
        apply(pg_database, [UNIQUE])
    assert entries(pg_database) == {}


@pytest.mark.parametrize(
    ("there", "equal"),
    [
        ("CREATE UNIQUE INDEX t_a ON t USING btree (a ASC)", True), ("CREATE INDEX t_a ON t (a)", False),
        ("CREATE UNIQUE INDEX t_a ON t (a) WHERE a > 1", False), ("CREATE UNIQUE INDEX t_a ON t (a DESC)", False),
        ("CREATE TABLE t_a (x int)", False),
    ],
)  # fmt: skip
def test_if_not_exists_does_not_hide_another_index(
    pg_database: str, pg: Connection, there: str, equal: bool
) -> None:
    pg.execute("CREATE TABLE t (a int)")
    pg.execute(there.encode())
    if equal:
        assert apply(pg_database, [UNIQUE]) == ["0001"]
        return
    for _ in range(2):
        with pytest.raises(MigrationStopped, match=r"0001_m.sql:2:1: .*(another definition|no index of t)"):
            apply(pg_database, [UNIQUE])


def killed(url: str, pg: Connection, text: str) -> None:
    """Applies a migration whose session is ended while its statement waits for an open transaction."""
    with psycopg.connect(url) as other:
        other.execute("LOCK TABLE t IN ROW EXCLUSIVE MODE")

        def told(message: str, /) -> None:
            if "waits for" in message or "waiting for" in message:
                pg.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name LIKE 'dbtrust migrate%' AND state = 'active' AND pid <> pg_backend_pid()"
                )

        with pytest.raises(ServerError, match="the server was lost"):
            apply(url, [migration(1, text)], told)


@pytest.mark.parametrize("name", ["t_a", ""])
def test_an_index_that_was_half_built_is_built_again(pg_database: str, pg: Connection, name: str) -> None:
    pg.execute("CREATE TABLE t (a int)")
    text = f"{ALONE}CREATE INDEX CONCURRENTLY {name} ON t (a);\nINSERT INTO t VALUES (1);"
    killed(pg_database, pg, text)
    assert [valid for _, valid in indexes(pg)] == [False]
    assert entries(pg_database)[1].steps[0].state == "running"
    told: list[str] = []
    assert apply(pg_database, [migration(1, text)], told.append) == ["0001"]
    assert [valid for _, valid in indexes(pg)] == [True]
    assert "dropping the unfinished index" in " ".join(told)
    assert pg.execute("SELECT count(*) FROM t").fetchone() == (1,)


def test_an_index_that_was_built_is_taken_over(pg_database: str, pg: Connection) -> None:
    pg.execute("CREATE TABLE t (a int)")
    text = f"{ALONE}CREATE INDEX CONCURRENTLY t_a ON t (a);"
    killed(pg_database, pg, text)
    pg.execute("DROP INDEX t_a")
    pg.execute("CREATE INDEX t_a ON t (a DESC)")
    with pytest.raises(MigrationStopped, match="another definition"):
        apply(pg_database, [migration(1, text)])
    pg.execute("DROP INDEX t_a")
    pg.execute("CREATE INDEX t_a ON t (a)")
    told: list[str] = []
    apply(pg_database, [migration(1, text)], told.append)
    assert "taken over" in " ".join(told)


@pytest.mark.parametrize(
    ("before", "statement", "left"),
    [
        ("CREATE INDEX t_a ON t (a)", "DROP INDEX CONCURRENTLY t_a", []),
        ("CREATE INDEX t_a ON t (a)", "REINDEX TABLE CONCURRENTLY t", [("t_a", True)]),
    ],
)
def test_a_drop_and_a_reindex_are_finished(
    pg_database: str, pg: Connection, before: str, statement: str, left: list[tuple[str, bool]]
) -> None:
    pg.execute("CREATE TABLE t (a int)")
    pg.execute(before.encode())
    killed(pg_database, pg, f"{ALONE}{statement};")
    apply(pg_database, [migration(1, f"{ALONE}{statement};")])
    assert indexes(pg) == left


def test_what_a_reindex_left_at_a_toast_table_stops_nobody(pg_database: str, pg: Connection) -> None:
    """Only a superuser may name it; the server passes over it."""
    role, text = f"owner_{pg.info.dbname}", "REINDEX TABLE CONCURRENTLY t;"
    pg.execute(f'CREATE ROLE "{role}" LOGIN'.encode())
    try:
        pg.execute(f'GRANT ALL ON SCHEMA public TO "{role}"'.encode())
        pg.execute("CREATE TABLE t (a text)")
        pg.execute("CREATE INDEX t_a ON t (a)")
        pg.execute(f'ALTER TABLE t OWNER TO "{role}"'.encode())
        url = make_conninfo(pg_database, user=role)
        killed(url, pg, ALONE + text)
        left = "SELECT relname FROM pg_class WHERE relname LIKE 'pg_toast%%_ccnew'"
        ((name,),) = pg.execute(left).fetchall()
        told: list[str] = []
        assert apply(url, [migration(1, ALONE + text)], told.append) == ["0001"]
        assert indexes(pg) == [("t_a", True)]
        assert any("stays, for a superuser" in one and name in one for one in told)
        assert entries(url)[1].state == "done"
    finally:
        pg.execute(f'DROP OWNED BY "{role}"'.encode())
        pg.execute(f'DROP ROLE "{role}"'.encode())


def test_a_partition_that_was_half_detached_is_detached(pg_database: str, pg: Connection) -> None:
    pg.execute("CREATE TABLE t (a int) PARTITION BY RANGE (a)")
    pg.execute("CREATE TABLE p PARTITION OF t FOR VALUES FROM (0) TO (9)")
    text = f"{ALONE}ALTER TABLE t DETACH PARTITION p CONCURRENTLY;"
    killed(pg_database, pg, text)
    assert pg.execute("SELECT inhdetachpending FROM pg_inherits").fetchall() == [(True,)]
    apply(pg_database, [migration(1, text)])
    assert pg.execute("SELECT inhdetachpending FROM pg_inherits").fetchall() == []


COMMITS = (
    "DO $$ BEGIN INSERT INTO t VALUES (1); COMMIT;\n"
    "IF (SELECT count(*) FROM t) = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; END $$;\nINSERT INTO t VALUES (7);"
)


@pytest.mark.parametrize(("done", "rows"), [(True, 2), (False, 3)])
def test_what_commits_by_itself_and_was_interrupted_is_left_to_a_person(
    pg_database: str, pg: Connection, done: bool, rows: int
) -> None:
    pg.execute("CREATE TABLE t (a int)")
    one = migration(1, ALONE + COMMITS)
    with pytest.raises(ServerError):
        apply(pg_database, [one])
    for _ in range(2):
        with pytest.raises(MigrationStopped, match=r"0001_m.sql:2:1: .*repair --mark done|pending 0001"):
            apply(pg_database, [one])
    assert entries(pg_database)[1].steps[0].at_least_once
    hands = runner(pg_database)
    with hands.locked(silent):
        hands.settle(one, hands.entries()[1], done=done)
    hands.close()
    apply(pg_database, [one])
    assert pg.execute("SELECT count(*) FROM t").fetchone() == (rows,)


def test_what_is_marked_rerunnable_is_run_again(pg_database: str, pg: Connection) -> None:
    pg.execute("CREATE TABLE t (a int)")
    one = migration(1, f"{ALONE}-- dbtrust: rerunnable\n{COMMITS}")
    with pytest.raises(ServerError):
        apply(pg_database, [one])
    apply(pg_database, [one])
    assert pg.execute("SELECT a FROM t ORDER BY a").fetchall() == [(1,), (1,), (7,)]


def test_settings_of_the_session_are_set_again_when_a_run_goes_on(pg_database: str, pg: Connection) -> None:
    pg.execute("CREATE SCHEMA app")
    text = f"{ALONE}SET search_path = app;\nCREATE TABLE t (a int);\nSELECT 1 / (SELECT count(*) FROM t);\nCREATE TABLE u (a int);"
    with pytest.raises(MigrationStopped):
        apply(pg_database, [migration(1, text)])
    pg.execute("INSERT INTO app.t VALUES (1)")
    apply(pg_database, [migration(1, text)])
    assert pg.execute("SELECT to_regclass('app.u') IS NOT NULL, to_regclass('public.u')").fetchone() == (
        True,
        None,
    )


IN_BLOCKS = (
    "BEGIN; SET search_path = app; SAVEPOINT s; SET search_path = public; ROLLBACK TO s; CREATE TABLE first (a int); COMMIT;\n"
    "BEGIN; SET LOCAL search_path = public; SELECT 1; COMMIT;\nSELECT 1/0;\nCREATE TABLE second (a int);"
)
PLACES = "SELECT relnamespace::regnamespace::text FROM pg_class WHERE relname IN ('first', 'second')"


@pytest.mark.parametrize("half", ["up", "down"])
def test_a_setting_inside_a_finished_block_is_set_again(pg_database: str, pg: Connection, half: str) -> None:
    pg.execute("CREATE SCHEMA app")
    mended = IN_BLOCKS.replace("1/0", "1/1")
    if half == "up":
        with pytest.raises(MigrationStopped, match="22012"):
            apply(pg_database, [migration(1, ALONE + IN_BLOCKS)])
        apply(pg_database, [migration(1, ALONE + mended)])
    else:
        apply(pg_database, [migration(1, "SELECT 1;")])
        with pytest.raises(MigrationStopped, match="22012"):
            undo(pg_database, migration(1, f"SELECT 1;{ALONE_DOWN}{IN_BLOCKS}"))
        undo(pg_database, migration(1, f"SELECT 1;{ALONE_DOWN}{mended}"))
    assert pg.execute(PLACES).fetchall() == [("app",), ("app",)]


@pytest.mark.parametrize(
    ("makes", "needs"),
    [
        ("CREATE TEMP TABLE x AS SELECT 1 AS a", "INSERT INTO t SELECT a FROM x"),
        ("BEGIN; SELECT 1 AS a INTO TEMP x; COMMIT", "INSERT INTO t SELECT a FROM x"),
        ("PREPARE x AS INSERT INTO t VALUES (1)", "EXECUTE x"),
    ],
)
def test_what_the_session_of_an_earlier_run_had_is_named_and_made_again(
    pg_database: str, pg: Connection, makes: str, needs: str
) -> None:
    pg.execute("CREATE TABLE t (a int)")
    text = f"{ALONE}{makes};\nSELECT 1/0;\n{needs};"
    with pytest.raises(MigrationStopped, match=r"22012.*mend the statement"):
        apply(pg_database, [migration(1, text)])
    text = text.replace("1/0", "1/1")
    with pytest.raises(
        MigrationStopped, match=r"with it what step 1 made there: .*x.*make it again in that step"
    ):
        apply(pg_database, [migration(1, text)])
    again = makes.removeprefix("BEGIN; ").removesuffix("; COMMIT")
    apply(pg_database, [migration(1, text.replace(f"{needs};", f"BEGIN; {again}; {needs}; COMMIT;"))])
    assert pg.execute("SELECT a FROM t").fetchall() == [(1,)]


def test_a_detach_that_failed_half_way_is_finished(pg_database: str, pg: Connection) -> None:
    pg.execute("CREATE TABLE t (a int) PARTITION BY RANGE (a)")
    pg.execute("CREATE TABLE p PARTITION OF t FOR VALUES FROM (0) TO (9)")
    one = migration(
        1, f"{ALONE.rstrip()} statement_timeout:300ms\nALTER TABLE t DETACH PARTITION p CONCURRENTLY;"
    )
    with psycopg.connect(pg_database) as other:
        other.execute("LOCK TABLE t IN ROW EXCLUSIVE MODE")
        with pytest.raises(MigrationStopped, match="57014"):
            apply(pg_database, [one])
    assert pg.execute("SELECT inhdetachpending FROM pg_inherits").fetchall() == [(True,)]
    assert apply(pg_database, [one]) == ["0001"]
    assert pg.execute("SELECT count(*) FROM pg_inherits").fetchone() == (0,)


def test_a_server_that_is_lost_inside_a_transaction_leaves_nothing(pg_database: str, pg: Connection) -> None:
    one = migration(1, "CREATE TABLE t (a int);\nSELECT pg_terminate_backend(pg_backend_pid());")
    with pytest.raises(ServerError, match="run the same command again"):
        apply(pg_database, [one])
    assert pg.execute("SELECT to_regclass('t')").fetchone() == (None,)
    assert entries(pg_database) == {}


REMOTE = "BEGIN RAISE EXCEPTION 'remote is down' USING ERRCODE = '{}'; END"


@pytest.mark.parametrize(
    "statement",
    [
        f"DO $$ {REMOTE.format('08006')} $$;",
        f"DO $$ {REMOTE.format('57P01')} $$;",
        "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port=1' PUBLICATION p;",
    ],
)
@pytest.mark.parametrize("mark", [ALONE, ""])
def test_a_statement_that_reports_a_lost_connection_has_failed_and_may_be_mended(
    pg_database: str, statement: str, mark: str
) -> None:
    if "SUBSCRIPTION" in statement and not mark:
        statement = statement.replace("PUBLICATION p", "PUBLICATION p WITH (create_slot = false)")
    with pytest.raises(MigrationStopped, match=r"0001_m.sql:\d:1: (08006|57P01)"):
        apply(pg_database, [migration(1, mark + statement)])
    assert apply(pg_database, [migration(1, f"{mark}CREATE TABLE t (a int);")]) == ["0001"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("t DETACH PARTITION t_typo", '"t_typo" does not exist; none of its steps is done'),
        ("t DETACH PARTITION q", "is not a partition of"),
        ("q DETACH PARTITION p", "not partitioned|not a partitioned"),
    ],
)
def test_a_detach_that_failed_is_not_done_on_the_second_run(
    pg_database: str, pg: Connection, wrong: str, said: str
) -> None:
    pg.execute("CREATE TABLE t (a int) PARTITION BY RANGE (a)")
    pg.execute("CREATE TABLE p PARTITION OF t FOR VALUES FROM (0) TO (9)")
    pg.execute("CREATE TABLE q (a int)")
    text = f"{ALONE}ALTER TABLE {wrong} CONCURRENTLY;"
    for _ in range(2):
        with pytest.raises(MigrationStopped, match=said):
            apply(pg_database, [migration(1, text)])
    assert apply(pg_database, [migration(1, text.replace(wrong, "t DETACH PARTITION p"))]) == ["0001"]
    assert pg.execute("SELECT count(*) FROM pg_inherits").fetchone() == (0,)


def test_a_detach_of_no_partition_that_was_interrupted_is_left_to_the_server(
    pg_database: str, pg: Connection
) -> None:
    pg.execute("CREATE TABLE t (a int) PARTITION BY RANGE (a)")
    pg.execute("CREATE TABLE q (a int)")
    text = f"{ALONE}ALTER TABLE t DETACH PARTITION q CONCURRENTLY;"
    with pytest.raises(MigrationStopped):
        apply(pg_database, [migration(1, text)])
    pg.execute("CREATE TABLE p PARTITION OF t FOR VALUES FROM (0) TO (9)")
    killed(pg_database, pg, text.replace("PARTITION q", "PARTITION p"))
    pg.execute("ALTER TABLE t DETACH PARTITION p FINALIZE")
    pg.execute("""UPDATE dbtrust_migration SET stored = '{"attached": false}' WHERE step = 1""")
    with pytest.raises(MigrationStopped, match="not a partition"):
        apply(pg_database, [migration(1, text.replace("PARTITION q", "PARTITION p"))])


FAILS = "DO $$ BEGIN INSERT INTO u VALUES (1); COMMIT; RAISE EXCEPTION 'oops'; END $$;"


def test_what_commits_and_then_fails_says_at_once_that_it_must_be_repaired(
    pg_database: str, pg: Connection
) -> None:
    text = f"{ALONE}CREATE TABLE u (a int);\n{FAILS}\nINSERT INTO u VALUES (2);"
    with pytest.raises(MigrationStopped) as caught:
        apply(pg_database, [migration(1, text)])
    assert str(caught.value).startswith(
        "0001_m.sql:3:1: P0001 raise_exception: oops; step 2 commits by itself"
    )
    assert "repair --mark done|pending 0001" in str(caught.value)
    hands = runner(pg_database)
    one = migration(1, text.replace("RAISE EXCEPTION 'oops';", ""))
    with hands.locked(silent):
        hands.settle(one, hands.entries()[1], done=False)
    hands.close()
    apply(pg_database, [one])
    assert pg.execute("SELECT a FROM u ORDER BY a").fetchall() == [(1,), (1,), (2,)]


def test_what_is_rerunnable_commits_and_fails_may_be_mended(pg_database: str, pg: Connection) -> None:
    pg.execute("CREATE TABLE u (a int)")
    text = f"{ALONE}-- dbtrust: rerunnable\n{FAILS}"
    with pytest.raises(MigrationStopped, match="none of its steps is done"):
        apply(pg_database, [migration(1, text)])
    assert apply(pg_database, [migration(1, text.replace("RAISE EXCEPTION 'oops';", ""))]) == ["0001"]


def test_a_skipped_index_may_be_given_another_name(pg_database: str, pg: Connection) -> None:
    pg.execute("CREATE TABLE t (a int, b int)")
    pg.execute("CREATE INDEX t_a ON t (b)")
    with pytest.raises(MigrationStopped, match=r"another definition.*give the new one another name\)$"):
        apply(pg_database, [UNIQUE])
    one = migration(1, f"{ALONE}CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_x ON t (a);")
    assert apply(pg_database, [one]) == ["0001"]
    assert indexes(pg) == [("t_a", True), ("t_x", True)]


def test_a_role_without_temporary_tables_does_not_pass_another_index(
    pg_database: str, pg: Connection
) -> None:
    role = f"no_temp_{pg.info.dbname}"
    pg.execute(f'CREATE ROLE "{role}" LOGIN'.encode())
    try:
        pg.execute(
            "DO $$ BEGIN EXECUTE format('REVOKE TEMP ON DATABASE %I FROM PUBLIC', current_database()); END $$"
        )
        pg.execute(f'GRANT ALL ON SCHEMA public TO "{role}"'.encode())
        pg.execute("CREATE TABLE t (a int, b int)")
        pg.execute("CREATE INDEX t_a ON t (b)")
        pg.execute(f'ALTER TABLE t OWNER TO "{role}"'.encode())
        url = make_conninfo(pg_database, user=role)
        for _ in range(2):
            with pytest.raises(MigrationStopped, match=r"t_a is there and cannot be compared.*GRANT TEMP"):
                apply(url, [UNIQUE])
        pg.execute("DROP INDEX t_a")
        assert apply(url, [UNIQUE]) == ["0001"]
    finally:
        pg.execute(f'DROP OWNED BY "{role}"'.encode())
        pg.execute(f'DROP ROLE "{role}"'.encode())
