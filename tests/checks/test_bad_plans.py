"""What may go wrong while plans are taken: the server's end, locks, depth, a missing extension; and claims of a project."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.checks.conftest import PROJECTS, Checked, broken

from dbtrust import Report, check
from dbtrust.claims.failures import postgres_failure
from dbtrust.claims.verdicts import Failure
from dbtrust.engine.mongo.explain import parse as parse_mongo
from dbtrust.engine.postgres.binaries import find_postgres
from dbtrust.engine.postgres.explain import explain, parse
from dbtrust.engine.postgres.roles import create_roles
from dbtrust.engine.postgres.server import start_postgres
from dbtrust.engine.runs import Run
from dbtrust.judge.claims import Names, judge
from dbtrust.judge.grammar import parse_claim
from dbtrust.model.errors import NO_SERVER
from dbtrust.model.location import NOWHERE, Location
from dbtrust.model.project import Query
from dbtrust.queries.placeholders import bind_params

BOOKS = "lib/queries/books.sql"
EVERYTHING = "SELECT count(*) FROM book;"
WAIT = 60


def when(connection: psycopg.Connection[Any], condition: str, given_up: threading.Event) -> Any:
    """The first row of `condition` as soon as it has one."""
    while not given_up.wait(0.02):
        if (row := connection.execute(condition.encode()).fetchone()) is not None:
            return row[0]
    raise AssertionError(condition)


def test_a_server_that_dies_keeps_what_was_judged(server_run: Run, mongo_url: str, tmp_path: Path) -> None:
    """Its postmaster is killed while a query runs: exit 3, earlier verdicts and the other engine stay."""
    server = start_postgres(server_run, find_postgres("17"))
    slow = (BOOKS, EVERYTHING, "SELECT count(*) FROM book, pg_sleep(60);")
    folder = broken(PROJECTS / "library", tmp_path / "project", [slow])
    over = threading.Event()
    with psycopg.connect(server.admin_url(), autocommit=True) as admin:
        create_roles(admin, ["librarian"])
        postmaster = int((server.folder / "data/postmaster.pid").read_text().split()[0])

        def kill() -> None:
            when(admin, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'", over)
            os.kill(postmaster, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        only = ["schema", "query", "claim", "proof"]
        report = check(folder, only=only, postgres=server.admin_url(), mongo=mongo_url)
        over.set()
        killer.join()
    server.stop()
    assert report.exit_code == NO_SERVER
    assert len(report.errors) == 1, report.errors
    ours = {(v.check, v.subject): v for v in report.verdicts if v.engine == "postgres"}
    assert ours["schema.applies", "file:sql/01_book.sql"].verdict == "holds"
    prepares = ours["query.prepares", "query:books.newest"]
    assert (prepares.verdict, prepares.reason) == ("unproved", "no_server")
    assert not [v for v in ours.values() if v.verdict == "refuted"]
    theirs = {v.verdict for v in report.verdicts if v.engine == "mongo"}
    assert theirs == {"holds"}


def failure_of(statement: str, error: psycopg.Error) -> Failure:
    query = Query("postgres", "query:q.q", "q", statement, "q.sql", Location("q.sql", 1, 1))
    return postgres_failure(error, query, bind_params(statement))


LOCKS = """
CREATE TABLE a (x int); CREATE TABLE b (x int);
CREATE FUNCTION first_a_then_b() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  LOCK TABLE a;
  WHILE NOT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'a'::regclass) LOOP
    PERFORM pg_sleep(0.01);
  END LOOP;
  LOCK TABLE b;
  RETURN 1;
END $$;
"""


def test_a_deadlock_refutes_nothing(pg_database: str, pg: psycopg.Connection[Any]) -> None:
    """The victim is the explained statement: its error is of the moment, so the query is not refuted by it."""
    pg.execute(LOCKS.encode())
    over = threading.Event()
    with psycopg.connect(pg_database) as rival, psycopg.connect(pg_database, autocommit=True) as victim:
        rival.execute("SET LOCAL deadlock_timeout = '10min'")
        rival.execute("LOCK TABLE b")
        victim.execute("SET deadlock_timeout = '10ms'")
        held = "SELECT 1 FROM pg_locks WHERE granted AND relation = 'a'::regclass"

        def lock() -> None:
            when(pg, held, over)
            rival.execute("LOCK TABLE a")

        thread = threading.Thread(target=lock)
        thread.start()
        with pytest.raises(psycopg.errors.DeadlockDetected) as caught:
            explain(victim, "SELECT first_a_then_b()")
        over.set()
        thread.join()
    failure = failure_of("SELECT first_a_then_b()", caught.value)
    assert (failure.reason, failure.refutes) == ("server_error", False)
    assert "40P01 deadlock_detected" in failure.message


def names() -> Names:
    return Names(frozenset({("public", "t"), ("", "t")}), frozenset({("public", "i"), ("", "i")}))


def test_a_plan_of_ten_thousand_levels() -> None:
    node: dict[str, Any] = {
        "Node Type": "Index Scan", "Relation Name": "t", "Schema": "public", "Index Name": "i", "Actual Rows": 1,
        "Actual Loops": 1, "Heap Fetches": 0,
    }  # fmt: skip
    for _ in range(10_000):
        node = {"Node Type": "Limit", "Actual Rows": 1, "Actual Loops": 1, "Plans": [node]}
    plan = parse([{"Plan": node}], server_version="17.10")
    assert len(plan.nodes) == 10_001
    expected = {
        "uses i on t": "holds", "no sort": "holds", "index only on t": "refuted", "cost at most 1": "holds",
        "examines at most 1 rows per result": "holds", "examines at most 0 rows per result": "refuted",
    }  # fmt: skip
    for text, outcome in expected.items():
        assert judge(parse_claim(text, "postgres", NOWHERE), plan, names()).outcome == outcome
    json.dumps(plan.to_dict())


def test_a_document_of_ten_thousand_levels_is_unproved() -> None:
    stage: dict[str, Any] = {"stage": "IXSCAN", "indexName": "i"}
    for _ in range(10_000):
        stage = {"stage": "LIMIT", "inputStage": stage}
    plan = parse_mongo({"queryPlanner": {"namespace": "d.t", "winningPlan": stage}}, server_version="6.0.5")
    found = judge(parse_claim("uses i", "mongo", NOWHERE), plan, names())
    assert (found.outcome, found.reason) == ("unproved", "version")
    assert "nested too deeply" in found.message


def test_a_real_plan_that_is_too_deep_is_unproved(pg: psycopg.Connection[Any]) -> None:
    statement = "SELECT 1"
    for _ in range(600):
        statement = f"SELECT ({statement} OFFSET 0) + random()"
    plan = explain(pg, statement)
    found = judge(parse_claim("no sort", "postgres", NOWHERE), plan, Names())
    assert (found.outcome, found.reason) == ("unproved", "version")
    assert "nested too deeply" in found.message


@pytest.mark.parametrize(
    ("statement", "extension"),
    [
        ("SELECT similarity('a', 'b');", "pg_trgm"),
        ("SELECT uuid_generate_v4();", "uuid-ossp"),
        ("SELECT 'a=>1'::hstore;", "hstore"),
        ("SELECT calls FROM pg_stat_statements;", "pg_stat_statements"),
        ("SELECT not_a_function(1);", ""),
    ],
)
def test_a_missing_extension_is_named(pg: psycopg.Connection[Any], statement: str, extension: str) -> None:
    with pytest.raises(psycopg.Error) as caught:
        explain(pg, statement)
    failure = failure_of(statement, caught.value)
    assert failure.refutes
    wanted = f'add "{extension}" to [postgres] extensions' if extension else "mend the query or its example"
    assert wanted in failure.next


def verdicts(report: Report, subject: str) -> dict[str, tuple[str, str]]:
    return {v.claim: (v.verdict, v.message) for v in report.verdicts if v.subject == subject and v.claim}


def test_blocks_are_those_of_a_second_run(checked: Checked) -> None:
    """A first run of a connection reads the index's root and the catalog as well: 3 blocks are all that it takes."""
    lines = "".join(f"-- claim: reads at most {n} blocks\n" for n in (3, 2))
    edit = (
        BOOKS, f"-- claim: cost at most 100000\n{EVERYTHING}", f"{lines}SELECT title FROM book WHERE id = 7;",
    )  # fmt: skip
    found = verdicts(checked(edit, only=["postgres", "claim"]), "query:books.everything")
    assert found["reads at most 3 blocks"][0] == "holds", found
    refuted, message = found["reads at most 2 blocks"]
    assert refuted == "refuted"
    assert "blocks 3, claimed at most 2: most of it in Index Scan using book_pkey on book" in message
