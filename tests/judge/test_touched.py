"""What UPDATEs and DELETEs look for, read from their text."""

from __future__ import annotations

import pytest

from dbtrust.judge.touched import conditions

#: sql: (the query for a row, the condition over one row, the columns that are written, the parts that name no column)
READ: dict[str, tuple[str, str, tuple[str, ...] | None, tuple[str, ...]]] = {
    "DELETE FROM t": ("SELECT 1 FROM t LIMIT 1", "", None, ()),
    "UPDATE ONLY a.t AS u SET x = 1, y = 2 WHERE u.id = 3": (
        "SELECT 1 FROM ONLY a.t u WHERE u.id = 3 LIMIT 1", "id = 3", ("x", "y"), (),
    ),
    "DELETE FROM t WHERE d < now() - interval '1 day' AND t.\"B\" = 1": (
        "SELECT 1 FROM t WHERE d < (now() - '1 day'::interval) AND t.\"B\" = 1 LIMIT 1",
        "d < (now() - '1 day'::interval) AND \"B\" = 1", None, ("now() - '1 day'::interval",),
    ),
    "DELETE FROM t USING p WHERE t.a = p.a": ("SELECT 1 FROM t, p WHERE t.a = p.a LIMIT 1", "", None, ()),
    "UPDATE t SET a = q.a FROM p q WHERE t.a = q.b": ("SELECT 1 FROM t, p q WHERE t.a = q.b LIMIT 1", "", ("a",), ()),
    "DELETE FROM t WHERE a IN (SELECT b FROM p)": (
        "SELECT 1 FROM t WHERE a IN (SELECT b FROM p) LIMIT 1", "", None, (),
    ),
    "DELETE FROM t WHERE lower(a) IN (upper('x'), 'y')": (
        "SELECT 1 FROM t WHERE lower(a) IN (upper('x'), 'y') LIMIT 1", "lower(a) IN (upper('x'), 'y')", None, ("upper('x')",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("sql", READ)
def test_what_a_statement_looks_for(sql: str) -> None:
    (found,) = conditions(sql)
    assert (found.asked, found.text, found.written, found.constants) == READ[sql]
    assert bool(found.columns) == bool(found.text)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "INSERT INTO t VALUES (1)",
        "DELETE FROM t WHERE CURRENT OF c",
        "DELETE FROM t WHERE",
        "",
    ],
)
def test_what_cannot_be_asked_is_left_out(sql: str) -> None:
    assert conditions(sql) == []


def test_two_statements_are_two() -> None:
    assert [c.table for c in conditions("DELETE FROM a; UPDATE b SET x = 1")] == ["a", "b"]
