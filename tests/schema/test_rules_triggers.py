"""Triggers and defaults that stand between a row and a rule: what is theirs, and what happens without them."""

from __future__ import annotations

import psycopg
import pytest
from tests.schema.conftest import Judged

from dbtrust.engine.postgres.promises import read_promises
from dbtrust.schema.constraints_postgres import judge_rules

_IDLE = "CREATE FUNCTION idle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"


def test_a_column_with_the_name_of_an_alias(judged: Judged) -> None:
    found = judged(
        "CREATE TABLE note (id int PRIMARY KEY, t text)",
        "CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.t := 'x'; RETURN NEW; END $$",
        "CREATE TRIGGER stamp BEFORE INSERT ON note FOR EACH ROW EXECUTE FUNCTION stamp()",
    )
    assert found["trigger:note.stamp"].verdict == "holds", found["trigger:note.stamp"]


def test_a_table_with_the_name_of_an_alias(pg: psycopg.Connection[object]) -> None:
    pg.execute("CREATE TABLE above (p int PRIMARY KEY); CREATE TABLE p (id int, p int)")
    pg.execute("INSERT INTO above VALUES (1); INSERT INTO p VALUES (1, 1), (2, 7), (3, 7)")
    pg.execute("ALTER TABLE p ADD CONSTRAINT fk FOREIGN KEY (p) REFERENCES above NOT VALID")
    found = {v.subject: v for v in judge_rules(pg, read_promises(pg), data=pg)}
    assert found["constraint:p.fk"].evidence["rows that break it"] == 2


@pytest.mark.parametrize("value", ["clock_timestamp()", "random() * 9", "nextval('s')", "random() < 0.5"])
def test_what_changes_by_itself_is_no_effect(judged: Judged, value: str) -> None:
    """A trigger that does nothing, beside one that writes another value each time, here and elsewhere."""
    found = judged(
        _IDLE,
        "CREATE SEQUENCE s; CREATE TABLE log (n int)",
        "CREATE TABLE t (id int PRIMARY KEY, a text, b text DEFAULT 'none')",
        f"CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.a := ({value})::text;"
        " INSERT INTO log SELECT 1 FROM generate_series(0, (random() * 9)::int); RETURN NEW; END $$",
        "CREATE TRIGGER fill BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION fill()",
        "CREATE TRIGGER idle BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION idle()",
        "CREATE TRIGGER late AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION idle()",
    )
    told = {subject: v.verdict for subject, v in found.items() if v.check == "schema.trigger"}
    assert told == {"trigger:t.fill": "holds", "trigger:t.idle": "unproved", "trigger:t.late": "unproved"}, (
        found
    )
    assert "sets a to" in found["trigger:t.fill"].message


def test_set_default_points_at_a_row_that_is_made_for_it(judged: Judged) -> None:
    found = judged(
        "CREATE TABLE par (id int PRIMARY KEY); CREATE TABLE two (a int, b int, PRIMARY KEY (a, b))",
        "CREATE TABLE never (id int PRIMARY KEY CHECK (id > 0))",
        "CREATE TABLE c (pid int NOT NULL DEFAULT 0 CONSTRAINT zero REFERENCES par ON DELETE SET DEFAULT ON UPDATE SET DEFAULT,"
        " a int, b int NOT NULL DEFAULT 7, CONSTRAINT part FOREIGN KEY (a, b) REFERENCES two ON DELETE SET DEFAULT (b),"
        " n int DEFAULT 0 CONSTRAINT nobody REFERENCES never ON DELETE SET DEFAULT,"
        " m int NOT NULL CONSTRAINT lacking REFERENCES par ON DELETE SET DEFAULT)",
    )
    told = {name: found[f"constraint:c.{name}"].verdict for name in ("zero", "part", "nobody", "lacking")}
    assert told == {"zero": "holds", "part": "holds", "nobody": "unproved", "lacking": "refuted"}, found
    assert "no row was found that the default can point at" in found["constraint:c.nobody"].message


def test_a_rule_that_a_trigger_keeps_every_row_from(judged: Judged) -> None:
    found = judged(
        _IDLE,
        "CREATE TABLE t (id int PRIMARY KEY, at timestamptz NOT NULL, n int CONSTRAINT positive CHECK (n > 0), m int NOT NULL)",
        "CREATE FUNCTION mend() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.at := now(); NEW.n := 1; RETURN NEW; END $$",
        "CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN IF NEW.m IS NULL THEN RAISE EXCEPTION 'no m'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER guard BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION guard()",
        "CREATE TRIGGER idle BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION idle()",
        "CREATE TRIGGER mend BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION mend()",
    )
    for subject in ("constraint:t.positive", "constraint:t.at_not_null"):
        shown = found[subject]
        assert (shown.verdict, shown.reason) == ("unproved", "undecided"), shown
        assert (
            "refused only with trigger mend switched off: the trigger changes the value first"
            in shown.message
        )
        assert shown.evidence["triggers"] == "switched off for this row" and "drop the rule" in shown.next
    guarded = found["constraint:t.m_not_null"]
    assert guarded.verdict == "holds" and "only with trigger guard switched off" in guarded.message, guarded
    assert "no m" in guarded.message


def test_a_trigger_that_mends_an_insert_leaves_the_update(judged: Judged) -> None:
    found = judged(
        "CREATE TABLE t (id int PRIMARY KEY, at timestamptz NOT NULL, n int CONSTRAINT positive CHECK (n > 0))",
        "CREATE FUNCTION mend() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.at := now(); NEW.n := 1; RETURN NEW; END $$",
        "CREATE TRIGGER mend BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION mend()",
    )
    for subject in ("constraint:t.positive", "constraint:t.at_not_null"):
        assert found[subject].verdict == "holds" and "switched off" not in found[subject].message, found[
            subject
        ]
        assert "UPDATE" in found[subject].evidence["refused"][-1]


def test_a_trigger_that_drops_the_row(judged: Judged) -> None:
    found = judged(
        "CREATE TABLE t (id int PRIMARY KEY, n int CONSTRAINT positive CHECK (n > 0))",
        "CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF NEW.n <= 0 THEN RETURN NULL; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER skip BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION skip()",
    )
    shown = found["constraint:t.positive"]
    assert shown.verdict == "unproved" and "switched off: the trigger drops the row first" in shown.message, (
        shown
    )


def test_a_table_that_its_triggers_close(judged: Judged) -> None:
    found = judged(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'closed'; END $$",
        "CREATE TABLE closed (n int CONSTRAINT positive CHECK (n > 0))",
        "CREATE TRIGGER shut BEFORE INSERT ON closed FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    shown = found["constraint:closed.positive"]
    assert shown.verdict == "holds" and "triggers are switched off" in shown.message, shown


@pytest.mark.parametrize(
    ("check", "step"),
    [("p IS NOT NULL", "NOT NULL of p"), ("q = NULL", "= NULL is always NULL"), ("true", "or drop it")],
)
def test_the_next_step_of_a_check_that_refuses_nothing(judged: Judged, check: str, step: str) -> None:
    found = judged(f"CREATE TABLE t (p int NOT NULL, q int, CONSTRAINT c CHECK ({check}))")
    assert found["constraint:t.c"].verdict == "refuted" and step in found["constraint:t.c"].next, found
    assert ("= NULL" in found["constraint:t.c"].next) == (check == "q = NULL")
