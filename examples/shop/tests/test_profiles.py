# @TEST:DB-003 | A profile belongs to one user and goes with it
# SPEC: SPEC-DB-003.md | CODE: migrations/0003_add_user_profiles.sql
"""Profiles: the foreign key and its cascade."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from shop.users import UserQueries


def test_a_profile_goes_with_its_user(users: UserQueries, connection: psycopg.Connection[Any]) -> None:
    stored = users.insert_user("profile@example.org", "profiled")
    connection.execute("INSERT INTO user_profiles (user_id) VALUES (%s)", [stored.id])
    assert users.delete_user(stored.id) == 1
    left = connection.execute("SELECT count(*) FROM user_profiles WHERE user_id = %s", [stored.id]).fetchone()
    assert left == (0,)


def test_a_profile_needs_a_user(connection: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        connection.execute("INSERT INTO user_profiles (user_id) VALUES (-1)")
