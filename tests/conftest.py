"""Real servers for every test. A developer may point at running ones with DEV_POSTGRES and DEV_MONGO."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pymongo
import pytest
from psycopg import sql


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """A superuser's URL of a PostgreSQL server."""
    return os.environ["DEV_POSTGRES"]


@pytest.fixture(scope="session")
def mongo_url() -> str:
    """An administrator's URL of a MongoDB replica set."""
    return os.environ["DEV_MONGO"]


@pytest.fixture
def pg_database(postgres_url: str) -> Iterator[str]:
    """The URL of a fresh, empty database; dropped afterwards."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield psycopg.conninfo.make_conninfo(postgres_url, dbname=name)
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def pg(pg_database: str) -> Iterator[psycopg.Connection[Any]]:
    """An autocommit connection to a fresh, empty database."""
    with psycopg.connect(pg_database, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def mongo_client(mongo_url: str) -> Iterator[pymongo.MongoClient[dict[str, Any]]]:
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        yield client


@pytest.fixture
def mongo_db(mongo_client: pymongo.MongoClient[dict[str, Any]]) -> Iterator[Any]:
    """A fresh, empty database; dropped afterwards."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    yield mongo_client[name]
    mongo_client.drop_database(name)
