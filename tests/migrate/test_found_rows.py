"""Statements that find their rows by others: in a WITH, a body, a join, a variable. What they lose is seen, or told as not seen."""

from __future__ import annotations

import pytest
from tests.migrate.conftest import Found, Prove, Step, assert_lossy

BASE = """
CREATE TABLE t (id int PRIMARY KEY, st text NOT NULL, d date, phone text, amt numeric(10,2));
CREATE TABLE t2 (id int PRIMARY KEY, st text NOT NULL, amt numeric(10,2));
CREATE TABLE u (id serial PRIMARY KEY, email text NOT NULL UNIQUE, role text NOT NULL DEFAULT 'user' CHECK (role IN ('user','admin','owner')));
CREATE TABLE par (id int PRIMARY KEY, act boolean);
CREATE TABLE chi (id int PRIMARY KEY, pid int REFERENCES par, d date);
CREATE TABLE n (id int PRIMARY KEY, phone text);
CREATE TABLE e (id bigint, at timestamptz NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE e23 PARTITION OF e FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE ed PARTITION OF e DEFAULT;
"""
#: name: the up, and its down behind a bar where that is not SELECT 1
LOSSES = {
    "a partition beside a default one": "DROP TABLE e23;|CREATE TABLE e23 PARTITION OF e FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');",
    "ids from a WITH": "WITH x AS (SELECT id FROM t WHERE st='old') DELETE FROM t USING x WHERE t.id=x.id;",
    "a DELETE in a WITH": "CREATE TABLE a (LIKE t); WITH x AS (DELETE FROM t WHERE st='done' RETURNING *) INSERT INTO a SELECT * FROM x;|DROP TABLE a;",
    "a function in SQL": "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ DELETE FROM t WHERE st='old' $$; SELECT f();|DROP FUNCTION f();",
    "a loop over rows": "DO $$ DECLARE r record; BEGIN FOR r IN SELECT id FROM t WHERE st='old' LOOP DELETE FROM t WHERE id=r.id; END LOOP; END $$;",
    "a constant that is executed": "DO $$ BEGIN EXECUTE 'DELETE FROM t WHERE st = ''paid'''; END $$;",
    "rows copied from another table": "INSERT INTO t (id, st) SELECT id + 5000, st FROM t2 WHERE st='old';",
    "ids from a temporary table": "CREATE TEMP TABLE tmp ON COMMIT DROP AS SELECT id FROM t WHERE st='old'; DELETE FROM t USING tmp WHERE tmp.id=t.id;",
    "a SET beside the condition": "UPDATE t SET phone=lower(phone) WHERE st='x';",
    "cents beside the condition": "UPDATE t SET amt=round(amt) WHERE st='paid';",
    "large numbers beside the condition": "UPDATE t SET amt=least(amt,500) WHERE st='x' AND d>current_date-3;",
    "a CASE beside the condition": "UPDATE t SET st=CASE WHEN st='a' THEN 'b' ELSE st END WHERE extract(dow FROM d)=6;",
    "one row by its unique key": "UPDATE u SET role='admin' WHERE email='root@corp.com';|UPDATE u SET role='user' WHERE email='root@corp.com';",
    "values of another table by its key": "UPDATE n SET phone=t.phone FROM t WHERE t.id=n.id;",
    "a join over a foreign key": "DELETE FROM chi USING par WHERE par.id=chi.pid AND NOT par.act AND chi.d<current_date-30;",
    "a list of VALUES": "UPDATE t SET st=v.n FROM (VALUES ('FR','France')) v(o,n) WHERE t.st=v.o;",
    "a subquery of the same table": "UPDATE t SET st='owner' WHERE id=(SELECT min(id) FROM t WHERE st='admin');",
    "batches until nothing is left": "DO $$ DECLARE n int; BEGIN LOOP DELETE FROM t WHERE id IN (SELECT id FROM t WHERE st='old' AND d<current_date-30 LIMIT 1000); GET DIAGNOSTICS n = ROW_COUNT; EXIT WHEN n=0; END LOOP; END $$;",
    "a pattern": "DELETE FROM t WHERE phone ~ '[^0-9+]';",
}  # fmt: skip
OPEN = {
    "an argument": "CREATE PROCEDURE cp(p text) LANGUAGE sql AS $$ DELETE FROM t WHERE st=p $$; CALL cp('zzz')|DROP PROCEDURE cp(text);",
    "a variable": "DO $$ DECLARE v text:='old'; BEGIN DELETE FROM t WHERE st=v; END $$;",
    "an array of a variable": "DO $$ DECLARE v text; BEGIN FOREACH v IN ARRAY ARRAY['old','older'] LOOP DELETE FROM t WHERE st=v; END LOOP; END $$;",
    "a statement that is put together": "DO $$ BEGIN EXECUTE format('DELETE FROM %I WHERE st = %L','t','paid'); END $$;",
    "a MERGE that deletes": "MERGE INTO t USING t2 ON t.id=t2.id WHEN MATCHED AND t2.st='old' THEN DELETE;",
    "a MERGE that updates": "MERGE INTO t USING t2 ON t.id=t2.id WHEN MATCHED AND t2.st='x' THEN UPDATE SET amt=t2.amt;",
    "a view that it makes": "CREATE VIEW v AS SELECT * FROM t; UPDATE v SET st='z' WHERE st='y';|DROP VIEW v;",
}  # fmt: skip
QUIET = {
    "a function that only a trigger calls": "CREATE FUNCTION tg() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM t2 WHERE md5(st)='x'; RETURN NEW; END $$; CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION tg();|DROP TRIGGER x ON t; DROP FUNCTION tg();",
    "old values kept in a column": "ALTER TABLE t ADD COLUMN old_st text; UPDATE t SET old_st=st, st='w' WHERE st='q';|UPDATE t SET st=old_st WHERE old_st IS NOT NULL; ALTER TABLE t DROP COLUMN old_st;",
    "a trigger that is called for every row": "UPDATE t SET id = id;",
    "a seed": "INSERT INTO t2 VALUES (4711, 'x', 1);|DELETE FROM t2 WHERE id = 4711;",
}  # fmt: skip


@pytest.fixture(scope="session")
def found(prove: Prove) -> Found:
    both = {name: text.partition("|") for name, text in (LOSSES | OPEN | QUIET).items()}
    steps: list[Step] = [(name, up, down or "SELECT 1;") for name, (up, _, down) in both.items()]
    return prove(steps, BASE)


@pytest.mark.parametrize("name", LOSSES)
def test_what_is_lost_is_seen(found: Found, name: str) -> None:
    assert_lossy(found[name, "migrate.populated"], "")


@pytest.mark.parametrize("name", OPEN)
def test_what_met_no_row_is_open(found: Found, name: str) -> None:
    verdict = found[name, "migrate.populated"]
    assert (verdict.verdict, verdict.reason) == ("unproved", "no_data"), verdict


@pytest.mark.parametrize("name", QUIET)
def test_what_is_right_is_quiet(found: Found, name: str) -> None:
    mine = [v for (label, _), v in found.items() if label == name and v.verdict in ("refuted", "unproved")]
    assert mine == []
