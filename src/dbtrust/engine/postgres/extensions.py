"""The extensions that a server could create."""

from __future__ import annotations

from typing import Any

import psycopg

from dbtrust.engine.postgres.sql import load


def available_extensions(connection: psycopg.Connection[Any]) -> dict[str, bool]:
    """Name -> may a role create it that is no superuser?"""
    return dict(connection.execute(load("available_extensions")).fetchall())
