# @CODE:DB-001:API | Typed queries over users
# SPEC: SPEC-DB-001.md | TEST: tests/test_users.py
"""Users in PostgreSQL: the methods' signatures are the contract of the queries in users.sql."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from dbtrust import Affected, SqlQueries


@dataclass(frozen=True)
class Signup:
    """A new user's address and when it came."""

    email: str
    created_at: datetime


@dataclass(frozen=True)
class SignupDay:
    """How many users one day (UTC) brought."""

    signup_date: date
    signups: int


@dataclass(frozen=True)
class RoleMember:
    """A user of a role, with preferences where there are any."""

    id: int
    email: str
    preferences: Any | None


@dataclass(frozen=True)
class Contact:
    """An address and a name."""

    email: str
    username: str


@dataclass(frozen=True)
class User:
    """A user without metadata."""

    id: int
    email: str
    username: str
    created_at: datetime
    updated_at: datetime


class UserQueries(SqlQueries, file="users.sql"):
    """The queries of users.sql."""

    def recent_signups(self, since: datetime, limit: int) -> list[Signup]: ...

    def signups_per_day(self, days: int = 30) -> list[SignupDay]: ...

    def by_role(self, role: str) -> list[RoleMember]: ...

    def active_by_domain(self, domain: str) -> list[Contact]: ...

    def by_username(self, username: str, limit: int) -> list[User]: ...

    def insert_user(self, email: str, username: str, metadata: dict[str, Any] | None = None) -> User: ...

    def rename_user(self, id: int, username: str) -> User | None: ...

    def delete_user(self, id: int) -> Affected: ...
