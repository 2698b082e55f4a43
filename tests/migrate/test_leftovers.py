"""Forty downs that leave something behind: each is refuted, and the message names the object."""

from __future__ import annotations

import pytest
from tests.migrate.conftest import Found, Prove, Step

#: What every migration starts from, in a schema of its own.
BASE = """
CREATE TYPE mood AS ENUM ('happy', 'sad');
CREATE DOMAIN email AS text CONSTRAINT has_at CHECK (VALUE LIKE '%@%');
CREATE FUNCTION twice(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a * 2';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE parent (id int PRIMARY KEY, name text, tag varchar(5));
CREATE TABLE t (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code varchar(10) NOT NULL DEFAULT 'x', n int DEFAULT 5,
    note text, parent int CONSTRAINT t_parent REFERENCES parent, CONSTRAINT t_n CHECK (n > -100), CONSTRAINT t_code UNIQUE (code, id)
);
CREATE INDEX t_note ON t (note) WHERE n > 0;
CREATE SEQUENCE counter;
CREATE TABLE s (id serial PRIMARY KEY, a int, b int);
CREATE STATISTICS s_ab ON a, b FROM s;
CREATE VIEW v AS SELECT id, code FROM t;
CREATE MATERIALIZED VIEW mv AS SELECT id FROM parent;
CREATE TRIGGER t_touch BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch();
CREATE POLICY t_all ON t USING (n > 0);
CREATE RULE s_none AS ON DELETE TO s DO INSTEAD NOTHING;
COMMENT ON TABLE t IS 'the table'; COMMENT ON COLUMN t.n IS 'a number';
GRANT SELECT ON t TO public;
"""
#: name: (up, down, the object that the message names)
LEFT: dict[str, tuple[str, str, str]] = {
    "not null lost": ("ALTER TABLE t ALTER code DROP NOT NULL", "", "table public.t"),
    "default lost": ("ALTER TABLE t ALTER n SET DEFAULT 7", "ALTER TABLE t ALTER n DROP DEFAULT", "table public.t"),
    "varchar became text": ("ALTER TABLE parent ALTER tag TYPE varchar(9)", "ALTER TABLE parent ALTER tag TYPE text", "table public.parent"),
    "length": ("ALTER TABLE t ALTER note TYPE varchar(50)", "ALTER TABLE t ALTER note TYPE varchar(60)", "table public.t"),
    "sequence renamed": ("ALTER SEQUENCE counter RENAME TO counted", "ALTER SEQUENCE counted RENAME TO counters", "sequence public.counter"),
    "sequence without an owner": ("ALTER TABLE s ALTER id DROP DEFAULT; DROP SEQUENCE s_id_seq", "CREATE SEQUENCE s_id_seq AS int; ALTER TABLE s ALTER id SET DEFAULT nextval('s_id_seq')", "sequence public.s_id_seq"),
    "sequence increment": ("ALTER SEQUENCE counter INCREMENT 10", "", "sequence public.counter"),
    "check not made again": ("ALTER TABLE t DROP CONSTRAINT t_n", "", "constraint public.t.t_n"),
    "check with another text": ("ALTER TABLE t DROP CONSTRAINT t_n", "ALTER TABLE t ADD CONSTRAINT t_n CHECK (n > -101)", "constraint public.t.t_n"),
    "check not valid": ("ALTER TABLE t DROP CONSTRAINT t_n", "ALTER TABLE t ADD CONSTRAINT t_n CHECK (n > -100) NOT VALID", "constraint public.t.t_n"),
    "unique lost": ("ALTER TABLE t DROP CONSTRAINT t_code", "", "constraint public.t.t_code"),
    "unique under another name": ("ALTER TABLE t DROP CONSTRAINT t_code", "ALTER TABLE t ADD UNIQUE (code, id)", "constraint public.t.t_code"),
    "foreign key lost": ("ALTER TABLE t DROP CONSTRAINT t_parent", "", "constraint public.t.t_parent"),
    "foreign key cascades": ("ALTER TABLE t DROP CONSTRAINT t_parent", "ALTER TABLE t ADD CONSTRAINT t_parent FOREIGN KEY (parent) REFERENCES parent ON DELETE CASCADE", "constraint public.t.t_parent"),
    "index lost": ("DROP INDEX t_note", "", "index public.t_note"),
    "index without its predicate": ("DROP INDEX t_note", "CREATE INDEX t_note ON t (note)", "index public.t_note"),
    "index descending": ("DROP INDEX t_note", "CREATE INDEX t_note ON t (note DESC) WHERE n > 0", "index public.t_note"),
    "index left": ("CREATE INDEX t_extra ON t (n)", "", "index public.t_extra"),
    "old function body": ("CREATE OR REPLACE FUNCTION twice(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a * 3'", "CREATE OR REPLACE FUNCTION twice(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a*2'", "function public.twice(integer)"),
    "function volatile": ("ALTER FUNCTION twice(int) STABLE", "ALTER FUNCTION twice(int) VOLATILE", "function public.twice(integer)"),
    "function left": ("CREATE FUNCTION extra() RETURNS int LANGUAGE sql AS 'SELECT 1'", "", "function public.extra()"),
    "trigger lost": ("DROP TRIGGER t_touch ON t", "", "trigger public.t.t_touch"),
    "trigger disabled": ("ALTER TABLE t DISABLE TRIGGER t_touch", "", "trigger public.t.t_touch"),
    "trigger event": ("DROP TRIGGER t_touch ON t", "CREATE TRIGGER t_touch BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch()", "trigger public.t.t_touch"),
    "view without a column": ("DROP VIEW v", "CREATE VIEW v AS SELECT id FROM t", "view public.v"),
    "view left": ("CREATE VIEW w AS SELECT 1 AS one", "", "view public.w"),
    "materialized view without data": ("DROP MATERIALIZED VIEW mv", "CREATE MATERIALIZED VIEW mv AS SELECT id FROM parent WITH NO DATA", "materialized view public.mv"),
    "comment lost": ("COMMENT ON TABLE t IS 'new'", "COMMENT ON TABLE t IS NULL", "table public.t"),
    "comment of a column": ("COMMENT ON COLUMN t.n IS NULL", "", "table public.t"),
    "grant left": ("GRANT INSERT ON t TO public", "", "table public.t"),
    "grant of a column": ("GRANT UPDATE (note) ON t TO public", "REVOKE UPDATE ON t FROM public; GRANT UPDATE (n) ON t TO public", "table public.t"),
    "policy lost": ("DROP POLICY t_all ON t", "", "policy public.t.t_all"),
    "policy for everyone": ("DROP POLICY t_all ON t", "CREATE POLICY t_all ON t USING (true)", "policy public.t.t_all"),
    "row security left on": ("ALTER TABLE t ENABLE ROW LEVEL SECURITY", "", "table public.t"),
    "enum label": ("ALTER TYPE mood ADD VALUE 'calm'", "SELECT 1", "type public.mood"),
    "enum order": ("DROP TYPE mood", "CREATE TYPE mood AS ENUM ('sad', 'happy')", "type public.mood"),
    "identity kind": ("ALTER TABLE t ALTER id SET GENERATED BY DEFAULT", "", "table public.t"),
    "identity lost": ("ALTER TABLE t ALTER id DROP IDENTITY", "", "table public.t"),
    "collation": ("ALTER TABLE parent ALTER name TYPE text COLLATE \"C\"", "", "table public.parent"),
    "statistics object": ("DROP STATISTICS s_ab", "", "statistics public.s_ab"),
    "statistics target": ("ALTER TABLE t ALTER n SET STATISTICS 50", "", "table public.t"),
    "storage": ("ALTER TABLE t ALTER note SET STORAGE EXTERNAL", "", "table public.t"),
    "replica identity": ("ALTER TABLE t REPLICA IDENTITY FULL", "", "table public.t"),
    "domain constraint": ("ALTER DOMAIN email DROP CONSTRAINT has_at", "", "type public.email"),
    "domain not null": ("ALTER DOMAIN email SET NOT NULL", "", "type public.email"),
    "rule": ("DROP RULE s_none ON s", "", "rule public.s.s_none"),
    "fillfactor": ("ALTER TABLE t SET (fillfactor = 70)", "", "table public.t"),
    "unlogged": ("ALTER TABLE s SET UNLOGGED", "", "table public.s"),
    "schema left": ("CREATE SCHEMA more", "", "schema more"),
    "column order": ("ALTER TABLE s DROP a CASCADE", "ALTER TABLE s ADD a int; CREATE STATISTICS s_ab ON a, b FROM s", "table public.s"),
    "generated": ("ALTER TABLE s ADD g int GENERATED ALWAYS AS (b + 1) STORED", "ALTER TABLE s ALTER g DROP EXPRESSION", "table public.s"),
    "table left": ("CREATE TABLE left_over (id int)", "", "table public.left_over"),
}  # fmt: skip


@pytest.fixture(scope="module")
def found(prove: Prove) -> Found:
    """Each of them by itself, on the same base."""
    steps: list[Step] = [(name, up, down or "SELECT 1") for name, (up, down, _) in LEFT.items()]
    return prove(steps, BASE)


def test_each_is_refuted_on_its_object(found: Found) -> None:
    wrong: list[str] = []
    for name, (_, _, thing) in LEFT.items():
        verdict = found[name, "migrate.down"]
        told = "; ".join(verdict.evidence.get("differences", ()))
        if verdict.verdict != "refuted" or thing not in told:
            wrong.append(f"{name}: {verdict.verdict} {verdict.message}")
    assert wrong == []


def test_the_kinds(found: Found) -> None:
    kinds = {n: v.evidence["kind"] for (n, c), v in found.items() if c == "migrate.down"}
    wanted = {
        "enum label": "irreversible",
        "column order": "only column order",
        "index lost": "differs",
        "view left": "differs",
    }
    assert {n: k for n, k in kinds.items() if n in wanted} == wanted


def test_most_of_them_get_a_patch_that_is_proven(found: Found) -> None:
    without = [n for (n, c), v in found.items() if c == "migrate.down" and "patch" not in v.evidence]
    assert set(without) <= {"enum label", "column order"}
