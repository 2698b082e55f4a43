# @TEST:DB-007:FIXTURES | Scratch copies of both databases, named by the environment
# SPEC: SPEC-DB-007.md | CODE: src/shop/users.py
"""DBTRUST_POSTGRES and DBTRUST_MONGO name scratch copies with history and data; `dbtrust check` sets them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import psycopg
import pymongo
import pytest
from pymongo.database import Database

from shop.products import ProductQueries
from shop.users import UserQueries


@pytest.fixture
def connection() -> Iterator[psycopg.Connection[Any]]:
    """A transaction that is rolled back."""
    with psycopg.connect(os.environ["DBTRUST_POSTGRES"]) as opened:
        yield opened
        opened.rollback()


@pytest.fixture
def users(connection: psycopg.Connection[Any]) -> UserQueries:
    return UserQueries(connection)


@pytest.fixture
def database() -> Iterator[Database[Any]]:
    with pymongo.MongoClient[dict[str, Any]](os.environ["DBTRUST_MONGO"], tz_aware=True) as client:
        yield client.get_default_database()


@pytest.fixture
def products(database: Database[Any]) -> ProductQueries:
    return ProductQueries(database)
