"""What a PostgreSQL error says, without the driver's objects."""

from __future__ import annotations

import re
from dataclasses import dataclass

import psycopg
from psycopg import errors

from dbtrust.model.text import shortened


@dataclass(frozen=True, slots=True)
class Failure:
    """A server's error. `position` is a 1-based character of the statement; absent fields are None.

    `datatype` is the type that the server names (a domain's violation). A broken connection has no sqlstate.
    """

    sqlstate: str | None
    message: str
    schema: str | None = None
    table: str | None = None
    column: str | None = None
    constraint: str | None = None
    datatype: str | None = None
    position: int | None = None
    detail: str | None = None
    hint: str | None = None


def failure_of(error: psycopg.Error) -> Failure:
    """The fields of the protocol's ErrorResponse (PostgreSQL manual, "Error and Notice Message Fields")."""
    diag = error.diag
    return Failure(
        sqlstate=error.sqlstate or diag.sqlstate,
        message=shortened(_one_line(diag.message_primary or str(error))),
        schema=diag.schema_name,
        table=diag.table_name,
        column=diag.column_name,
        constraint=diag.constraint_name,
        datatype=diag.datatype_name,
        position=position(error),
        detail=diag.message_detail,
        hint=diag.message_hint,
    )


def position(error: psycopg.Error) -> int | None:
    """The 1-based character of the statement at which the server points, or None."""
    text = error.diag.statement_position
    return int(text) if text and text.isdigit() else None


def describe(error: psycopg.Error) -> str:
    """One line: "23514 check_violation: new row for relation …". DETAIL is left out: it quotes rows."""
    failure = failure_of(error)
    if failure.sqlstate is None:
        return failure.message
    code = f"{failure.sqlstate} {condition(failure.sqlstate)}".rstrip()
    return f"{code}: {failure.message}"


def lost(error: psycopg.Error) -> bool:
    """Is the connection gone, with what the server knew of it? A shutdown, a crash, a broken socket.

    The same SQLSTATE with the severity ERROR is a statement's own failure (RAISE, a remote server of dblink or of a
    subscription): the connection lives on.
    """
    state = error.sqlstate or ""
    if not state:
        return isinstance(error, errors.OperationalError)
    return (state.startswith("08") or state in _GONE) and error.diag.severity_nonlocalized != "ERROR"


def passing(error: psycopg.Error) -> bool:
    """Does the error tell of the moment and not of the statement? Deadlocks, conflicts, locks, full disks."""
    state = error.sqlstate or ""
    return state in _MOMENTS or state.startswith("53")


#: 57P04, a database that was dropped, and 57P05, an idle session, are not the server's end.
_GONE = frozenset({"57P01", "57P02", "57P03"})
_MOMENTS = frozenset({"40001", "40P01", "55P03", "25P03", "57014"})
#: What an extension brings that a query names, in the order of contrib's documentation.
_BROUGHT = {
    "citext": r"citext", "cube": r"cube\w*", "earthdistance": r"earth\w*|ll_to_earth",
    "fuzzystrmatch": r"levenshtein\w*|soundex|metaphone|d?metaphone\w*|difference", "hstore": r"hstore\w*|akeys|avals",
    "intarray": r"gin__int_ops|gist__int\w*|query_int", "ltree": r"l?tx?tquery|ltree\w*|lquery|subpath|nlevel",
    "pg_stat_statements": r"pg_stat_statements\w*", "pg_trgm": r"\w*similarity|show_trgm|\w+_trgm_ops",
    "pgcrypto": r"crypt|gen_salt|digest|hmac|pgp_\w+|armor|dearmor|encrypt|decrypt|gen_random_bytes",
    "postgis": r"st_\w+|geometry|geography", "tablefunc": r"crosstab\w*|connectby|normal_rand",
    "tsm_system_rows": r"system_rows", "tsm_system_time": r"system_time", "unaccent": r"unaccent",
    "uuid-ossp": r"uuid_generate_\w+|uuid_ns_\w+", "vector": r"vector|halfvec|sparsevec",
}  # fmt: skip
_MISSING = frozenset({"42883", "42704", "42P01"})


def missing_extension(error: psycopg.Error) -> str | None:
    """The extension that brings the function, type, table or operator class that the server does not know."""
    if error.sqlstate not in _MISSING:
        return None
    named = re.search(
        r"(?:function|type|relation|method|class) \"?([\w.]+)", error.diag.message_primary or ""
    )
    name = named.group(1).lower().rpartition(".")[2] if named else ""
    return next((ext for ext, brought in _BROUGHT.items() if re.fullmatch(brought, name)), None)


def condition(sqlstate: str) -> str:
    """The condition name of a SQLSTATE as the manual writes it ("check_violation"), or ""."""
    try:
        name = errors.lookup(sqlstate).__name__
    except KeyError:
        return ""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _one_line(text: str) -> str:
    return " ".join(text.split())
