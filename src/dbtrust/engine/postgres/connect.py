"""Connections to PostgreSQL, with errors that say where and what next."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from dbtrust.engine.postgres.errors import redact
from dbtrust.model.errors import ConfigError, ServerError


def connect(url: str, *, statement_timeout_ms: int | None = None, autocommit: bool = True) -> psycopg.Connection[Any]:
    """An open connection that never prepares on its own (a claim is about a first execution).

    Raises ConfigError for an unreadable URL and ServerError, naming host and port, where no server answers.
    """
    try:
        where = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise ConfigError(f"not a PostgreSQL URL: {redact(str(error))}", next="write postgresql://user@host:5432/db") from None
    options = str(where.get("options") or "")
    if statement_timeout_ms is not None:
        options += f" -c statement_timeout={statement_timeout_ms}"
    try:
        return psycopg.connect(
            url, autocommit=autocommit, prepare_threshold=None, options=options.strip(),
            connect_timeout=int(where.get("connect_timeout") or 10), application_name="dbtrust",
        )  # fmt: skip
    except psycopg.OperationalError as error:
        place = f"{where.get('host') or 'local socket'}:{where.get('port') or 5432}"
        reason = redact(" ".join(str(error).split()))
        raise ServerError(f"PostgreSQL at {place} does not answer: {reason}", next="check the URL and that the server runs") from error
