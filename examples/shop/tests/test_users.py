# @TEST:DB-001 | Identity, constraints, injection and round trips over users
# SPEC: SPEC-DB-001.md | CODE: migrations/0001_users.sql
"""Users: what the database promises, seen through the typed queries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from shop.users import UserQueries

ATTACK = "'; DROP TABLE users; --"


def count(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT count(*) FROM users").fetchone()
    assert row is not None
    return row[0]


def test_identity_is_generated(users: UserQueries) -> None:
    first = users.insert_user("first@example.org", "first")
    second = users.insert_user("second@example.org", "second")
    assert second.id > first.id > 0


def test_identity_cannot_be_chosen(connection: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.errors.GeneratedAlways):
        connection.execute("INSERT INTO users (id, email, username) VALUES (1, 'a@example.org', 'abc')")


def test_a_wrong_address_is_refused(users: UserQueries) -> None:
    with pytest.raises(psycopg.errors.CheckViolation) as caught:
        users.insert_user("not-an-address", "somebody")
    assert caught.value.diag.constraint_name == "valid_email"


def test_a_short_name_is_refused(users: UserQueries) -> None:
    with pytest.raises(psycopg.errors.CheckViolation) as caught:
        users.insert_user("ab@example.org", "ab")
    assert caught.value.diag.constraint_name == "valid_username"


def test_an_address_belongs_to_one_user(users: UserQueries) -> None:
    users.insert_user("same@example.org", "first")
    with pytest.raises(psycopg.errors.UniqueViolation) as caught:
        users.insert_user("same@example.org", "second")
    assert caught.value.diag.constraint_name == "users_email_key"


@pytest.mark.parametrize("query", ["by_username", "by_role", "active_by_domain"])
def test_injection_finds_nothing_and_changes_nothing(
    users: UserQueries, connection: psycopg.Connection[Any], query: str
) -> None:
    before = count(connection)
    found = users.by_username(ATTACK, 10) if query == "by_username" else getattr(users, query)(ATTACK)
    assert found == []
    assert count(connection) == before > 0


def test_an_attack_is_stored_as_text(users: UserQueries, connection: psycopg.Connection[Any]) -> None:
    before = count(connection)
    stored = users.insert_user("attack@example.org", ATTACK)
    assert stored.username == ATTACK
    assert users.by_username(ATTACK, 10) == [stored]
    assert count(connection) == before + 1


def test_a_user_comes_back_as_it_went(users: UserQueries) -> None:
    stored = users.insert_user("round@example.org", "roundtrip", {"status": "active", "role": "captain"})
    assert users.by_username("roundtrip", 5) == [stored]
    assert [m.id for m in users.by_role("captain")] == [stored.id]
    assert users.recent_signups(stored.created_at, 1)[0].email == "round@example.org"
    assert stored.created_at <= datetime.now(UTC) + timedelta(minutes=1)


def test_renaming_moves_updated_at(users: UserQueries, connection: psycopg.Connection[Any]) -> None:
    stored = users.insert_user("old@example.org", "oldname")
    connection.commit()
    try:
        renamed = users.rename_user(stored.id, "newname")
        assert renamed is not None
        assert renamed.username == "newname"
        assert renamed.updated_at > stored.updated_at
        assert renamed.created_at == stored.created_at
    finally:
        connection.rollback()
        assert users.delete_user(stored.id) == 1
        connection.commit()


def test_renaming_nobody_gives_nobody(users: UserQueries) -> None:
    assert users.rename_user(-1, "nobody") is None


def test_days_are_counted_in_utc(users: UserQueries) -> None:
    days = users.signups_per_day(7)
    assert [d.signup_date for d in days] == sorted((d.signup_date for d in days), reverse=True)
    assert all(d.signups > 0 for d in days)
