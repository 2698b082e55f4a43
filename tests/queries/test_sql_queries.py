"""SqlQueries and AsyncSqlQueries on a real server."""

from __future__ import annotations

import asyncio
import datetime
import subprocess
import sys
from typing import Any

import psycopg
import pytest

from dbtrust import ContractError, QueryFileError, RowCountError

SQL = """
-- name: by_id
-- claim: uses t_pkey
SELECT id, name, data FROM t WHERE id = :id;
-- name: names
SELECT name FROM t ORDER BY id;
-- name: count_them
SELECT count(*) FROM t WHERE name LIKE '%' || :part || '%' AND ':no' <> :part;
-- name: add
INSERT INTO t (name, data) VALUES (:name, :data) RETURNING id;
-- name: rename
UPDATE t SET name = :name WHERE id >= :id;
-- name: numbers
SELECT n, n * 2 AS twice FROM generate_series(1, :most) AS n;
-- name: forget
DELETE FROM t WHERE id = :id;
"""
HEAD = """
from __future__ import annotations
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypedDict
from pydantic import BaseModel
from dbtrust import Affected, AsyncSqlQueries, SqlQueries

@dataclass
class Row:
    name: str
    id: int
    data: Any = None
class Model(BaseModel):
    id: int
    name: str
    data: Any
class Named(NamedTuple):
    id: int
    name: str
    data: Any
class Typed(TypedDict):
    id: int
    name: str
    data: Any
class Pair(NamedTuple):
    n: int
    twice: int
"""
QUERIES = """
class Q(SqlQueries, file="q.sql"):
    def by_id(self, id: int) -> Row | None:
        "One row."
        ...
    def names(self) -> list[str]: ...
    def count_them(self, part: str = "a") -> int: ...
    def add(self, name: str, data: dict[str, Any] | None = None) -> int: ...
    def rename(self, id: int, name: str) -> Affected: ...
    def numbers(self, most: int) -> Iterator[Pair]: ...
    def forget(self, id: int) -> None: ...
    def own(self) -> str:
        return "own"
"""


@pytest.fixture
def table(pg: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    pg.execute("CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, data jsonb)")
    pg.execute("INSERT INTO t (name) VALUES ('anna'), ('bert'), ('c%rl')")
    return pg


def test_every_shape_of_rows(module: Any, table: psycopg.Connection[Any]) -> None:
    code = module(SQL, HEAD + QUERIES)
    queries = code.Q(table)
    assert queries.by_id(2) == code.Row(id=2, name="bert")
    assert queries.by_id(99) is None
    assert queries.names() == ["anna", "bert", "c%rl"]
    assert queries.count_them() == 1
    assert queries.count_them(part="%") == 3
    assert queries.add("dora", {"a": [1, 2]}) == 4
    assert queries.by_id(4).data == {"a": [1, 2]}
    assert queries.rename(3, "same") == 2
    assert list(queries.numbers(2500))[-1] == code.Pair(2500, 5000)
    assert queries.forget(4) is None
    assert queries.own() == "own"
    assert code.Q.by_id.__doc__ == "One row."
    assert set(code.Q.__dbtrust_queries__) == {
        "by_id",
        "names",
        "count_them",
        "add",
        "rename",
        "numbers",
        "forget",
    }


@pytest.mark.parametrize("kind", ["Row", "Model", "Named", "Typed", "tuple[int, str, Any]", "dict[str, Any]"])
def test_every_kind_of_row(module: Any, table: psycopg.Connection[Any], kind: str) -> None:
    code = module(
        SQL, HEAD + f'class Q(SqlQueries, file="q.sql"):\n    def by_id(self, id: int) -> {kind}: ...\n'
    )
    row = code.Q(table).by_id(1)
    if kind.startswith("tuple"):
        assert row == (1, "anna", None)
    elif kind in ("Typed", "dict[str, Any]"):
        assert row == {"id": 1, "name": "anna", "data": None}
    else:
        assert (row.id, row.name, row.data) == (1, "anna", None)


def test_too_few_and_too_many_rows(module: Any, table: psycopg.Connection[Any]) -> None:
    text = 'class Q(SqlQueries, file="q.sql"):\n    def by_id(self, id: int) -> Row: ...\n    def names(self) -> str | None: ...\n'
    queries = module(SQL, HEAD + text).Q(table)
    with pytest.raises(RowCountError, match=r"Q\.by_id promises exactly one row, found none"):
        queries.by_id(99)
    with pytest.raises(RowCountError, match=r"q\.sql:5:1: Q\.names promises at most one row, found 3"):
        queries.names()


@pytest.mark.parametrize(
    ("method", "error", "said"),
    [
        ("def by_idd(self, id: int) -> Row: ...", QueryFileError, "did you mean by_id?"),
        ("def unknown(self) -> Row: ...", QueryFileError, "add -- name: unknown"),
        ("def by_id(self, key: int) -> Row: ...", ContractError, "has no parameter id"),
        ("def by_id(self, id: int): ...", ContractError, "no return annotation"),
        ("def by_id(self, id: int) -> int | str | None: ...", ContractError, "is no row type"),
    ],
)
def test_a_wrong_method_fails_at_import(module: Any, method: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=r"code\.py:|write R") as caught:
        module(SQL, HEAD + f'class Q(SqlQueries, file="q.sql"):\n    {method}\n')
    assert said in str(caught.value)


@pytest.mark.parametrize("annotation", ["int", "Pair"])
def test_a_wrong_shape_is_told_at_the_first_call(
    module: Any, table: psycopg.Connection[Any], annotation: str
) -> None:
    text = f'class Q(SqlQueries, file="q.sql"):\n    def by_id(self, id: int) -> {annotation}: ...\n'
    with pytest.raises(ContractError, match=r"q\.sql:2:1: Q\.by_id"):
        module(SQL, HEAD + text).Q(table).by_id(1)


def test_no_rows_at_all(module: Any, table: psycopg.Connection[Any]) -> None:
    code = module(
        SQL,
        HEAD
        + 'class Q(SqlQueries, file="q.sql"):\n    def rename(self, id: int, name: str) -> list[Row]: ...\n',
    )
    with pytest.raises(ContractError, match="gives no rows"):
        code.Q(table).rename(1, "x")


@pytest.mark.parametrize(
    ("sql", "said"),
    [("-- name: a\nSELECT 1\n-- name: a\nSELECT 2", "already in line 1"), (None, "cannot be read")],
)
def test_a_wrong_file(module: Any, sql: str | None, said: str) -> None:
    file = "q.sql" if sql else "none.sql"
    with pytest.raises(QueryFileError, match=said):
        module(sql or "", HEAD + f'class Q(SqlQueries, file="{file}"):\n    def a(self) -> int: ...\n')


def test_a_transaction_of_the_caller_stays_open(module: Any, table: psycopg.Connection[Any]) -> None:
    queries = module(SQL, HEAD + QUERIES).Q(table)
    with table.transaction(force_rollback=True):
        queries.add("gone")
        assert len(queries.names()) == 4
        assert len(list(queries.numbers(3))) == 3
    assert len(queries.names()) == 3


def test_async(module: Any, table: psycopg.Connection[Any], pg_database: str) -> None:
    text = (
        QUERIES.replace("SqlQueries", "AsyncSqlQueries")
        .replace("    def ", "    async def ")
        .replace("async def numbers", "def numbers")
        .replace("Iterator", "AsyncIterator")
    )
    code = module(SQL, HEAD + text)

    async def run() -> None:
        async with await psycopg.AsyncConnection.connect(pg_database, autocommit=True) as connection:
            queries = code.Q(connection)
            assert await queries.by_id(2) == code.Row(id=2, name="bert")
            assert await queries.by_id(99) is None
            assert await queries.names() == ["anna", "bert", "c%rl"]
            assert await queries.add("dora", {"a": 1}) == 4
            assert await queries.rename(3, "same") == 2
            assert [row.twice async for row in queries.numbers(3)] == [2, 4, 6]
            assert await queries.forget(4) is None

    asyncio.run(run())


def test_values_arrive_as_they_went(module: Any, pg: psycopg.Connection[Any]) -> None:
    code = module(
        "-- name: echo\nSELECT :a::timestamptz AS a, :b::numeric AS b, :c::int[] AS c, :d AS d;",
        HEAD
        + "import datetime, decimal\nclass Q(SqlQueries, file='q.sql'):\n    def echo(self, a: Any, b: Any, c: Any, d: bool) -> tuple[Any, ...]: ...\n",
    )
    now = datetime.datetime.now(datetime.UTC)
    assert code.Q(pg).echo(now, 1.5, [1, 2], d=True) == (now, 1.5, [1, 2], True)


def test_importing_costs_only_the_driver() -> None:
    script = "import sys, dbtrust.queries.sql; print([m for m in ('click', 'rich', 'postgast', 'pymongo', 'pydantic', 'jinja2') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
    script = "import sys, dbtrust; print([m for m in ('psycopg', 'pymongo', 'pydantic', 'click') if m in sys.modules])"
    assert (
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )
