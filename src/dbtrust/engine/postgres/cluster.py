"""Objects of a whole server: roles and databases."""

from __future__ import annotations

from typing import Any

import psycopg

from dbtrust.engine.postgres import sql

#: (kind, name), such as ("role", "app").
ClusterObject = tuple[str, str]


def cluster_objects(connection: psycopg.Connection[Any]) -> frozenset[ClusterObject]:
    """Every role and database that is not the server's or dbtrust's own. Raises psycopg.Error."""
    rows = connection.execute(sql.load("cluster_objects")).fetchall()
    return frozenset((str(kind), str(name)) for kind, name in rows)
