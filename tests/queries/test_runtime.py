"""What production code meets: pools, pipelines, factories, iterators, choices, every kind of value, every error."""

from __future__ import annotations

import asyncio
import datetime
import decimal
import uuid
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import psycopg_pool
import pytest
from psycopg.rows import dict_row

from dbtrust import ContractError, QueryFileError, RowCountError, SqlQueries

Load = Callable[[str, str], ModuleType]
HEAD = """
from __future__ import annotations
import datetime, decimal, enum, uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, NotRequired, TypedDict
from pydantic import BaseModel, Field
from dbtrust import Affected, AsyncSqlQueries, SqlQueries

class Mood(enum.Enum):
    sad = "sad"
    ok = "ok"
"""
SCHEMA = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL, feeling mood, data jsonb, tags text[]);
INSERT INTO t SELECT n, 'name ' || n, 'ok', '{"n": 1}', ARRAY['a', 'b'] FROM generate_series(1, 5) AS n;
"""


@pytest.fixture
def filled(pg: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    pg.execute(SCHEMA)
    return pg


def klass(methods: str, kind: str = "SqlQueries") -> str:
    """A module with one class; the methods' lines are indented here."""
    body = "\n".join(f"    {line}" for line in methods.strip().splitlines())
    return f'{HEAD}\nclass Q({kind}, file="q.sql"):\n{body}\n'


NAMES = "-- name: names\nSELECT name FROM t ORDER BY id;\n-- name: by_id\nSELECT id, name FROM t WHERE id = :id;\n-- name: rename\nUPDATE t SET name = :name WHERE id >= :id;\n-- name: touch\nUPDATE t SET name = name;"
METHODS = """
def names(self) -> list[str]: ...
def by_id(self, id: int) -> tuple[int, str] | None: ...
def rename(self, id: int, name: str) -> Affected: ...
def touch(self) -> None: ...
"""


def test_a_pool(module: Load, filled: psycopg.Connection[Any], pg_database: str) -> None:
    queries = module(NAMES, klass(METHODS))
    with psycopg_pool.ConnectionPool(pg_database, min_size=1, max_size=2, open=True) as pool:
        with pool.connection() as connection:
            assert queries.Q(connection).rename(5, "five") == 1
        with pool.connection() as connection:
            assert queries.Q(connection).by_id(5) == (5, "five")
        with pytest.raises(
            ContractError, match=r"needs a psycopg\.Connection, not ConnectionPool \(give it the connection"
        ):
            queries.Q(pool)


def test_a_pipeline(module: Load, filled: psycopg.Connection[Any]) -> None:
    queries = module(NAMES, klass(METHODS)).Q(filled)
    with filled.pipeline():
        queries.touch()
        assert queries.rename(4, "late") == 2
        assert queries.by_id(4) == (4, "late")
        assert queries.names()[3:] == ["late", "late"]
        assert queries.by_id(99) is None
        queries.touch()


def test_the_callers_factories_are_left_alone(module: Load, filled: psycopg.Connection[Any]) -> None:
    queries = module(NAMES, klass(METHODS)).Q(filled)
    filled.row_factory = dict_row  # pyright: ignore[reportAttributeAccessIssue]
    filled.cursor_factory = psycopg.ClientCursor
    assert queries.by_id(1) == (1, "name 1")
    assert queries.names()[0] == "name 1"
    assert filled.execute("SELECT 1 AS one").fetchone() == {"one": 1}


LEXICAL = {
    "percent": ("SELECT '100%' || :a::text", {"a": "%s"}, "100%%s"),
    "string": ("SELECT ':b' || :a::text", {"a": "x"}, ":bx"),
    "escape_string": (r"SELECT E'\':b' || :a::text", {"a": "x"}, "':bx"),
    "line_comment": ("SELECT :a::text -- and not :b\n", {"a": "x"}, "x"),
    "block_comment": ("SELECT /* :b /* :c */ :d */ :a::text", {"a": "x"}, "x"),
    "dollar_quotes": ("SELECT $q$:b$q$ || :a::text", {"a": "x"}, ":bx"),
    "identifier": ('SELECT q.":b" || :a::text FROM (SELECT \'y\' AS ":b") q', {"a": "x"}, "yx"),
    "casts": ("SELECT :a::int::text", {"a": 3}, "3"),
    "slice": ("SELECT (ARRAY['p','q','r'])[2:3]::text || :a::text", {"a": "x"}, "{q,r}x"),
    "slice_of_parameter": ("SELECT (ARRAY['p','q','r'])[:a]::text", {"a": 2}, "q"),
    "json_path": ("SELECT jsonb_path_query_array('[1,5]', '$[*] ? (@ > $x)', jsonb_build_object('x', :a::int))::text", {"a": 3}, "[5]"),
    "json_operators": ("SELECT ('{\"k\": 1}'::jsonb ? 'k')::text || ('{\"k\": 1}'::jsonb ?| ARRAY[:a::text])::text", {"a": "k"}, "truetrue"),
    "named_argument": ("SELECT make_interval(days := :a)::text", {"a": 2}, "2 days"),
    "same_twice": ("SELECT :a::text || :a::text", {"a": "x"}, "xx"),
    "question_mark": ("SELECT 'a?' || :a::text", {"a": "x"}, "a?x"),
    "unicode": ("SELECT 'größe ☃' || :ä::text", {"ä": "x"}, "größe ☃x"),
}  # fmt: skip


@pytest.mark.parametrize("name", LEXICAL)
def test_what_is_no_parameter(module: Load, pg: psycopg.Connection[Any], name: str) -> None:
    sql, values, expected = LEXICAL[name]
    parameters = ", ".join(f"{p}: Any" for p in values)
    queries = module(f"-- name: run\n{sql};", klass(f"def run(self, {parameters}) -> str: ...")).Q(pg)
    assert queries.run(**values) == expected


def test_parameters_are_the_servers(module: Load, pg: psycopg.Connection[Any]) -> None:
    """Nothing is put into the text: the value arrives as it is, and the statement can be prepared."""
    queries = module("-- name: run\nSELECT :a::text;", klass("def run(self, a: str) -> str: ...")).Q(pg)
    hostile = "'; DROP TABLE t; --"
    pg.prepare_threshold = 0
    assert queries.run(hostile) == hostile
    assert pg.execute("SELECT statement FROM pg_prepared_statements").fetchall()[0] == ("SELECT $1::text",)


KINDS = {
    "dataclass": ("@dataclass\nclass R:\n    id: int\n    name: str\n    feeling: Mood | None", "R(id=1, name='name 1', feeling=Mood.ok)"),
    "slots": ("@dataclass(slots=True, frozen=True)\nclass R:\n    id: int\n    name: str\n    feeling: Any", "R(1, 'name 1', 'ok')"),
    "kw_only": ("@dataclass(kw_only=True)\nclass R:\n    id: int\n    name: str\n    feeling: Mood", "R(id=1, name='name 1', feeling=Mood.ok)"),
    "other_order": ("@dataclass\nclass R:\n    feeling: Mood\n    name: str\n    id: int", "R(Mood.ok, 'name 1', 1)"),
    "defaults": ("@dataclass\nclass R:\n    id: int\n    name: str\n    feeling: str\n    more: list[int] = field(default_factory=list)", "R(1, 'name 1', 'ok', [])"),
    "model": ("class R(BaseModel):\n    id: int\n    name: str\n    feeling: Mood", "R(id=1, name='name 1', feeling=Mood.ok)"),
    "alias": ("class R(BaseModel):\n    key: int = Field(alias='id')\n    name: str\n    feeling: str", "R(id=1, name='name 1', feeling='ok')"),
    "named_tuple": ("class R(NamedTuple):\n    name: str\n    id: int\n    feeling: Mood", "R('name 1', 1, Mood.ok)"),
    "typed_dict": ("class R(TypedDict):\n    id: int\n    name: str\n    feeling: Mood", "{'id': 1, 'name': 'name 1', 'feeling': Mood.ok}"),
    "not_required": ("class R(TypedDict):\n    id: int\n    name: str\n    feeling: str\n    more: NotRequired[int]", "{'id': 1, 'name': 'name 1', 'feeling': 'ok'}"),
    "tuple": ("R = tuple[int, str, Mood]", "(1, 'name 1', Mood.ok)"),
    "plain_tuple": ("R = tuple[Any, ...]", "(1, 'name 1', 'ok')"),
    "dict": ("R = dict[str, Any]", "{'id': 1, 'name': 'name 1', 'feeling': 'ok'}"),
}  # fmt: skip
ROW_SQL = "-- name: row\nSELECT id, name, feeling FROM t WHERE id = 1;\n-- name: rows\nSELECT id, name, feeling FROM t WHERE id = 1;\n-- name: each\nSELECT id, name, feeling FROM t WHERE id = 1;"


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_row_in_every_shape(module: Load, filled: psycopg.Connection[Any], name: str) -> None:
    definition, expected = KINDS[name]
    methods = "def row(self) -> R: ...\ndef rows(self) -> list[R]: ...\ndef each(self) -> Iterator[R]: ..."
    code = module(ROW_SQL, klass(methods).replace("class Q(", f"{definition}\n\nclass Q("))
    wanted = eval(expected, vars(code))  # noqa: S307
    queries = code.Q(filled)
    assert queries.row() == wanted
    assert queries.rows() == [wanted]
    assert list(queries.each()) == [wanted]


VALUES = [
    ("int", "1", 1), ("bool", "true", True), ("str", "'x'", "x"), ("float", "1.5::float8", 1.5),
    ("decimal.Decimal", "1.50::numeric", decimal.Decimal("1.50")), ("bytes", r"'\x00ff'::bytea", b"\x00\xff"),
    ("datetime.date", "'2024-02-29'::date", datetime.date(2024, 2, 29)),
    ("datetime.datetime", "'2024-02-29 10:00+00'::timestamptz", datetime.datetime(2024, 2, 29, 10, tzinfo=datetime.UTC)),
    ("datetime.timedelta", "interval '1 day'", datetime.timedelta(days=1)),
    ("uuid.UUID", "'00000000-0000-0000-0000-000000000001'::uuid", uuid.UUID(int=1)),
    ("list[int]", "ARRAY[1,2]", [1, 2]), ("list[list[str]]", "ARRAY[ARRAY['a'],ARRAY['b']]", [["a"], ["b"]]),
    ("dict[str, Any]", "'{\"a\": [1]}'::jsonb", {"a": [1]}), ("Any", "'null'::jsonb", None), ("str | None", "NULL", None),
    ("Mood", "'sad'", "Mood.sad"), ("str", "'a'::name", "a"), ("tuple[Any, ...]", "ROW(1, 'a')", ("1", "a")),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "sql", "expected"), VALUES, ids=[f"{k} {s}" for k, s, _ in VALUES])
def test_values_of_every_type(
    module: Load, pg: psycopg.Connection[Any], kind: str, sql: str, expected: Any
) -> None:
    row = f"@dataclass\nclass R:\n    v: {kind}\n\n"
    code = module(
        f"-- name: one\nSELECT {sql} AS v;",
        klass("def one(self) -> R: ...").replace("class Q(", f"{row}class Q("),
    )
    found = code.Q(pg).one().v
    assert found == (code.Mood.sad if expected == "Mood.sad" else expected)


def test_values_that_psycopg_alone_does_not_send(module: Load, filled: psycopg.Connection[Any]) -> None:
    methods = "def put(self, id: int, data: Any, feeling: Mood | None) -> tuple[Any, Mood | None]: ..."
    sql = (
        "-- name: put\nUPDATE t SET data = :data, feeling = :feeling WHERE id = :id RETURNING data, feeling;"
    )
    code = module(
        sql, klass(methods).replace("class Q(", "class M(BaseModel):\n    at: datetime.date\n\nclass Q(")
    )
    queries = code.Q(filled)
    assert queries.put(1, {"a": 1}, code.Mood.sad) == ({"a": 1}, code.Mood.sad)
    assert queries.put(1, code.M(at="2024-01-01"), None) == ({"at": "2024-01-01"}, None)


ROWS_1 = "-- name: each\nSELECT n, n * 2 AS twice FROM generate_series(1, :most::int) AS n;"
EACH = "def each(self, most: int) -> Iterator[tuple[int, int]]: ..."


def test_an_iterator_left_early_keeps_what_the_caller_wrote(
    module: Load, filled: psycopg.Connection[Any]
) -> None:
    queries = module(ROWS_1, klass(EACH)).Q(filled)
    for number, _ in queries.each(5000):
        filled.execute("UPDATE t SET name = %s WHERE id = %s", [f"seen {number}", number])
        if number == 3:
            break
    assert filled.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert filled.execute("SELECT count(*) FROM t WHERE name LIKE 'seen%'").fetchone() == (3,)


def test_an_iterator_inside_the_callers_transaction(
    module: Load, filled: psycopg.Connection[Any], pg_database: str
) -> None:
    code = module(ROWS_1, klass(EACH))
    with psycopg.connect(pg_database) as connection:
        connection.execute("UPDATE t SET name = 'mine' WHERE id = 1")
        first = next(iter(code.Q(connection).each(10)))
        assert first == (1, 2)
        connection.rollback()
    assert filled.execute("SELECT name FROM t WHERE id = 1").fetchone() == ("name 1",)


def test_two_iterators_at_once(module: Load, filled: psycopg.Connection[Any]) -> None:
    queries = module(ROWS_1, klass(EACH)).Q(filled)
    with filled.transaction():
        pairs = list(zip(queries.each(2500), queries.each(2500), strict=True))
    assert len(pairs) == 2500
    assert all(a == b for a, b in pairs)


def test_async_of_every_shape(module: Load, filled: psycopg.Connection[Any], pg_database: str) -> None:
    methods = (
        METHODS.replace("def ", "async def ")
        + "def each(self, most: int) -> AsyncIterator[tuple[int, int]]: ..."
    )
    code = module(NAMES + "\n" + ROWS_1, klass(methods, "AsyncSqlQueries"))

    async def run() -> None:
        async with await psycopg.AsyncConnection.connect(pg_database, autocommit=True) as connection:
            queries = code.Q(connection)
            async with connection.pipeline():
                await queries.touch()
                assert await queries.rename(4, "late") == 2
                assert await queries.by_id(4) == (4, "late")
            async with aclosing(queries.each(5000)) as rows:
                async for number, _ in rows:
                    if number == 3:
                        break
            assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
            with pytest.raises(ContractError, match=r"needs a psycopg\.Connection, not AsyncConnection"):
                module(NAMES, klass(METHODS)).Q(connection)

    asyncio.run(run())


CHOICE = "-- name: ordered\n-- choice: column = id | name\n-- choice: way = asc | desc\nSELECT id FROM t WHERE id > :low ORDER BY {column} {way};"
CHOOSE = (
    "def ordered(self, low: int, column: Literal['id', 'name'] = 'id', way: str = 'asc') -> list[int]: ..."
)


def test_a_choice_of_identifiers(module: Load, filled: psycopg.Connection[Any]) -> None:
    queries = module(CHOICE, klass(CHOOSE)).Q(filled)
    assert queries.ordered(3) == [4, 5]
    assert queries.ordered(3, "name", "desc") == [5, 4]


@pytest.mark.parametrize("value", ["id; DROP TABLE t", "", None, 3, ["id"], "ID"])
def test_a_choice_takes_nothing_else(module: Load, filled: psycopg.Connection[Any], value: Any) -> None:
    queries = module(CHOICE, klass(CHOOSE)).Q(filled)
    with pytest.raises(ContractError, match=r"q\.sql:1:1: Q\.ordered: .*(choices are id, name|give text)"):
        queries.ordered(3, value)


MANY = "-- name: add *!\nINSERT INTO t (id, name) VALUES (:id, :name);"


@pytest.mark.parametrize("kind", ["mappings", "tuples", "objects"])
def test_one_statement_for_many_values(module: Load, filled: psycopg.Connection[Any], kind: str) -> None:
    code = module(
        MANY,
        klass("def add(self, rows: Any) -> Affected: ...").replace(
            "class Q(", "@dataclass\nclass R:\n    name: str\n    id: int\n\nclass Q("
        ),
    )
    values: Any = [{"id": 8, "name": "h"}, {"name": "i", "id": 9}]
    if kind != "mappings":
        values = [(8, "h"), (9, "i")] if kind == "tuples" else [code.R("h", 8), code.R("i", 9)]
    assert code.Q(filled).add(values) == 2
    assert filled.execute("SELECT name FROM t WHERE id > 5 ORDER BY id").fetchall() == [("h",), ("i",)]
    assert code.Q(filled).add([]) == 0
    with pytest.raises(ContractError, match=r"Q\.add: .*give id, name"):
        code.Q(filled).add([(1,)])


def test_columns_that_change_between_two_calls(module: Load, filled: psycopg.Connection[Any]) -> None:
    """As after a migration: the fields follow the names, never the old places."""
    sql, row = "-- name: all\nSELECT * FROM two;", "@dataclass\nclass R:\n    a: int\n    b: str\n\n"
    queries = module(sql, klass("def all(self) -> list[R]: ...").replace("class Q(", f"{row}class Q(")).Q(
        filled
    )
    filled.execute("CREATE TABLE two (a int, b text)")
    filled.execute("INSERT INTO two VALUES (1, 'x')")
    assert vars(queries.all()[0]) == {"a": 1, "b": "x"}
    filled.execute("DROP TABLE two")
    filled.execute("CREATE TABLE two (b text, a int)")
    filled.execute("INSERT INTO two VALUES ('x', 1)")
    assert vars(queries.all()[0]) == {"a": 1, "b": "x"}


WRONG_CLASSES = {
    "set": ("def names(self) -> set[str]: ...", ContractError, "is no row type"),
    "bare list": ("def names(self) -> list: ...", ContractError, "does not say of what"),
    "async def": ("async def names(self) -> list[str]: ...", ContractError, "must be written with def"),
    "async iterator": ("def names(self) -> AsyncIterator[str]: ...", ContractError, "other kind of iterator"),
    "unknown type": ("def names(self) -> list[Nowhere]: ...", ContractError, "annotations cannot be read"),
    "var args": ("def by_id(self, *id: int) -> int: ...", ContractError, "takes *id"),
    "no query": ("def nmaes(self) -> list[str]: ...", QueryFileError, "did you mean names?"),
}


@pytest.mark.parametrize("name", WRONG_CLASSES)
def test_a_wrong_method_is_told_when_the_class_is_made(module: Load, name: str) -> None:
    method, error, said = WRONG_CLASSES[name]
    with pytest.raises(error) as caught:
        module(NAMES, klass(method))
    assert said in str(caught.value)
    assert "code.py:" in str(caught.value)
    assert "Q." in str(caught.value)


WRONG_FILES = {
    "operator": ("-- name: names!\nUPDATE t SET name = name;", "def names(self) -> list[str]: ...", "the operator ! of its query contradicts"),
    "empty": ("-- name: names\n-- only a comment\n-- name: b\nSELECT 1;", "def names(self) -> list[str]: ...", "query names has no SQL"),
    "hole": ("-- name: names\nSELECT 1 ORDER BY {way};", "def names(self, way: str) -> list[int]: ...", "{way} has no -- choice: line"),
    "unused choice": ("-- name: names\n-- choice: way = asc | desc\nSELECT 1;", "def names(self, way: str) -> list[int]: ...", "the choice way has no {way}"),
    "bad choice": ("-- name: names\n-- choice: way = asc; drop\nSELECT {way};", "def names(self, way: str) -> list[int]: ...", "not a choice"),
    "twice": ("-- name: names\nSELECT 1;\n-- name: names\nSELECT 2;", "def names(self) -> int: ...", "already in line 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_FILES)
def test_a_wrong_file_is_told_when_the_class_is_made(module: Load, name: str) -> None:
    sql, method, said = WRONG_FILES[name]
    with pytest.raises((QueryFileError, ContractError)) as caught:
        module(sql, klass(method))
    assert said in str(caught.value)
    assert "q.sql:" in str(caught.value)


WRONG_ROWS = {
    "extra column": ("SELECT 1 AS a, 2 AS b", "R has no field for the column b"),
    "missing column": ("SELECT 1 AS b", "R.a has no column"),
    "doubled column": ("SELECT 1 AS a, 2 AS a", "two columns are called a"),
}


@pytest.mark.parametrize("name", WRONG_ROWS)
def test_a_row_that_does_not_fit(module: Load, pg: psycopg.Connection[Any], name: str) -> None:
    sql, said = WRONG_ROWS[name]
    text = klass("def one(self) -> R: ...").replace(
        "class Q(", "@dataclass\nclass R:\n    a: int\n\nclass Q("
    )
    with pytest.raises(ContractError, match=r"q\.sql:1:1: Q\.one: ") as caught:
        module(f"-- name: one\n{sql};", text).Q(pg).one()
    assert said in str(caught.value)


def test_a_model_that_refuses_a_row(module: Load, pg: psycopg.Connection[Any]) -> None:
    text = klass("def one(self) -> list[R]: ...").replace(
        "class Q(", "class R(BaseModel):\n    a: int\n\nclass Q("
    )
    with pytest.raises(
        ContractError, match=r"q\.sql:1:1: Q\.one: a row does not fit R: a: Input should be a valid integer"
    ):
        module("-- name: one\nSELECT 'x' AS a;", text).Q(pg).one()


def test_the_drivers_errors_stay_and_say_which_query(module: Load, filled: psycopg.Connection[Any]) -> None:
    sql = "-- name: add!\nINSERT INTO t (id, name) VALUES (:id, 'x');\n-- name: one^\nSELECT 1 / :n::int;"
    queries = module(
        sql, klass("def add(self, id: int) -> Affected: ...\ndef one(self, n: int) -> int: ...")
    ).Q(filled)
    with pytest.raises(psycopg.errors.UniqueViolation) as caught:
        queries.add(1)
    assert "in Q.add, " in caught.value.__notes__[0]
    assert "q.sql:1:1" in caught.value.__notes__[0]
    with pytest.raises(psycopg.errors.DivisionByZero) as divided:
        queries.one(0)
    assert "in Q.one, " in divided.value.__notes__[0]
    filled.close()
    with pytest.raises(psycopg.OperationalError, match="the connection is closed") as closed:
        queries.add(7)
    assert "in Q.add, " in closed.value.__notes__[0]


def test_wrong_arguments_are_pythons_own_errors(module: Load, filled: psycopg.Connection[Any]) -> None:
    queries = module(NAMES, klass(METHODS)).Q(filled)
    with pytest.raises(TypeError, match=r"by_id\(\) missing 1 required positional argument: 'id'"):
        queries.by_id()
    with pytest.raises(TypeError, match="unexpected keyword argument 'key'"):
        queries.by_id(key=1)


def test_signatures_of_every_form(module: Load, pg: psycopg.Connection[Any]) -> None:
    methods = "def add(self, a: int, /, b: int = 2, *, c: int = 3) -> int: ..."
    queries = module("-- name: add\nSELECT :a::int + :b::int * 10 + :c::int * 100;", klass(methods)).Q(pg)
    assert (queries.add(1), queries.add(1, 1), queries.add(1, c=1), queries.add(1, 4, c=5)) == (
        321,
        311,
        121,
        541,
    )


def test_inheritance_and_methods_of_ones_own(module: Load, filled: psycopg.Connection[Any]) -> None:
    text = klass(
        METHODS
        + "\n@staticmethod\ndef loud(x: str) -> str:\n    return x.upper()\n@property\ndef first(self) -> str:\n    return self.names()[0]"
    )
    code = module(
        NAMES, text + "\nclass Sub(Q):\n    def last(self) -> str:\n        return self.names()[-1]\n"
    )
    queries = code.Sub(filled)
    assert (queries.first, queries.last(), queries.loud("a")) == ("name 1", "name 5", "A")
    assert set(code.Sub.__dbtrust_queries__) == {"names", "by_id", "rename", "touch"}


def test_folders_are_namespaces(tmp_path: Path, module: Load, filled: psycopg.Connection[Any]) -> None:
    (tmp_path / "sql" / "admin").mkdir(parents=True)
    (tmp_path / "sql" / "users.sql").write_text("-- name: one$\nSELECT 1;")
    (tmp_path / "sql" / "more.sql").write_text("-- name: two$\nSELECT 2;")
    (tmp_path / "sql" / "admin" / "all.sql").write_text("-- name: one$\nSELECT 11;")
    text = HEAD + (
        "class Admin(SqlQueries, file='sql/admin'):\n    def one(self) -> int: ...\n"
        "class Q(SqlQueries, file='sql'):\n    admin: Admin\n    def one(self) -> int: ...\n    def two(self) -> int: ...\n"
    )
    queries = module("", text).Q(filled)
    assert (queries.one(), queries.two(), queries.admin.one()) == (1, 2, 11)
    with pytest.raises(AttributeError, match="Q has no attribute amdin"):
        queries.amdin  # noqa: B018


def test_a_class_in_a_function_may_use_local_types(tmp_path: Path, filled: psycopg.Connection[Any]) -> None:
    file = tmp_path / "q.sql"
    file.write_text("-- name: one\nSELECT 1 AS a;")

    class Local(dict[str, int]):
        pass

    class Queries(SqlQueries, file=str(file)):
        def one(self) -> dict[str, int]: ...

    assert Queries(filled).one() == {"a": 1}
    with pytest.raises(RowCountError, match=r"promises exactly one row, found none"):

        class Few(SqlQueries, file=str(file)):
            def one(self) -> int: ...

        file.write_text("-- name: one\nSELECT 1 WHERE false;")

        class Fewer(SqlQueries, file=str(file)):
            def one(self) -> int: ...

        Fewer(filled).one()
