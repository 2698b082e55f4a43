"""Up, down and up over rows that were there before: what is lost is shown, and a declaration excuses its own object alone."""

from __future__ import annotations

import pytest
from tests.migrate.conftest import Found, Prove, Step

BASE = """
CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL, phone text, born date, updated_at timestamptz DEFAULT now());
CREATE TABLE orders (id int PRIMARY KEY, owner int NOT NULL REFERENCES users, amount numeric(10, 2) NOT NULL DEFAULT 0);
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.updated_at := now(); RETURN NEW; END';
CREATE TRIGGER stamp BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION stamp();
"""
AGAIN = "ALTER TABLE users ADD COLUMN phone text;"
_DROPS = "ALTER TABLE users DROP COLUMN phone;"
#: name: (up, down, verdict of migrate.populated, its kind, words of its message)
CASES: dict[str, tuple[str, str | None, str, str, str]] = {
    "a column made anew": (
        "ALTER TABLE orders DROP COLUMN amount;", "ALTER TABLE orders ADD COLUMN amount numeric(10, 2) NOT NULL DEFAULT 0;",
        "refuted", "lossy", "orders changed the row id = ",
    ),
    "declared": (
        "ALTER TABLE orders DROP COLUMN amount;",
        "-- lossy: column orders.amount\nALTER TABLE orders ADD COLUMN amount numeric(10, 2) NOT NULL DEFAULT 0;",
        "holds", "lossy", "declares to lose",
    ),
    "declared for its table": (
        "-- lossy: table public.orders\nALTER TABLE orders DROP COLUMN amount;",
        "ALTER TABLE orders ADD COLUMN amount numeric(10, 2) NOT NULL DEFAULT 0;", "holds", "lossy", "declares to lose",
    ),
    "declared for another": (
        "ALTER TABLE orders DROP COLUMN amount;",
        "-- lossy: column orders.owner\nALTER TABLE orders ADD COLUMN amount numeric(10, 2) NOT NULL DEFAULT 0;",
        "refuted", "lossy", "amount was",
    ),
    "declared for nothing": (
        "CREATE INDEX users_name ON users (name);", "-- lossy: column users.phone\nDROP INDEX users_name;", "holds", "identical",
        "nothing needs -- lossy: column users.phone",
    ),
    "declared for what is not there": (
        "CREATE INDEX users_name ON users (name);", "-- lossy: column users.fone\nDROP INDEX users_name;", "refuted", "misnamed",
        "-- lossy: column users.fone names no column that is there (did you mean users.phone?)",
    ),
    "declared for a constraint that is not there": (
        "-- lossy: constraint users_key\nCREATE INDEX users_name ON users (name);", "DROP INDEX users_name;", "refuted", "misnamed",
        "names no constraint that is there (did you mean users_pkey?)",
    ),
    "declared for what it does not touch": (
        "CREATE TABLE other (id int);", "-- lossy: table users\nDROP TABLE other;", "refuted", "misnamed",
        "neither the up nor the down touches users",
    ),
    "declared for what a key may reach": (
        "CREATE TABLE other (id int);", "-- lossy: table orders\nDROP TABLE other;", "holds", "identical", "nothing needs -- lossy: table orders",
    ),
    "rows deleted": ("DELETE FROM orders WHERE id = (SELECT min(id) FROM orders);", "SELECT 1;", "refuted", "lossy", "orders lost the row"),
    "values changed": ("UPDATE users SET name = upper(name);", "SELECT 1;", "refuted", "lossy", "name was"),
    "values changed and back": (
        "ALTER TABLE users ADD COLUMN was text; UPDATE users SET was = name, name = upper(name);",
        "UPDATE users SET name = was; ALTER TABLE users DROP COLUMN was;", "holds", "identical", "every row",
    ),
    "no value for the rows": (
        "ALTER TABLE users ADD COLUMN state text NOT NULL;", "ALTER TABLE users DROP COLUMN state;", "refuted", "error", "over rows the up fails",
    ),
    "a down that needs an empty table": (
        "ALTER TABLE orders DROP COLUMN owner;", "ALTER TABLE orders ADD COLUMN owner int NOT NULL REFERENCES users;", "refuted", "error",
        "over rows that were there before the up the down fails",
    ),
    "a down that refuses": (
        "ALTER TABLE orders DROP COLUMN amount;",
        "DO $$ BEGIN IF EXISTS (SELECT FROM orders) THEN RAISE EXCEPTION 'no way back'; END IF; END $$;"
        "ALTER TABLE orders ADD COLUMN amount numeric(10, 2) NOT NULL DEFAULT 0;",
        "unproved", "refuses", "no way back",
    ),
    "no down": ("ALTER TABLE users ADD COLUMN more text;", None, "unproved", "missing", "no down"),
    "a rule that made-up rows break": (
        "ALTER TABLE users ADD CONSTRAINT only_ab CHECK (name IN ('a', 'b'));", "ALTER TABLE users DROP CONSTRAINT only_ab;", "unproved",
        "error", "the rows that were made up",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def found(prove: Prove) -> Found:
    steps: list[Step] = [(name, up, down) for name, (up, down, *_) in CASES.items()]
    return prove(steps, BASE)


@pytest.mark.parametrize("name", CASES)
def test_populated(name: str, found: Found) -> None:
    verdict = found[name, "migrate.populated"]
    _, _, outcome, kind, words = CASES[name]
    assert (verdict.verdict, verdict.evidence.get("kind")) == (outcome, kind), verdict
    assert words in verdict.message


def test_a_down_that_needs_rows_fails_nowhere_else(found: Found) -> None:
    assert found["no value for the rows", "migrate.up"].verdict == "holds"
    assert found["a down that needs an empty table", "migrate.written"].verdict == "refuted"


def test_new_rows_that_the_down_deletes(prove: Prove) -> None:
    up = "ALTER TABLE users ALTER COLUMN name DROP NOT NULL;"
    down = "DELETE FROM users WHERE name IS NULL; ALTER TABLE users ALTER COLUMN name SET NOT NULL;"
    both = prove([("deletes", up, down), ("declares", up, f"-- lossy: table users\n{down}")], BASE)
    verdict = both["deletes", "migrate.written"]
    assert verdict.verdict == "refuted" and verdict.evidence["kind"] == "lossy only with new rows"
    assert "users lost the row" in verdict.message and "-- lossy: table users" in verdict.next
    assert both["declares", "migrate.written"].verdict == "holds"
    assert "not needed" not in both["declares", "migrate.populated"].evidence


def test_new_tables_and_columns_go_with_their_rows(prove: Prove) -> None:
    steps: list[Step] = [
        (
            "table",
            "CREATE TABLE notes (id int PRIMARY KEY, users int REFERENCES users);",
            "DROP TABLE notes;",
        ),
        ("column", "ALTER TABLE users ADD COLUMN nick text;", "ALTER TABLE users DROP COLUMN nick;"),
    ]
    both = prove(steps, BASE)
    assert both["table", "migrate.written"].evidence["gone with its table or column"] == ["notes"]
    assert both["column", "migrate.written"].evidence["gone with its table or column"] == ["users.nick"]
    assert {v.verdict for v in both.values()} <= {"holds", "not_applicable"}


def test_a_missing_down_is_written_and_proven(prove: Prove) -> None:
    both = prove([
        ("index", "CREATE INDEX users_name ON users (name);", None),
        ("lossy", "ALTER TABLE users DROP COLUMN updated_at;", None),
        ("wrong", "ALTER TABLE users ADD CONSTRAINT n CHECK (name <> ''), ADD COLUMN x int;", "ALTER TABLE users DROP COLUMN x;"),
    ], BASE)  # fmt: skip
    index = both["index", "migrate.down"]
    assert index.verdict == "unproved" and index.evidence["patch"] == (
        "--- /dev/null\n+++ b/migrations/0001_index.down.sql\n@@ -0,0 +1 @@\n+DROP INDEX public.users_name;\n"
    )
    assert index.evidence["patch"] in index.next
    patch = both["lossy", "migrate.down"].evidence["patch"]
    assert "\n+-- lossy: column users.updated_at\n" in patch
    wrong = both["wrong", "migrate.down"].evidence["patch"]
    assert wrong.startswith("--- ") and "+ALTER TABLE public.users DROP CONSTRAINT n;" in wrong


def test_applied_twice(prove: Prove) -> None:
    both = prove([
        ("once", "CREATE TABLE x (a int);", "DROP TABLE x;"),
        ("twice", "CREATE TABLE IF NOT EXISTS y (a int);", "DROP TABLE y;"),
        ("claims", "-- dbtrust: rerunnable\nCREATE TABLE z (a int);", "DROP TABLE z;"),
    ], BASE)  # fmt: skip
    assert both["once", "migrate.up"].evidence["applied twice"].startswith("not idempotent")
    assert both["twice", "migrate.up"].evidence["applied twice"].startswith("idempotent")
    assert both["claims", "migrate.up"].verdict == "refuted"


def test_a_script_that_commits_on_its_own(prove: Prove) -> None:
    alone = "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY users_name ON users (name);"
    found = prove(
        [("alone", alone, "-- migrate:up transaction:false\nDROP INDEX CONCURRENTLY users_name;")], BASE
    )
    assert [v for v in found.values() if v.verdict in ("refuted", "unproved")] == []
