"""Programs of the project that work on a scratch database by a connection of their own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import psycopg

from dbtrust.engine.postgres.sql import load

#: The application_name of such a connection, as in sql/end_program_sessions.sql.
PROGRAM = "dbtrust_program"
_SECONDS = 5.0


def parameters(connection: psycopg.Connection[Any]) -> Mapping[str, str]:
    """libpq's parameters of another connection to the same database as the same role."""
    info = connection.info
    found = {"host": info.host, "port": str(info.port), "user": info.user, "dbname": info.dbname}
    return found | ({"password": info.password} if info.password else {})


def end_program_sessions(connection: psycopg.Connection[Any]) -> None:
    """Ends what a program left open in the connection's database, which can be copied afterwards."""
    deadline = time.monotonic() + _SECONDS
    while connection.execute(load("end_program_sessions")).fetchall() and time.monotonic() < deadline:
        time.sleep(0.01)
