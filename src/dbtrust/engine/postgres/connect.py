"""One way to connect to PostgreSQL: errors name the server and the next step, never a password."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from dbtrust.model.errors import ConfigError, ServerError
from dbtrust.model.text import LEAST_SECRET

#: Seconds until a silent host is given up, where the URL does not say.
CONNECT_TIMEOUT = 10

#: What PgBouncer says where its pool is in use, and what helps: a run of migrations holds a connection for its lock.
_WAITED = "query_wait_timeout"
_MORE = (
    "give the pooler's pool more connections (each run needs two at once), or connect to the server itself"
)
_NEXT = (
    (_WAITED, _MORE),
    (r"password|pg_hba|authentication", "check the user and the password (PGPASSWORD or ~/.pgpass)"),
    (r'database ".*" does not exist', "create that database, or name another one in the URL"),
    (r'role ".*" does not exist', "name an existing role in the URL"),
    (r"could not translate host name|resolve", "check the host's name in the URL"),
    (r"too many clients|remaining connection slots", "close connections, or raise max_connections"),
    (r"starting up|shutting down|recovery", "try again in a moment"),
)  # fmt: skip


def connect(
    url: str, *, statement_timeout_ms: int | None = None, autocommit: bool = True
) -> psycopg.Connection[Any]:
    """A connection that never prepares: each statement gets the custom plan of a first execution.

    Raises ConfigError for an unreadable URL and ServerError for a server that cannot be reached.
    """
    parts = read_url(url)
    try:
        connection: psycopg.Connection[Any] = psycopg.connect(
            make_conninfo(**_defaults(parts)), autocommit=True, prepare_threshold=None
        )
    except psycopg.Error as error:
        raise _unreachable(error, parts) from None
    if statement_timeout_ms is not None:
        # Not a start-up option: connection poolers refuse those.
        connection.execute("SELECT set_config('statement_timeout', %s, false)", [str(statement_timeout_ms)])
    connection.autocommit = autocommit
    return connection


def connect_reading(url: str, *, timeout_ms: int) -> psycopg.Connection[Any]:
    """A connection to a database that is not ours: transactions only read, and neither run nor wait long.

    Raises as `connect` does.
    """
    connection = connect(url, statement_timeout_ms=timeout_ms)
    connection.execute("SELECT set_config('lock_timeout', %s, false)", [str(timeout_ms)])
    connection.execute("SET default_transaction_read_only = on")
    return connection


def with_database(url: str, database: str) -> str:
    """The same server and role with another database. Raises ConfigError for an unreadable URL."""
    return make_conninfo(**(read_url(url) | {"dbname": database}))


def read_url(url: str) -> dict[str, Any]:
    """The parts of a URL or a key=value string. Raises ConfigError, which shows no part of a password."""
    # libpq ends a password at the first @ or /, and what is behind it would be the host, and be shown.
    match = re.match(r"postgres(?:ql)?://(?P<server>[^/?]*)(?P<rest>/[^?]*)?", url)
    if match and (
        match["server"].count("@") > 1 or ("@" in (match["rest"] or "") and "@" not in match["server"])
    ):
        raise ConfigError(
            f"this PostgreSQL URL cannot be read: {_unread(url)} has an @ or / that is not escaped",
            next="write %40 for @ and %2F for / in a user or password",
        )
    try:
        return dict(conninfo_to_dict(url))
    except psycopg.Error:
        # libpq's message quotes parts of the URL, so it is not shown.
        message = f"this PostgreSQL URL cannot be read: {_unread(url)}"
        raise ConfigError(message, next="write postgresql://user@host:5432/database") from None


def _defaults(parts: dict[str, Any]) -> dict[str, Any]:
    return {
        "connect_timeout": CONNECT_TIMEOUT,
        "application_name": "dbtrust",
        "client_encoding": "UTF8",
    } | parts


def address(parts: dict[str, Any]) -> str:
    """Host and port as a person would name them, from the parts of a URL."""
    host = parts.get("host") or parts.get("hostaddr") or "the local socket"
    return f"{host}:{parts.get('port') or 5432}"


def _unreachable(error: psycopg.Error, parts: dict[str, Any]) -> ServerError:
    text = _hide(" ".join(str(error).split()), parts.get("password"))
    step = next((hint for pattern, hint in _NEXT if re.search(pattern, text)), "")
    return ServerError(
        f"cannot connect to PostgreSQL at {address(parts)}: {text}",
        next=step or "start that server, or correct its URL",
    )


def _unread(url: str) -> str:
    """A URL or key=value string that nobody could read, without what may be the password, wherever it is wrong."""
    # libpq's key=value form knows no &, and a backslash lets a blank in.
    bare = r"[^\s&]+" if "//" in url else r"(?:\\.|[^\s\\])+"
    url = re.sub(rf"(?is)(\bpassword\s*=\s*)('(?:[^'\\]|\\.)*(?:'|\Z)|{bare})", r"\1***", url)
    scheme, slashes, rest = url.partition("//")
    if not slashes:
        scheme, rest = "", url
    credentials, at, host = rest.rpartition("@")
    user, colon, _ = credentials.partition(":")
    return f"{scheme}{slashes}{user}:***@{host}" if at and colon else url


def redact(text: str) -> str:
    """`text` without the password of any URL or key=value string in it."""
    text = re.sub(r"(://[^\s/?#]*?):.*@", r"\1:***@", text)
    return re.sub(r"(?i)(\bpassword\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&]+)", r"\1***", text)


def no_free_connection(said: str) -> ServerError:
    """The error where a pooler has had no connection to the server for this session."""
    return ServerError(f"the pooler had no free connection to the server: {said}", next=_MORE)


def _hide(text: str, password: Any) -> str:
    """A short password is hidden in URLs and key=value strings alone: the gaps in common words would tell it."""
    if len(str(password or "")) >= LEAST_SECRET:
        for secret in (str(password), quote(str(password), safe="")):
            text = text.replace(secret, "***")
    return redact(text)
