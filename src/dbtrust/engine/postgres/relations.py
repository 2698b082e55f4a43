"""What is true of the relations of a database as a whole, asked once for all of them."""

from __future__ import annotations

from typing import Any

import psycopg

from dbtrust.engine.postgres.sql import load

Relation = tuple[str, str]


def empty_relations(connection: psycopg.Connection[Any]) -> dict[Relation, bool]:
    """(schema, name) of what holds no row, as the last ANALYZE counted -> is it a materialized view?"""
    return {(str(s), str(n)): bool(view) for s, n, view in connection.execute(load("empty_relations"))}


def row_security_not_bound(connection: psycopg.Connection[Any]) -> frozenset[Relation]:
    """(schema, name) of the relations with policies that do not bind the connection's role: mostly their owner."""
    return frozenset((str(s), str(n)) for s, n in connection.execute(load("row_security_not_bound")))
