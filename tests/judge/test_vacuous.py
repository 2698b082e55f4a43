"""Only what is proven is called empty: a check that some row breaks never is."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from dbtrust.engine.postgres.promises import read_promises
from dbtrust.judge.vacuous import never_false

EMPTY = (
    "true", "a IS NULL OR a IS NOT NULL", "a > 0 OR a IS NOT NULL", "a = NULL", "a = NULL OR b = 'x' OR true", "b IN ('x', NULL)",
    "NOT (b NOT IN ('x', NULL)) OR a = NULL", "n > 0 OR n IS NOT NULL", "n IS NOT NULL", "NULL", "a = NULL AND a > 0 OR a IS NOT NULL OR b = NULL",
)  # fmt: skip
TELLING = (
    "a > 0", "a IS NOT NULL", "a IS NULL", "a = NULL AND a > 0", "b NOT IN ('x', NULL)", "b = ANY (v)", "a > 0 OR b IS NOT NULL",
    "false", "b IS DISTINCT FROM 'x'", "coalesce(a, 1) > 0", "a = ALL (ARRAY[1, NULL])", "NULL = ANY (v)",
)  # fmt: skip


@pytest.mark.parametrize(("checks", "empty"), [(EMPTY, True), (TELLING, False)], ids=["empty", "telling"])
def test_what_is_proven(pg: psycopg.Connection[Any], checks: tuple[str, ...], empty: bool) -> None:
    parts = ", ".join(f"CONSTRAINT c{n:02d} CHECK ({check})" for n, check in enumerate(checks))
    pg.execute(f"CREATE TABLE t (a int, b text, n int NOT NULL, v text[], {parts})")  # pyright: ignore
    (table,) = read_promises(pg).tables.values()
    not_null = frozenset(n for n, column in table.relation.columns.items() if column.not_null)
    found = {name: tree for name, (_, _, tree) in table.relation.checks.items()}
    for number, check in enumerate(checks):
        tree = found[f"c{number:02d}"]
        assert tree is not None and never_false(tree, not_null) is empty, check
