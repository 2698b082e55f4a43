"""Loading the shop's data against COPY and insert_many of the same rows into the same indexed tables.

Budget: at most 2 times the raw drivers, on both engines.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pymongo
from common import options, show

from dbtrust.engine.mongo.binaries import find_mongod
from dbtrust.engine.mongo.load import load_documents
from dbtrust.engine.mongo.server import start_mongo
from dbtrust.engine.postgres.binaries import find_postgres
from dbtrust.engine.postgres.load import load_insert
from dbtrust.engine.postgres.server import start_postgres
from dbtrust.engine.runs import Run
from dbtrust.source.config import load_config
from dbtrust.source.data import RowSource, read_generator
from dbtrust.source.migrations import read_history
from dbtrust.stage.data import midnight
from dbtrust.stage.history import apply_history

SHOP = Path(__file__).resolve().parents[1] / "examples" / "shop"
BATCH = 5_000


def timed(work: Callable[[], object]) -> float:
    """Seconds that `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def copy_rows(connection: psycopg.Connection[Any], rows: list[Any]) -> None:
    """The peer of load_insert: COPY of rows that are there already."""
    with connection.cursor().copy(
        "COPY users (email, username, created_at, updated_at, metadata) FROM STDIN"
    ) as copy:
        for row in rows:
            copy.write_row(row)


def insert_rows(collection: Any, documents: list[Any]) -> None:
    """The peer of load_documents: insert_many of documents that are there already."""
    for start in range(0, len(documents), BATCH):
        collection.insert_many(documents[start : start + BATCH], ordered=False)


def postgres(run: Run, source: RowSource, rounds: int) -> dict[str, float]:
    """Seconds of both, each into freshly made tables of the shop's history."""
    server = start_postgres(run, find_postgres("17"))
    times: dict[str, list[float]] = {"dbtrust: PostgreSQL": [], "psycopg COPY": []}
    rows: list[Any] = []
    for number in range(rounds):
        for name, spent in times.items():
            with psycopg.connect(server.admin_url(), autocommit=True) as admin:
                admin.execute("DROP DATABASE IF EXISTS bench")
                admin.execute("CREATE DATABASE bench")
            with psycopg.connect(server.admin_url("bench"), autocommit=True) as connection:
                apply_history(connection, None, read_history(SHOP, "migrations"), SHOP)
                if name.startswith("dbtrust"):
                    spent.append(
                        timed(lambda c=connection: load_insert(c, source.text, source.config, midnight()))
                    )
                    if not number:
                        rows = connection.execute(
                            "SELECT email, username, created_at, updated_at, metadata::text FROM users"
                        ).fetchall()
                else:
                    spent.append(timed(lambda c=connection, r=rows: copy_rows(c, r)))
    return {name: statistics.median(values) for name, values in times.items()}


def mongo(run: Run, source: RowSource, rounds: int) -> dict[str, float]:
    """The same on MongoDB; making the documents in Python counts for dbtrust alone."""
    server = start_mongo(run, find_mongod("8.0"))
    times: dict[str, list[float]] = {"dbtrust: MongoDB": [], "pymongo insert_many": []}
    documents = [dict(d) for d in source.rows(midnight())]
    with pymongo.MongoClient[dict[str, Any]](server.url()) as client:
        for _ in range(rounds):
            for name, spent in times.items():
                client.drop_database("bench")
                apply_history(None, client.bench, read_history(SHOP, "migrations"), SHOP)
                if name.startswith("dbtrust"):
                    spent.append(
                        timed(lambda: load_documents(client.bench.products, source.rows(midnight())))
                    )
                else:
                    spent.append(timed(lambda: insert_rows(client.bench.products, documents)))
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    """Measures and prints."""
    asked = options(__doc__)
    config = load_config(SHOP)
    users, products = (read_generator(config, item) for item in config.data)
    rounds = 1 if asked.quick else 5
    with Run() as run:
        medians = postgres(run, users, rounds) | mongo(run, products, rounds)
    ratios = {
        "users": {"dbtrust / COPY": medians["dbtrust: PostgreSQL"] / medians["psycopg COPY"]},
        "products": {"dbtrust / insert_many": medians["dbtrust: MongoDB"] / medians["pymongo insert_many"]},
    }
    versions = {"postgres": find_postgres("17").version, "mongo": find_mongod("8.0").version}
    show("loading", versions, medians, "s", ratios, as_json=asked.json)


if __name__ == "__main__":
    main()
