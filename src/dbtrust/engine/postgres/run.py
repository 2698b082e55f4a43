"""Runs a statement of the project whose effect is thrown away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg


def run_rolled_back(connection: psycopg.Connection[Any], text: str, values: Sequence[Any] = ()) -> None:
    """Executes `text` with $1 … and rolls back. Without values several statements may stand in it.

    Raises psycopg.Error.
    """
    with connection.transaction(force_rollback=True), psycopg.RawCursor(connection) as cursor:
        cursor.execute(text.encode(), list(values) or None)


def execute_last(connection: psycopg.Connection[Any], text: str) -> list[tuple[Any, ...]] | None:
    """Executes one statement without parameters; its rows, or None where it gives none. Raises psycopg.Error."""
    with psycopg.RawCursor(connection) as cursor:
        cursor.execute(text.encode())
        return cursor.fetchall() if cursor.description is not None else None
