"""An UPDATE or DELETE that met no row: what it loses was not seen, and prove does not say that nothing is lost."""

from __future__ import annotations

import pytest
from tests.migrate.conftest import Found, Prove, Step

BASE = """
CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL, name text, at timestamptz);
CREATE SCHEMA s;
CREATE TABLE s.other (id int PRIMARY KEY, n int NOT NULL);
CREATE TABLE s.t (id int PRIMARY KEY, n int NOT NULL);
"""
#: Conditions that no row meets, or whose rows nobody finds.
_NEVER = "md5(name) = 'x'"
OPEN: dict[str, tuple[str, str]] = {
    "delete": (f"DELETE FROM t WHERE {_NEVER};", f"DELETE FROM t WHERE {_NEVER}"),
    "update": ("UPDATE t AS x\n  SET n = 0 WHERE md5(x.name) = 'x';", "UPDATE t AS x SET n = 0 WHERE md5(x.name) = 'x'"),
    "with another table": (f"DELETE FROM t USING s.other o WHERE o.n = t.n AND {_NEVER};", "DELETE FROM t USING s.other o"),
    "in a block": (f"DO $$ BEGIN DELETE FROM t WHERE {_NEVER}; END $$;", f"DELETE FROM t WHERE {_NEVER}"),
    "outside a transaction": (f"-- migrate:up transaction:false\nDELETE FROM t WHERE {_NEVER};", f"DELETE FROM t WHERE {_NEVER}"),
    "another column is declared": (f"-- lossy: column t.name\nUPDATE t SET n = 0 WHERE {_NEVER};", "UPDATE t SET n = 0"),
    "another table is declared": (f"-- lossy: table s.other\nDELETE FROM s.other WHERE n > 5; DELETE FROM t WHERE {_NEVER};", "DELETE FROM t"),
}  # fmt: skip
HOLDS: dict[str, str] = {
    "beside a namesake": "UPDATE t SET n = -n;",
    "declared table": f"-- lossy: table t\nDELETE FROM t WHERE {_NEVER};",
    "declared column": f"-- lossy: column t.n\nUPDATE t SET n = 0 WHERE {_NEVER};",
    "a column that it adds first": "ALTER TABLE t ADD COLUMN extra int; UPDATE t SET extra = 1 WHERE extra IS NULL;",
    "a table that it makes": "CREATE TABLE made (id int); INSERT INTO made VALUES (1); DELETE FROM made WHERE id = 2; DROP TABLE made;",
    "every row, to what it was": "UPDATE t SET n = n;",
}  # fmt: skip
_DOWN = {
    "beside a namesake": "UPDATE t SET n = -n;",
    "a column that it adds first": "ALTER TABLE t DROP COLUMN extra;",
}


@pytest.fixture(scope="session")
def found(prove: Prove) -> Found:
    ups = {name: up for name, (up, _) in OPEN.items()} | HOLDS
    steps: list[Step] = [(name, up, _DOWN.get(name, "SELECT 1;")) for name, up in ups.items()]
    return prove(steps, BASE)


@pytest.mark.parametrize("name", OPEN)
def test_what_met_no_row_is_open_and_named(found: Found, name: str) -> None:
    verdict = found[name, "migrate.populated"]
    assert (verdict.verdict, verdict.reason) == ("unproved", "no_data"), verdict
    assert OPEN[name][1] in verdict.message and "generator" in verdict.next


@pytest.mark.parametrize("name", HOLDS)
def test_what_was_declared_or_cannot_be_asked_holds(found: Found, name: str) -> None:
    assert found[name, "migrate.populated"].verdict == "holds", found[name, "migrate.populated"]


def test_thousands_of_statements_get_a_few_rows(prove: Prove) -> None:
    """Each of them named rows of its own: the trial grew with the square of a data migration."""
    up = "\n".join(f"UPDATE t SET n = n WHERE id = {1000 + n};" for n in range(300))
    found = prove([("many", up, "SELECT 1;")], BASE)["many", "migrate.populated"]
    assert (found.verdict, found.reason) == ("unproved", "no_data"), found
    assert found.evidence["rows"] < 250 and len(found.evidence["not tried"]) <= 20
