"""SqlQueries: methods bound to named queries over a psycopg connection, by name and by signature."""

from __future__ import annotations

import dis
import inspect
import sys
import typing
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar, NewType

import psycopg
from psycopg.types.json import Jsonb

from dbtrust.model.errors import ContractError, QueryFileError, RowCountError
from dbtrust.model.location import Location
from dbtrust.queries.files import NamedSql, read_named
from dbtrust.queries.placeholders import BoundSql, bind_params
from dbtrust.queries.results import Result, RowMaker, result_of, row_maker

#: The number of rows that a statement changed.
Affected = NewType("Affected", int)
_FETCH = 1_000


@dataclass(slots=True)
class BoundQuery:
    """A method and its query; the row maker is compiled at the first call, when the columns are known."""

    query: NamedSql
    sql: bytes
    bound: BoundSql
    signature: inspect.Signature
    result: Result
    annotations: Mapping[str, Any]
    label: str
    _maker: RowMaker | None = field(default=None)

    @property
    def iterates(self) -> bool:
        """Does the method read through a server-side cursor?"""
        return self.result.rows == "iterator"

    def values(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """The parameters in the order of $1 …; a plain dict goes as jsonb."""
        given = self.signature.bind(None, *args, **kwargs)
        given.apply_defaults()
        values = given.arguments
        return [Jsonb(v) if isinstance(v := values[name], dict) else v for name in self.bound.names]

    def maker(self, cursor: Any) -> RowMaker:
        if self._maker is None:
            columns = [column.name for column in cursor.description or ()]
            if not columns:
                raise self.wrong("the query gives no rows", "return Affected, or add RETURNING")
            try:
                self._maker = row_maker(self.result.row, columns)
            except ContractError as error:
                raise self.wrong(error.message, error.next) from None
        return self._maker

    def wrong(self, message: str, step: str) -> ContractError:
        return ContractError(f"{self.label}: {message}", location=self.place, next=step)

    def count_error(self, found: str) -> RowCountError:
        wanted = "exactly one row" if self.result.rows == "one" else "at most one row"
        return RowCountError(
            f"{self.label} promises {wanted}, found {found}",
            location=self.place,
            next="return list[...] or add a condition",
        )

    @property
    def place(self) -> Location:
        return Location(self.query.file, self.query.line, 1)

    def only(self, rows: Sequence[Any], cursor: Any) -> Any:
        """One row, or None where the annotation allows it. Raises RowCountError."""
        if len(rows) > 1:
            raise self.count_error("more")
        if not rows:
            if self.result.rows == "optional":
                return None
            raise self.count_error("none")
        return self.maker(cursor)(rows[0])


class _Base:
    """Binds methods whose body is `...` when the class is made."""

    __dbtrust_queries__: ClassVar[Mapping[str, BoundQuery]] = {}
    _run: ClassVar[Callable[[BoundQuery], Callable[..., Any]]]

    def __init_subclass__(cls, file: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if file is None:
            return
        module = sys.modules[cls.__module__]
        path = Path(str(module.__file__)).parent / file
        queries = read_named(path)
        bound: dict[str, BoundQuery] = {}
        for name, function in list(vars(cls).items()):
            if inspect.isfunction(function) and not name.startswith("_") and is_stub(function):
                bound[name] = _bind(cls, function, queries, path)
                setattr(cls, name, _dress(cls._run(bound[name]), function, bound[name]))
        cls.__dbtrust_queries__ = {**cls.__dbtrust_queries__, **bound}


def is_stub(function: Any) -> bool:
    """Is the body only `...` (and perhaps a docstring)? Compared by byte code: the source may not be there."""
    names = {"RESUME", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST", "NOP", "RETURN_GENERATOR", "POP_TOP"}
    code = function.__code__
    constants = [c for c in code.co_consts if c is not None and c is not Ellipsis and c != function.__doc__]
    return not constants and not code.co_names and all(i.opname in names for i in dis.get_instructions(code))


def _bind(cls: type, function: Any, queries: Mapping[str, NamedSql], path: Path) -> BoundQuery:
    name, line = function.__name__, function.__code__.co_firstlineno
    place = Location(function.__code__.co_filename, line, 1)
    if name not in queries:
        close = get_close_matches(name, list(queries), n=1)
        step = f"did you mean {close[0]}?" if close else f"add -- name: {name} to {path.name}"
        raise QueryFileError(f"{cls.__name__}.{name} has no query in {path.name}", location=place, next=step)
    query = queries[name]
    bound = bind_params(query.sql)
    signature = inspect.signature(function)
    missing = [p for p in bound.names if p not in signature.parameters]
    if missing:
        raise ContractError(
            f"{cls.__name__}.{name} has no parameter {missing[0]}",
            location=place,
            next=f"add {missing[0]} to its signature",
        )
    annotations = typing.get_type_hints(function)
    if "return" not in annotations:
        raise ContractError(
            f"{cls.__name__}.{name} has no return annotation",
            location=place,
            next="annotate the rows it gives",
        )
    result = result_of(annotations["return"], Affected)
    return BoundQuery(
        query, bound.text.encode(), bound, signature, result, annotations, f"{cls.__name__}.{name}"
    )


def _dress(runner: Any, function: Any, bound: BoundQuery) -> Any:
    runner.__name__, runner.__qualname__, runner.__doc__ = (
        function.__name__,
        function.__qualname__,
        function.__doc__,
    )
    runner.__annotations__, runner.__wrapped__, runner.__dbtrust_query__ = (
        function.__annotations__,
        function,
        bound,
    )
    return runner


def _runner(bound: BoundQuery) -> Callable[..., Any]:
    kind = bound.result.rows
    if kind == "iterator":

        def iterate(self: SqlQueries, /, *args: Any, **kwargs: Any) -> Iterator[Any]:
            return _iterate(self.connection, bound, bound.values(args, kwargs))

        return iterate

    def run(self: SqlQueries, /, *args: Any, **kwargs: Any) -> Any:
        with psycopg.RawCursor(self.connection) as cursor:
            cursor.execute(bound.sql, bound.values(args, kwargs))
            if kind == "affected":
                return Affected(cursor.rowcount)
            if kind == "nothing":
                return None
            if kind == "list":
                maker = bound.maker(cursor)
                return [maker(row) for row in cursor.fetchall()]
            return bound.only(cursor.fetchmany(2), cursor)

    return run


def _iterate(connection: psycopg.Connection[Any], bound: BoundQuery, values: list[Any]) -> Iterator[Any]:
    with connection.transaction(), psycopg.RawServerCursor(connection, f"dbtrust_{id(values):x}") as cursor:
        cursor.itersize = _FETCH
        cursor.execute(bound.sql, values)
        maker = bound.maker(cursor)
        for row in cursor:
            yield maker(row)


def _async_runner(bound: BoundQuery) -> Callable[..., Any]:
    kind = bound.result.rows
    if kind == "iterator":

        def iterate(self: AsyncSqlQueries, /, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            return _aiterate(self.connection, bound, bound.values(args, kwargs))

        return iterate

    async def run(self: AsyncSqlQueries, /, *args: Any, **kwargs: Any) -> Any:
        async with psycopg.AsyncRawCursor(self.connection) as cursor:
            await cursor.execute(bound.sql, bound.values(args, kwargs))
            if kind == "affected":
                return Affected(cursor.rowcount)
            if kind == "nothing":
                return None
            if kind == "list":
                maker = bound.maker(cursor)
                return [maker(row) for row in await cursor.fetchall()]
            return bound.only(await cursor.fetchmany(2), cursor)

    return run


async def _aiterate(
    connection: psycopg.AsyncConnection[Any], bound: BoundQuery, values: list[Any]
) -> AsyncIterator[Any]:
    async with (
        connection.transaction(),
        psycopg.AsyncRawServerCursor(connection, f"dbtrust_{id(values):x}") as cursor,
    ):
        cursor.itersize = _FETCH
        await cursor.execute(bound.sql, values)
        maker = bound.maker(cursor)
        async for row in cursor:
            yield maker(row)


class SqlQueries(_Base):
    """Subclass with `file="users.sql"`, which lies beside the module; a method `def name(...) -> R: ...` runs its query."""

    _run = staticmethod(_runner)

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection


class AsyncSqlQueries(_Base):
    """SqlQueries over an AsyncConnection: methods are `async def name(...) -> R: ...`."""

    _run = staticmethod(_async_runner)

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self.connection = connection
