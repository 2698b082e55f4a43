"""Rules that are broken, hidden by others, or that no row can keep: each is told for what it is."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql
from tests.schema.conftest import Judged

from dbtrust.engine.postgres.connect import connect
from dbtrust.engine.postgres.promises import read_promises
from dbtrust.schema.constraints_postgres import judge_rules


@pytest.mark.parametrize(
    "check",
    [
        "true",
        "price > 0 OR price IS NOT NULL",
        "price <> NULL",
        "kind IN ('a', NULL)",
        "NOT (kind = NULL)",
        "1 = 1 OR price > 0",
    ],
)
def test_a_check_that_refuses_nothing(judged: Judged, check: str) -> None:
    found = judged(f"CREATE TABLE t (price int, kind text, CONSTRAINT c CHECK ({check}))")
    expected = "unproved" if check.startswith("1 = 1") else "refuted"
    assert found["constraint:t.c"].verdict == expected, found["constraint:t.c"]


def test_promises_that_the_server_does_not_keep(judged: Judged) -> None:
    found = judged(
        "CREATE TABLE p (id int PRIMARY KEY)",
        "CREATE TABLE t (id int PRIMARY KEY, n int, p int, u int)",
        "ALTER TABLE t ADD CONSTRAINT positive CHECK (n > 0) NOT VALID",
        "ALTER TABLE t ADD CONSTRAINT parent FOREIGN KEY (p) REFERENCES p NOT VALID",
        "CREATE UNIQUE INDEX t_u ON t (u)",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_u'::regclass",
        "CREATE TABLE q (p int CONSTRAINT off REFERENCES p)",
        "ALTER TABLE q DISABLE TRIGGER ALL",
    )
    told = {subject: v.message for subject, v in found.items() if v.verdict == "refuted"}
    assert set(told) == {"constraint:t.positive", "constraint:t.parent", "index:t_u", "constraint:q.off"}
    assert "NOT VALID" in told["constraint:t.positive"] and "disabled" in told["constraint:q.off"]
    assert all(found[subject].next for subject in told)


def test_rows_that_break_a_new_rule_are_counted(pg: psycopg.Connection[object]) -> None:
    pg.execute("CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (n int, p int)")
    pg.execute("INSERT INTO t VALUES (-1, 7), (1, NULL), (-2, NULL)")
    pg.execute(
        "ALTER TABLE t ADD CONSTRAINT positive CHECK (n > 0) NOT VALID, ADD CONSTRAINT parent FOREIGN KEY (p) REFERENCES p NOT VALID"
    )
    found = {v.subject: v for v in judge_rules(pg, read_promises(pg), data=pg)}
    assert found["constraint:t.positive"].evidence["rows that break it"] == 2
    assert found["constraint:t.parent"].evidence["rows that break it"] == 1


def test_set_null_on_a_column_that_refuses_null(judged: Judged) -> None:
    found = judged(
        "CREATE TABLE p (id int PRIMARY KEY)",
        "CREATE TABLE c (p int NOT NULL CONSTRAINT fk REFERENCES p ON DELETE SET NULL, d int NOT NULL CONSTRAINT fd REFERENCES p ON DELETE SET DEFAULT)",
    )
    assert (found["constraint:c.fk"].verdict, found["constraint:c.fd"].verdict) == ("refuted", "refuted")
    assert "never possible" in found["constraint:c.fk"].message


def test_what_hides_another_rule_is_named(judged: Judged) -> None:
    found = judged(
        "CREATE TABLE t (id int PRIMARY KEY, a int CONSTRAINT b CHECK (a > 0) CONSTRAINT c CHECK (a > -5), UNIQUE (id, a))"
    )
    assert (
        found["constraint:t.c"].verdict == "holds"
        and "b" in found["constraint:t.c"].evidence["accepted without"]
    )
    assert "t_pkey" in found["constraint:t.t_id_a_key"].message
    assert found["constraint:t.b"].evidence["without it"] == "accepted"


def test_bad_input_is_told_and_the_rest_is_judged(judged: Judged) -> None:
    found = judged(
        "CREATE FUNCTION raising(i int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$",
        "CREATE TABLE raises (id int PRIMARY KEY, n int NOT NULL CONSTRAINT small CHECK (n < 9) CONSTRAINT bad CHECK (raising(n)))",
        "CREATE TABLE volatile (id int PRIMARY KEY, u uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(), at timestamptz NOT NULL DEFAULT clock_timestamp())",
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'closed'; END $$",
        "CREATE TABLE closed (id int PRIMARY KEY, n int NOT NULL CHECK (n > 0))",
        "CREATE TRIGGER shut BEFORE INSERT ON closed FOR EACH ROW EXECUTE FUNCTION refuse()",
        "CREATE TABLE a (id int PRIMARY KEY, b int NOT NULL, n int CHECK (n > 0)); CREATE TABLE b (id int PRIMARY KEY, a int NOT NULL REFERENCES a)",
        "ALTER TABLE a ADD CONSTRAINT a_b FOREIGN KEY (b) REFERENCES b",
        "CREATE TABLE x (id int PRIMARY KEY, y int NOT NULL); CREATE TABLE y (id int PRIMARY KEY, x int NOT NULL REFERENCES x DEFERRABLE INITIALLY DEFERRED)",
        "ALTER TABLE x ADD CONSTRAINT x_y FOREIGN KEY (y) REFERENCES y DEFERRABLE INITIALLY DEFERRED",
        "CREATE TABLE never (n int NOT NULL, CONSTRAINT no CHECK (false))",
        "CREATE TABLE nothing ()",
    )
    told = {subject: v.verdict for subject, v in found.items() if v.verdict != "holds"}
    assert told.pop("constraint:raises.bad") == "unproved" and "no" in found["constraint:raises.bad"].message
    assert told.pop("constraint:never.no") == "unproved"
    # Neither row can be the first: the server says so, and one key of each circle cannot be proven.
    assert set(told) == {"constraint:b.b_a_fkey", "constraint:y.y_x_fkey"}, told
    assert "b_a_fkey" in found["constraint:b.b_a_fkey"].message and found["constraint:b.b_a_fkey"].next
    assert found["constraint:closed.closed_n_check"].verdict == "holds"
    assert "closed" in found["trigger:closed.shut"].message
    assert "IMMEDIATE" in str(found["constraint:x.x_y"].evidence)


def test_triggers(judged: Judged) -> None:
    found = judged(
        "CREATE TABLE t (id int PRIMARY KEY, n int, at timestamptz); CREATE TABLE log (n int)",
        "CREATE FUNCTION idle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
        "CREATE FUNCTION faulty() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.nothing := 1; RETURN NEW; END $$",
        "CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.at := now(); RETURN NEW; END $$",
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (1); RETURN NULL; END $$",
        "CREATE TRIGGER idle BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION idle()",
        "CREATE TRIGGER off BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION stamp()",
        "ALTER TABLE t DISABLE TRIGGER off",
        "CREATE TRIGGER stamp BEFORE UPDATE ON t FOR EACH ROW WHEN (NEW.n = 77) EXECUTE FUNCTION stamp()",
        "CREATE TRIGGER note AFTER INSERT OR DELETE ON t FOR EACH STATEMENT EXECUTE FUNCTION note()",
        "CREATE TABLE f (id int PRIMARY KEY)",
        "CREATE TRIGGER faulty BEFORE UPDATE ON f FOR EACH ROW EXECUTE FUNCTION faulty()",
        "CREATE VIEW v AS SELECT * FROM f",
        "CREATE TRIGGER instead INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION idle()",
    )
    told = {subject: v.verdict for subject, v in found.items() if v.check == "schema.trigger"}
    assert told == {
        "trigger:t.idle": "unproved", "trigger:t.off": "refuted", "trigger:t.stamp": "holds", "trigger:t.note": "holds",
        "trigger:f.faulty": "refuted", "trigger:v.instead": "unproved",
    }  # fmt: skip
    assert "sets at" in found["trigger:t.stamp"].message and "log" in found["trigger:t.note"].message
    assert "disabled" in found["trigger:t.off"].message and "42703" in found["trigger:f.faulty"].message


def test_row_security_that_binds_nobody_and_that_hides(
    pg: psycopg.Connection[object], pg_database: str
) -> None:
    """Judged by a role that policies bind: the owner of the tables, who is no superuser."""
    owner = f"owner_{pg.info.dbname}"
    role = sql.Identifier(owner)
    pg.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'x'").format(role))
    try:
        pg.execute(sql.SQL("GRANT CREATE ON SCHEMA public TO {}").format(role))
        pg.execute(sql.SQL("SET ROLE {}").format(role))
        for name in ("loose", "forced"):
            table = sql.Identifier(name)
            pg.execute(sql.SQL("CREATE TABLE {} (id int PRIMARY KEY, who text NOT NULL)").format(table))
            pg.execute(sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(table))
            pg.execute(
                sql.SQL("CREATE POLICY own ON {} USING (who = current_setting('app.who', true))").format(
                    table
                )
            )
        pg.execute("ALTER TABLE forced FORCE ROW LEVEL SECURITY")
        found = {v.subject: v for v in judge_rules(pg, read_promises(pg))}
    finally:
        pg.execute("RESET ROLE")
        pg.execute(sql.SQL("DROP OWNED BY {}").format(role))
        pg.execute(sql.SQL("DROP ROLE {}").format(role))
    assert found["constraint:loose.row_security"].verdict == "refuted"
    assert "hidden" in found["constraint:forced.row_security"].message
    assert {v.verdict for s, v in found.items() if not s.endswith("security")} == {"holds"}


def test_many_tables_in_a_chain(pg: psycopg.Connection[object], pg_database: str) -> None:
    """Longer than Python's stack is deep would be too slow here; the order itself is tested alone."""
    pg.execute("CREATE TABLE t0 (id int PRIMARY KEY)")
    for number in range(1, 30):
        pg.execute(f"CREATE TABLE t{number} (id int PRIMARY KEY, up int NOT NULL REFERENCES t{number - 1})")  # pyright: ignore
    with connect(pg_database) as connection:
        found = judge_rules(connection, read_promises(connection))
    assert {v.verdict for v in found} == {"holds"} and len(found) == 30 + 2 * 29
