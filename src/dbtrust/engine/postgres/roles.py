"""The roles that a project names, on an embedded server."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import sql


def create_roles(connection: psycopg.Connection[Any], roles: Iterable[str]) -> None:
    """Creates each role that does not exist: without rights and without login."""
    for role in roles:
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
        if known is None:
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))
