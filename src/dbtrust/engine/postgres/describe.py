"""What the server says of a statement without running it: its parameters, its columns, the types that a driver sends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result

from dbtrust.engine.postgres import sql


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """`type` is the OID (of the base type for a domain), `type_name` as SQL names it."""

    name: str
    type: int
    type_name: str


@dataclass(frozen=True, slots=True)
class Described:
    """`parameters` are the resolved types of $1 … and their names; no columns: the statement gives no rows."""

    parameters: tuple[int, ...]
    parameter_names: tuple[str, ...]
    columns: tuple[ResultColumn, ...]


def sent_types(connection: psycopg.Connection[Any], values: Sequence[Any]) -> list[int]:
    """The type OIDs that psycopg sends for values; 0 leaves the choice to the server.

    Raises psycopg.ProgrammingError for a value that psycopg has no dumper for.
    """
    transformer = Transformer(connection)
    transformer.dump_sequence(values, [PyFormat.AUTO] * len(values))
    return list(transformer.types or ())


def describe(connection: psycopg.Connection[Any], text: str, types: Sequence[int]) -> Described:
    """Prepares `text` ($1 …) with these parameter types and describes it. Raises psycopg.Error."""
    with connection.transaction(force_rollback=True):
        encoded = text.encode(connection.info.encoding)
        _good(connection, connection.pgconn.prepare(b"", encoded, list(types)))
        result = _good(connection, connection.pgconn.describe_prepared(b""))
        parameters = [result.param_type(i) for i in range(result.nparams)]
        columns = [((result.fname(i) or b"").decode(), result.ftype(i)) for i in range(result.nfields)]
        names = _names(connection, [*parameters, *(oid for _, oid in columns)])
    return Described(
        tuple(parameters),
        tuple(names[oid] for oid in parameters),
        tuple(ResultColumn(name, oid, names[oid]) for name, oid in columns),
    )


def _good(connection: psycopg.Connection[Any], result: pq.abc.PGresult) -> pq.abc.PGresult:
    if result.status != pq.ExecStatus.COMMAND_OK:
        raise error_from_result(result, connection.info.encoding)
    return result


def _names(connection: psycopg.Connection[Any], oids: Sequence[int]) -> dict[int, str]:
    rows = connection.execute(sql.load("type_names"), {"oids": list(oids)}).fetchall()
    return dict(rows)
