"""Real servers for every test: dbtrust's own embedded ones, a pair for each worker."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pymongo
import pytest
from hypothesis import settings
from psycopg import sql
from tests import in_memory

from dbtrust.engine.mongo.binaries import find_mongod
from dbtrust.engine.mongo.server import start_mongo
from dbtrust.engine.postgres.binaries import find_postgres
from dbtrust.engine.postgres.server import start_postgres
from dbtrust.engine.runs import Run

# How long one example takes says nothing on a shared machine.
settings.register_profile("dbtrust", deadline=None)
settings.load_profile("dbtrust")


_HOME = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Workers get what their controller has set."""
    if not hasattr(config, "workerinput") and (home := in_memory.make_home()) is not None:
        config.stash[_HOME] = home


def pytest_unconfigure(config: pytest.Config) -> None:
    if (home := config.stash.get(_HOME, None)) is not None:
        in_memory.remove_home(home)


@pytest.fixture(scope="session")
def server_run() -> Iterator[Run]:
    """The folder of this session's embedded servers."""
    with Run() as opened:
        yield opened


@pytest.fixture(scope="session")
def postgres_url(server_run: Run) -> str:
    """A superuser's URL of an embedded PostgreSQL server."""
    return start_postgres(server_run, find_postgres("17")).admin_url()


@pytest.fixture(scope="session")
def mongo_url(server_run: Run) -> str:
    """An administrator's URL of an embedded MongoDB replica set."""
    return start_mongo(server_run, find_mongod("8.0")).url()


@pytest.fixture
def pg_database(postgres_url: str) -> Iterator[str]:
    """The URL of a fresh, empty database; dropped afterwards."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} STRATEGY FILE_COPY").format(sql.Identifier(name)))
    yield psycopg.conninfo.make_conninfo(postgres_url, dbname=name)
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def pg(pg_database: str) -> Iterator[psycopg.Connection[Any]]:
    """An autocommit connection to a fresh, empty database."""
    with psycopg.connect(pg_database, autocommit=True) as connection:
        yield connection


@pytest.fixture
def counting(pg: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """`pg`, in a database whose statements are counted, on a server that knows none yet.

    One whose pg_stat_statements.max others have filled with statements sent more than once drops
    a new one first: by the number of its calls (entry_dealloc in pg_stat_statements.c).
    """
    pg.execute("CREATE EXTENSION pg_stat_statements")
    pg.execute("SELECT pg_stat_statements_reset()")
    return pg


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


@pytest.fixture(scope="session")
def catalog_base(postgres_url: str) -> Iterator[tuple[psycopg.Connection[Any], str]]:
    """A database with objects of every kind and a role; a test leaves both as it found them."""
    name, role = f"t_{uuid.uuid4().hex[:12]}", f"r_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        admin.execute(f"CREATE ROLE {role} LOGIN")
        url = psycopg.conninfo.make_conninfo(postgres_url, dbname=name)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute((Path(__file__).parent / "engine/postgres/catalog/base.sql").read_bytes())
            yield connection, role
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        admin.execute(f"DROP ROLE {role}")
