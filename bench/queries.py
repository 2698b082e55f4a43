"""CPU of the client for queries through dbtrust and through its peers, interleaved in one run.

Budgets: at most 1.05 times raw psycopg and pymongo for tuples and dicts, at most 1.10 times hand-written pydantic for
models, ahead of every other peer; the memory of an iterator over a million rows stays flat. The peers are installed
into a folder of the cache and looked up behind everything else, so shared packages are the same for all.
"""

from __future__ import annotations

import asyncio
import gc
import importlib.metadata
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pymongo
from bson import ObjectId
from common import options, show
from platformdirs import user_cache_path
from psycopg.rows import dict_row
from pydantic import BaseModel, ConfigDict, Field

from dbtrust import Collection, MongoQueries, SqlQueries
from dbtrust.engine.mongo.binaries import find_mongod
from dbtrust.engine.mongo.server import start_mongo
from dbtrust.engine.postgres.binaries import find_postgres
from dbtrust.engine.postgres.server import start_postgres
from dbtrust.engine.runs import Run

PEERS = ("aiosql==15.0", "sqlalchemy==2.0.44", "beanie==2.0.1")
SETUP = """
CREATE TABLE account (id int PRIMARY KEY, email text NOT NULL, name text NOT NULL, score numeric NOT NULL,
                      created timestamptz NOT NULL DEFAULT now());
INSERT INTO account (id, email, name, score) SELECT n, n || '@example.org', 'name ' || n, n / 7.0 FROM generate_series(1, 10000) n;
CREATE TABLE note (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, words text NOT NULL);
ANALYZE;
"""
SQL = """
-- name: one_tuple(id)^
SELECT id, email, name, score, created FROM account WHERE id = :id;
-- name: one_dict(id)^
SELECT id, email, name, score, created FROM account WHERE id = :id;
-- name: one_model(id)^
SELECT id, email, name, score, created FROM account WHERE id = :id;
-- name: hundred_tuples(low)
SELECT id, email, name, score, created FROM account WHERE id BETWEEN :low AND :low + 99;
-- name: hundred_dicts(low)
SELECT id, email, name, score, created FROM account WHERE id BETWEEN :low AND :low + 99;
-- name: hundred_models(low)
SELECT id, email, name, score, created FROM account WHERE id BETWEEN :low AND :low + 99;
-- name: add(words)<!
INSERT INTO note (words) VALUES (:words) RETURNING id;
-- name: numbers(most)
SELECT n, n * 2 AS twice FROM generate_series(1, :most::int) AS n;
"""
ONE = "SELECT id, email, name, score, created FROM account WHERE id = %s"
HUNDRED = "SELECT id, email, name, score, created FROM account WHERE id BETWEEN %s AND %s + 99"
ADD = "INSERT INTO note (words) VALUES (%s) RETURNING id"


class Account(BaseModel):
    """The model of every tool that makes models."""

    id: int
    email: str
    name: str
    score: Any
    created: Any


@dataclass(slots=True)
class Case:
    """One tool in one case: `run` is called with a counter."""

    case: str
    tool: str
    run: Callable[[int], object]


def queries_of(connection: psycopg.Connection[Any], folder: Path) -> Any:
    """dbtrust's methods over the file."""
    file = folder / "bench.sql"
    file.write_text(SQL, encoding="utf-8")

    class Queries(SqlQueries, file=str(file)):
        def one_tuple(self, id: int) -> tuple[Any, ...] | None: ...
        def one_dict(self, id: int) -> dict[str, Any] | None: ...
        def one_model(self, id: int) -> Account | None: ...
        def hundred_tuples(self, low: int) -> list[tuple[Any, ...]]: ...
        def hundred_dicts(self, low: int) -> list[dict[str, Any]]: ...
        def hundred_models(self, low: int) -> list[Account]: ...
        def add(self, words: str) -> int: ...
        def numbers(self, most: int) -> Iterator[tuple[int, int]]: ...

    return Queries(connection)


def postgres_cases(url: str, folder: Path) -> Iterator[Case]:
    """psycopg, aiosql and dbtrust share a connection: another backend may run on a warmer core."""
    raw = psycopg.connect(url, autocommit=True)
    ours = queries_of(raw, folder)

    def dicts(query: Any, values: Any) -> Any:
        return raw.cursor(row_factory=dict_row).execute(query, values)

    yield Case("by id, tuple", "dbtrust", lambda n: ours.one_tuple(n))
    yield Case("by id, tuple", "psycopg", lambda n: raw.execute(ONE, (n,)).fetchone())
    yield Case("by id, dict", "dbtrust", lambda n: ours.one_dict(n))
    yield Case("by id, dict", "psycopg", lambda n: dicts(ONE, (n,)).fetchone())
    yield Case("by id, model", "dbtrust", lambda n: ours.one_model(n))
    yield Case("by id, model", "psycopg + pydantic", lambda n: Account(**dicts(ONE, (n,)).fetchone()))
    yield Case("100 rows, tuples", "dbtrust", lambda n: ours.hundred_tuples(n))
    yield Case("100 rows, tuples", "psycopg", lambda n: raw.execute(HUNDRED, (n, n)).fetchall())
    yield Case("100 rows, dicts", "dbtrust", lambda n: ours.hundred_dicts(n))
    yield Case("100 rows, dicts", "psycopg", lambda n: dicts(HUNDRED, (n, n)).fetchall())
    yield Case("100 rows, models", "dbtrust", lambda n: ours.hundred_models(n))
    yield Case(
        "100 rows, models",
        "psycopg + pydantic",
        lambda n: [Account(**r) for r in dicts(HUNDRED, (n, n))],
    )
    yield Case("insert", "dbtrust", lambda n: ours.add(f"words {n}"))
    yield Case("insert", "psycopg", lambda n: raw.execute(ADD, (f"words {n}",)).fetchone())
    yield from aiosql_cases(raw, folder)
    yield from alchemy_cases(url)


def aiosql_cases(connection: psycopg.Connection[Any], folder: Path) -> Iterator[Case]:
    """The same file through aiosql."""
    import aiosql

    queries = aiosql.from_path(folder / "bench.sql", "psycopg")
    yield Case("by id, tuple", "aiosql", lambda n: queries.one_tuple(connection, id=n))
    yield Case("100 rows, tuples", "aiosql", lambda n: list(queries.hundred_tuples(connection, low=n)))
    yield Case("insert", "aiosql", lambda n: queries.add(connection, words=f"words {n}"))


def alchemy_cases(url: str) -> Iterator[Case]:
    """SQLAlchemy's Core and ORM, over psycopg, in autocommit."""
    import sqlalchemy as sa
    from sqlalchemy.orm import DeclarativeBase, Session, mapped_column

    class Base(DeclarativeBase):
        pass

    class Row(Base):
        __tablename__ = "account"
        id = mapped_column(sa.Integer, primary_key=True)
        email = mapped_column(sa.Text)
        name = mapped_column(sa.Text)
        score = mapped_column(sa.Numeric)
        created = mapped_column(sa.DateTime(timezone=True))

    class Note(Base):
        __tablename__ = "note"
        id = mapped_column(sa.Integer, primary_key=True)
        words = mapped_column(sa.Text)

    engine = sa.create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(url), isolation_level="AUTOCOMMIT"
    )
    core, table = engine.connect(), sa.inspect(Row).local_table
    by_id = sa.select(table).where(table.c.id == sa.bindparam("n"))
    between = sa.select(table).where(table.c.id.between(sa.bindparam("n"), sa.bindparam("n") + 99))
    adding = sa.insert(Note).returning(Note.id)
    session = Session(engine, autoflush=False)

    def orm(statement: Any, n: int) -> Any:
        found = session.scalars(statement, {"n": n}).all()
        session.expunge_all()
        return found

    def orm_add(n: int) -> Any:
        note = Note(words=f"words {n}")
        session.add(note)
        session.flush()
        session.expunge_all()
        return note

    rows, ranges = (
        sa.select(Row).where(Row.id == sa.bindparam("n")),
        sa.select(Row).where(Row.id.between(sa.bindparam("n"), sa.bindparam("n") + 99)),
    )
    yield Case("by id, tuple", "SQLAlchemy Core", lambda n: core.execute(by_id, {"n": n}).fetchone())
    yield Case("by id, model", "SQLAlchemy ORM", lambda n: orm(rows, n))
    yield Case("100 rows, tuples", "SQLAlchemy Core", lambda n: core.execute(between, {"n": n}).fetchall())
    yield Case("100 rows, models", "SQLAlchemy ORM", lambda n: orm(ranges, n))
    yield Case("insert", "SQLAlchemy Core", lambda n: core.execute(adding, {"words": f"words {n}"}).scalar())
    yield Case("insert", "SQLAlchemy ORM", orm_add)


class Item(BaseModel):
    """A document of the MongoDB cases."""

    model_config = ConfigDict(arbitrary_types_allowed=True, populate_by_name=True)
    id: ObjectId | None = Field(default=None, alias="_id")
    number: int
    name: str
    price: float
    tags: list[str] = []


ITEMS = Collection("items", Item)


class ItemQueries(MongoQueries):
    """dbtrust's side on MongoDB."""

    def one(self, number: int) -> dict[str, Any] | None:
        return self.db.items.find_one({"number": number})

    def one_model(self, number: int) -> Item | None:
        found = self.db.items.find_one({"number": number})
        return None if found is None else ITEMS.load(found)

    def hundred(self, low: int) -> list[Item]:
        return [ITEMS.load(d) for d in self.db.items.find({"number": {"$gte": low, "$lt": low + 100}})]

    def add(self, number: int) -> Any:
        return self.db.added.insert_one(ITEMS.dump(Item(number=number, name="new", price=1.5))).inserted_id


def mongo_cases(client: pymongo.MongoClient[Any]) -> Iterator[Case]:
    """Raw pymongo (alone and with pydantic by hand) and dbtrust."""
    db = client.bench
    db.items.insert_many(
        {"number": n, "name": f"item {n}", "price": n / 7, "tags": ["a", "b"]} for n in range(10_100)
    )
    db.items.create_index("number")
    ours = ItemQueries(db)
    hundred = {"$gte": 0, "$lt": 0}
    yield Case("MongoDB by id, dict", "dbtrust", lambda n: ours.one(n))
    yield Case("MongoDB by id, dict", "pymongo", lambda n: db.items.find_one({"number": n}))
    yield Case("MongoDB by id, model", "dbtrust", lambda n: ours.one_model(n))
    yield Case(
        "MongoDB by id, model", "pymongo + pydantic", lambda n: Item(**db.items.find_one({"number": n}))
    )
    yield Case("MongoDB 100 documents", "dbtrust", lambda n: ours.hundred(n))
    yield Case(
        "MongoDB 100 documents",
        "pymongo + pydantic",
        lambda n: [Item(**d) for d in db.items.find({"number": {**hundred, "$gte": n, "$lt": n + 100}})],
    )
    yield Case("MongoDB insert", "dbtrust", lambda n: ours.add(n))
    yield Case(
        "MongoDB insert",
        "pymongo + pydantic",
        lambda n: db.added.insert_one(
            Item(number=n, name="new", price=1.5).model_dump(by_alias=True, exclude={"id"})
        ),
    )


def beanie_cases(client: Any, loop: asyncio.AbstractEventLoop) -> Iterator[Case]:
    """Beanie is asynchronous only; its loop runs for one call at a time."""
    import beanie

    class Document(beanie.Document):
        number: int
        name: str
        price: float
        tags: list[str] = Field(default=[])

        class Settings:
            name = "items"

    class Added(Document):
        class Settings:
            name = "added"

    loop.run_until_complete(beanie.init_beanie(database=client.bench, document_models=[Document, Added]))
    run = loop.run_until_complete
    yield Case("MongoDB by id, model", "Beanie", lambda n: run(Document.find_one({"number": n})))
    yield Case(
        "MongoDB 100 documents",
        "Beanie",
        lambda n: run(Document.find({"number": {"$gte": n, "$lt": n + 100}}).to_list()),
    )
    yield Case("MongoDB insert", "Beanie", lambda n: run(Added(number=n, name="new", price=1.5).insert()))


def measure(cases: list[Case], rounds: int, calls: int) -> dict[tuple[str, str], float]:
    """Median microseconds of the client's CPU for one call; the tools take turns."""
    found: dict[tuple[str, str], list[float]] = {(c.case, c.tool): [] for c in cases}
    for c in cases:
        for n in range(1, 12):
            c.run(n)
    gc.disable()
    for turn in range(rounds):
        for c in cases if turn % 2 else reversed(cases):
            count = calls // 10 if "100" in c.case else calls
            start = time.process_time()
            for n in range(1, count + 1):
                c.run(n * 7 % 9_900)
            found[c.case, c.tool].append((time.process_time() - start) / count * 1e6)
        gc.collect()
    gc.enable()
    return {key: statistics.median(values) for key, values in found.items()}


def iterator_memory(url: str, folder: Path, rows: int) -> float:
    """Megabytes that the process grows by while an iterator gives so many rows."""
    queries = queries_of(psycopg.connect(url, autocommit=True), folder)
    for _ in queries.numbers(5_000):
        pass
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in queries.numbers(rows):
        pass
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def install_peers() -> None:
    """Puts the peers behind everything that is importable already."""
    folder = user_cache_path("dbtrust") / "bench" / "-".join(p.replace("==", "") for p in PEERS)
    if not (folder / "done").exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), *PEERS]
        subprocess.run(pip, check=True, stderr=subprocess.DEVNULL)
        (folder / "done").touch()
    sys.path.append(str(folder))


def main() -> None:
    """Measures and prints."""
    asked = options(__doc__)
    install_peers()
    rounds, calls = (11, 200) if asked.quick else (41, 500)
    cores = sorted(os.sched_getaffinity(0))
    # The servers inherit this: client and server each keep to a core of their own.
    os.sched_setaffinity(0, cores[1:] or cores)
    with Run() as run, tempfile.TemporaryDirectory() as folder:
        url = start_postgres(run, find_postgres("17")).admin_url()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(SETUP)
        mongo = start_mongo(run, find_mongod("8.0")).url()
        os.sched_setaffinity(0, cores[:1])
        loop = asyncio.new_event_loop()
        beans: Any = pymongo.AsyncMongoClient(mongo)
        growth = iterator_memory(url, Path(folder), 1_000_000)
        with pymongo.MongoClient[Any](mongo) as client:
            cases = [*postgres_cases(url, Path(folder)), *mongo_cases(client), *beanie_cases(beans, loop)]
            medians = measure(cases, rounds, calls)
        loop.run_until_complete(beans.close())
        loop.close()
    report(medians, growth, as_json=asked.json)


def report(medians: dict[tuple[str, str], float], growth: float, *, as_json: bool) -> None:
    """The table: ours over each peer's, case by case."""
    ratios: dict[str, dict[str, float]] = {}
    for (case, tool), value in medians.items():
        if tool != "dbtrust":
            ratios.setdefault(case, {})[f"dbtrust / {tool}"] = medians[case, "dbtrust"] / value
    names = ("psycopg", "pymongo", "pydantic", "aiosql", "sqlalchemy", "beanie")
    versions = {name: importlib.metadata.version(name) for name in names}
    rows = {f"{tool}: {case}": value for (case, tool), value in sorted(medians.items())}
    ratios["an iterator over 1,000,000 rows"] = {"growth of the process in MB": growth}
    show("queries", versions, rows, "µs", ratios, as_json=as_json)


if __name__ == "__main__":
    main()
