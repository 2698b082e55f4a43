"""The roles that a project names, on an embedded server."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import psycopg
from psycopg import sql

#: The first version in which a member need not have the rights of the role.
_INHERIT_FALSE = 160_000


def create_roles(connection: psycopg.Connection[Any], roles: Iterable[str]) -> None:
    """Creates each role that does not exist: without rights and without login."""
    for role in roles:
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
        if known is None:
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))


def configured_roles(connection: psycopg.Connection[Any], roles: Collection[str], owner: str) -> None:
    """Creates the project's roles. From PostgreSQL 16 on `owner` may pass them on without having their rights itself."""
    create_roles(connection, roles)
    if connection.info.server_version < _INHERIT_FALSE:
        return
    for role in foreign_roles(connection, roles, owner):
        statement = sql.SQL("GRANT {} TO {} WITH ADMIN TRUE, INHERIT FALSE")
        connection.execute(statement.format(sql.Identifier(role), sql.Identifier(owner)))


def lend_roles(connection: psycopg.Connection[Any], roles: Collection[str], owner: str) -> None:
    """Creates the roles and lets `owner` pass them on, as a role that created them could."""
    create_roles(connection, roles)
    for role in roles:
        statement = sql.SQL("GRANT {} TO {} WITH ADMIN OPTION")
        connection.execute(statement.format(sql.Identifier(role), sql.Identifier(owner)))


def foreign_roles(connection: psycopg.Connection[Any], roles: Iterable[str], owner: str) -> list[str]:
    """Those that are neither the server's own nor `owner`, nor a superuser."""
    own = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles WHERE rolsuper").fetchall()}
    return sorted(role for role in roles if role != owner and role not in own and not role.startswith("pg_"))
