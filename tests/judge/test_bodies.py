"""The statements of a script, those of blocks and functions among them."""

from __future__ import annotations

import pytest

from dbtrust.judge.bodies import Part, parts

_FUNCTION = "CREATE FUNCTION f() RETURNS void LANGUAGE {} AS $$ {} $$"
READ: dict[str, list[Part]] = {
    "SELECT 1; UPDATE t SET a = 1;": [Part("SELECT 1"), Part("UPDATE t SET a = 1")],
    "DO $$ BEGIN IF true THEN DELETE FROM t; END IF; END $$": [Part("DELETE FROM t")],
    "DO $$ BEGIN EXECUTE 'DELETE FROM t'; END $$": [Part("DELETE FROM t")],
    "DO $$ DECLARE r record; BEGIN FOR r IN SELECT 2 LOOP DELETE FROM t WHERE a = r.b; END LOOP; END $$": [
        Part("SELECT 2"), Part("DELETE FROM t WHERE a = r.b"),
    ],
    _FUNCTION.format("sql", "DELETE FROM t; SELECT 1"): [Part("DELETE FROM t", False), Part("SELECT 1", False)],
    _FUNCTION.format("sql", "DELETE FROM t") + "; SELECT f();": [Part("DELETE FROM t"), Part("SELECT f()")],
    _FUNCTION.format("plpgsql", "BEGIN DELETE FROM t; END") + "; CREATE TRIGGER x BEFORE INSERT ON u EXECUTE FUNCTION f();": [
        Part("DELETE FROM t", False), Part("CREATE TRIGGER x BEFORE INSERT ON u EXECUTE FUNCTION f()"),
    ],
    "DO $$ BEGIN UPDATE t SET a = CASE WHEN b THEN 1 ELSE 2 END WHERE c; COMMIT; END $$": [
        Part("UPDATE t SET a = CASE WHEN b THEN 1 ELSE 2 END WHERE c"),
    ],
    "DO $$ BEGIN /* ; */ PERFORM f('ü;'); -- x;\n DELETE FROM t WHERE a IN (SELECT 1); END $$": [
        Part("SELECT f('ü;')"), Part("DELETE FROM t WHERE a IN (SELECT 1)"),
    ],
    "DO $$ BEGIN MERGE INTO t USING u ON a = b WHEN MATCHED THEN DELETE; END $$": [
        Part("MERGE INTO t USING u ON a = b WHEN MATCHED THEN DELETE"), Part("DELETE"),
    ],
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC DELETE FROM t; SELECT 1; END": [
        Part("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC DELETE FROM t; SELECT 1; END", False),
    ],
    "this is no SQL": [],
    "": [],
}  # fmt: skip


@pytest.mark.parametrize("sql", READ)
def test_parts(sql: str) -> None:
    assert list(parts(sql)) == READ[sql]
