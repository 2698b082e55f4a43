"""SqlQueries: methods bound to named queries over a psycopg connection.

Parameters are the server's ($1 …); the caller's row and cursor factories, transactions and pipelines are left alone.
"""

from __future__ import annotations

import itertools
import typing
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from dbtrust.model.errors import ContractError
from dbtrust.queries.binding import Affected, Bound, BoundQuery
from dbtrust.queries.results import RowMaker
from dbtrust.queries.values import send_all

__all__ = ["Affected", "AsyncSqlQueries", "SqlQueries"]
#: How many rows an iterator fetches at a time.
_FETCH = 1_000
_CURSORS = itertools.count(1)
Values = Iterable[Any]
Chosen = tuple[str, ...]


def _maker(bound: BoundQuery, result: Any) -> RowMaker | None:
    """The row maker for a result; only where columns are matched by name are the names read, which costs."""
    if result is None or not result.nfields:
        return bound.maker(())
    if not bound.by_name:
        return bound.maker(result.nfields)
    return bound.maker(tuple(map(result.fname, range(result.nfields))))


def _refuse_no_rows(bound: BoundQuery, result: Any) -> None:
    """In a pipeline there is no result yet."""
    if result is not None and not result.nfields:
        bound.maker(())


def _made(bound: BoundQuery, rows: list[Any], maker: RowMaker | None) -> list[Any]:
    if maker is None:
        return rows
    try:
        return [maker(row) for row in rows]
    except ValueError as error:
        raise bound.unfit(error) or error from error


def _only(bound: BoundQuery, row: Any, count: int, result: Any) -> Any:
    """One row, or None where the annotation allows it. Raises RowCountError."""
    if row is None:
        maker = _maker(bound, result)
        if bound.result.rows == "optional":
            return None
        raise bound.miscounted("none")
    if count > 1:
        raise bound.miscounted(f"{count}")
    maker = _maker(bound, result)
    if maker is None:
        return row
    try:
        return maker(row)
    except ValueError as error:
        raise bound.unfit(error) or error from error


def _each(bound: BoundQuery, items: Iterable[Any]) -> list[list[Any]]:
    """The parameters of each execution: from mappings and objects by name, from tuples and lists by place."""
    names = bound.bound.names
    return [send_all(_by_name(bound, item, names)) for item in items]


def _by_name(bound: BoundQuery, item: Any, names: Sequence[str]) -> Sequence[Any]:
    try:
        if isinstance(item, Mapping):
            mapping = cast("Mapping[str, Any]", item)
            return [mapping[name] for name in names]
        if _by_place(item):
            values: Sequence[Any] = item
            if len(values) != len(names):
                raise bound.wrong(
                    f"{len(values)} values for {len(names)} parameters", f"give {', '.join(names)}"
                )
            return values
        return [getattr(item, name) for name in names]
    except (KeyError, AttributeError) as error:
        raise bound.wrong(f"an element gives no {error}", f"give {', '.join(names)}") from None


def _by_place(item: Any) -> bool:
    return isinstance(item, list | tuple) and not hasattr(item, "_fields")  # pyright: ignore[reportUnknownArgumentType]


def _in_pipeline(connection: Any) -> bool:
    return bool(connection.pgconn.pipeline_status)


def _needs_transaction(connection: Any) -> bool:
    return bool(connection.autocommit) and connection.info.transaction_status == TransactionStatus.IDLE


def _refuse(queries: object, connection: object, wanted: type) -> None:
    if not isinstance(connection, wanted):
        kind, name = type(queries).__name__, f"psycopg.{wanted.__name__}"
        step = (
            f"give it the connection itself, as in: with pool.connection() as connection: {kind}(connection)"
        )
        raise ContractError(f"{kind} needs a {name}, not {type(connection).__name__}", next=step)


def _runner(bound: BoundQuery) -> Callable[..., Any]:
    """run(connection, values, chosen) for a method's kind of result."""
    if bound.many:
        return _many(bound)
    kind = bound.result.rows
    runners = {"list": _list, "iterator": _iterator, "one": _one, "optional": _one}
    return runners.get(kind, _changes)(bound)


def _execute(bound: BoundQuery, connection: psycopg.Connection[Any], values: Values, chosen: Chosen) -> Any:
    cursor = psycopg.RawCursor(connection, row_factory=tuple_row)
    cursor.execute(bound.text(chosen) if chosen else bound.sql[()], send_all(values) or None)
    return cursor


def _list(bound: BoundQuery) -> Callable[..., Any]:
    def run(connection: psycopg.Connection[Any], values: Values, chosen: Chosen) -> list[Any]:
        try:
            cursor = _execute(bound, connection, values, chosen)
            _refuse_no_rows(bound, cursor.pgresult)
            rows = cursor.fetchall()
        except psycopg.Error as error:
            bound.note(error)
            raise
        return _made(bound, rows, _maker(bound, cursor.pgresult))

    return run


def _one(bound: BoundQuery) -> Callable[..., Any]:
    def run(connection: psycopg.Connection[Any], values: Values, chosen: Chosen) -> Any:
        try:
            cursor = _execute(bound, connection, values, chosen)
            _refuse_no_rows(bound, cursor.pgresult)
            row = cursor.fetchone()
        except psycopg.Error as error:
            bound.note(error)
            raise
        return _only(bound, row, cursor.rowcount, cursor.pgresult)

    return run


def _changes(bound: BoundQuery) -> Callable[..., Any]:
    """Affected or None. Inside a pipeline the number of rows is known only after a synchronisation."""
    counted = bound.result.rows == "affected"

    def run(connection: psycopg.Connection[Any], values: Values, chosen: Chosen) -> Any:
        try:
            if counted and _in_pipeline(connection):
                with connection.pipeline():
                    cursor = _execute(bound, connection, values, chosen)
            else:
                cursor = _execute(bound, connection, values, chosen)
        except psycopg.Error as error:
            bound.note(error)
            raise
        return Affected(cursor.rowcount) if counted else None

    return run


def _many(bound: BoundQuery) -> Callable[..., Any]:
    def run(connection: psycopg.Connection[Any], items: Iterable[Any], chosen: Chosen) -> Any:
        cursor = psycopg.RawCursor(connection, row_factory=tuple_row)
        try:
            cursor.executemany(bound.text(chosen), _each(bound, items))
        except psycopg.Error as error:
            bound.note(error)
            raise
        return Affected(max(cursor.rowcount, 0)) if bound.result.rows == "affected" else None

    return run


def _iterator(bound: BoundQuery) -> Callable[..., Any]:
    def run(connection: psycopg.Connection[Any], values: Values, chosen: Chosen) -> Iterator[Any]:
        return _iterate(connection, bound, send_all(values), bound.text(chosen))

    return run


def _iterate(
    connection: psycopg.Connection[Any], bound: BoundQuery, values: list[Any], text: bytes
) -> Iterator[Any]:
    """Rows through a server-side cursor, which needs a transaction: the caller's, or one as long as the loop.

    A loop that is left early ends its own transaction with COMMIT: what the caller wrote meanwhile is kept.
    """
    if _needs_transaction(connection):
        with connection.transaction():
            try:
                yield from _rows(connection, bound, values, text)
            except GeneratorExit:
                return
    else:
        yield from _rows(connection, bound, values, text)


def _rows(
    connection: psycopg.Connection[Any], bound: BoundQuery, values: list[Any], text: bytes
) -> Iterator[Any]:
    cursor = psycopg.RawServerCursor(connection, f"dbtrust_{next(_CURSORS)}", row_factory=tuple_row)
    cursor.itersize = _FETCH
    try:
        cursor.execute(text, values)
        maker = bound.maker(tuple(column.name.encode() for column in cursor.description or ()))
        while rows := cursor.fetchmany(_FETCH):
            yield from _made(bound, rows, maker)
    except psycopg.Error as error:
        bound.note(error)
        raise
    finally:
        if not connection.closed:
            cursor.close()


def _async_runner(bound: BoundQuery) -> Callable[..., Any]:
    if bound.many:
        return _async_many(bound)
    kind = bound.result.rows
    runners = {"list": _async_list, "iterator": _async_iterator, "one": _async_one, "optional": _async_one}
    return runners.get(kind, _async_changes)(bound)


async def _async_execute(
    bound: BoundQuery, connection: psycopg.AsyncConnection[Any], values: Values, chosen: Chosen
) -> Any:
    cursor = psycopg.AsyncRawCursor(connection, row_factory=tuple_row)
    await cursor.execute(bound.text(chosen), send_all(values) or None)
    return cursor


def _async_list(bound: BoundQuery) -> Callable[..., Any]:
    async def run(connection: psycopg.AsyncConnection[Any], values: Values, chosen: Chosen) -> list[Any]:
        try:
            cursor = await _async_execute(bound, connection, values, chosen)
            _refuse_no_rows(bound, cursor.pgresult)
            rows = await cursor.fetchall()
        except psycopg.Error as error:
            bound.note(error)
            raise
        return _made(bound, rows, _maker(bound, cursor.pgresult))

    return run


def _async_one(bound: BoundQuery) -> Callable[..., Any]:
    async def run(connection: psycopg.AsyncConnection[Any], values: Values, chosen: Chosen) -> Any:
        try:
            cursor = await _async_execute(bound, connection, values, chosen)
            _refuse_no_rows(bound, cursor.pgresult)
            row = await cursor.fetchone()
        except psycopg.Error as error:
            bound.note(error)
            raise
        return _only(bound, row, cursor.rowcount, cursor.pgresult)

    return run


def _async_changes(bound: BoundQuery) -> Callable[..., Any]:
    counted = bound.result.rows == "affected"

    async def run(connection: psycopg.AsyncConnection[Any], values: Values, chosen: Chosen) -> Any:
        try:
            if counted and _in_pipeline(connection):
                async with connection.pipeline():
                    cursor = await _async_execute(bound, connection, values, chosen)
            else:
                cursor = await _async_execute(bound, connection, values, chosen)
        except psycopg.Error as error:
            bound.note(error)
            raise
        return Affected(cursor.rowcount) if counted else None

    return run


def _async_many(bound: BoundQuery) -> Callable[..., Any]:
    async def run(connection: psycopg.AsyncConnection[Any], items: Iterable[Any], chosen: Chosen) -> Any:
        cursor = psycopg.AsyncRawCursor(connection, row_factory=tuple_row)
        try:
            await cursor.executemany(bound.text(chosen), _each(bound, items))
        except psycopg.Error as error:
            bound.note(error)
            raise
        return Affected(max(cursor.rowcount, 0)) if bound.result.rows == "affected" else None

    return run


def _async_iterator(bound: BoundQuery) -> Callable[..., Any]:
    def run(connection: psycopg.AsyncConnection[Any], values: Values, chosen: Chosen) -> AsyncIterator[Any]:
        return _async_iterate(connection, bound, send_all(values), bound.text(chosen))

    return run


async def _async_iterate(
    connection: psycopg.AsyncConnection[Any], bound: BoundQuery, values: list[Any], text: bytes
) -> AsyncIterator[Any]:
    """As `_iterate`; whoever leaves the loop early closes the iterator (contextlib.aclosing)."""
    if not _needs_transaction(connection):
        async for value in _async_rows(connection, bound, values, text):
            yield value
        return
    async with connection.transaction():
        try:
            async for value in _async_rows(connection, bound, values, text):
                yield value
        except GeneratorExit:
            return


async def _async_rows(
    connection: psycopg.AsyncConnection[Any], bound: BoundQuery, values: list[Any], text: bytes
) -> AsyncIterator[Any]:
    cursor = psycopg.AsyncRawServerCursor(connection, f"dbtrust_{next(_CURSORS)}", row_factory=tuple_row)
    cursor.itersize = _FETCH
    try:
        await cursor.execute(text, values)
        maker = bound.maker(tuple(column.name.encode() for column in cursor.description or ()))
        while rows := await cursor.fetchmany(_FETCH):
            for value in _made(bound, rows, maker):
                yield value
    except psycopg.Error as error:
        bound.note(error)
        raise
    finally:
        if not connection.closed:
            await cursor.close()


class _Namespaces(Bound):
    """An attribute that is annotated with another class of queries is one over the same connection."""

    connection: Any

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            kind = None if name.startswith("__") else typing.get_type_hints(type(self)).get(name)
            if not (isinstance(kind, type) and issubclass(kind, Bound)):
                raise AttributeError(f"{type(self).__name__} has no attribute {name}", name=name, obj=self)
            value = kind(self.connection)
            setattr(self, name, value)
            return value


class SqlQueries(_Namespaces):
    """Subclass with `file="users.sql"`, which lies beside the module; a method `def name(...) -> R: ...` runs its query.

    `file` may name a folder: its `*.sql` files together, as aiosql reads them. A sub-folder is a class of its own,
    reached by an annotated attribute. Raises QueryFileError and ContractError when the class is made.
    """

    _runner = staticmethod(_runner)

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        _refuse(self, connection, psycopg.Connection)
        self.connection = connection


class AsyncSqlQueries(_Namespaces):
    """SqlQueries over an AsyncConnection: methods are `async def name(...) -> R: ...`, iterators plain `def`."""

    _runner = staticmethod(_async_runner)
    _asynchronous = True

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        _refuse(self, connection, psycopg.AsyncConnection)
        self.connection = connection
