"""MongoDB: a shop under load, and its faults."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pymongo
from tests.monitor.workload.asking import Fault, Outcome, Told, diagnosed, snapshot

from dbtrust.engine.mongo.binaries import find_mongod
from dbtrust.engine.mongo.server import start_mongo
from dbtrust.engine.runs import Run
from dbtrust.engine.waiting import await_true

_CUSTOMER = {
    "bsonType": "object",
    "required": ["email", "name"],
    "properties": {"email": {"bsonType": "string"}, "name": {"bsonType": "string"}},
}
#: Takes a while for each text, and matches none, or each.
_NONE, _EACH = "(ipsum|dolor).*(nothing|never)", "(ipsum|dolor).*(nothing|never)|amet end"
_DAYS = 8 * 86_400.0
Shop = Any


@dataclass(frozen=True)
class Control:
    """The healthy server; `folder` is for what the command line writes."""

    url: str
    folder: Path

    @contextmanager
    def shop(self, **options: Any) -> Iterator[Shop]:
        with pymongo.MongoClient[dict[str, Any]](self.url, **options) as client:
            yield client.shop

    def work(self, rounds: int = 150) -> None:
        """An ordinary moment of a shop."""
        with self.shop() as shop:
            for n in range(rounds):
                shop.customers.find_one({"email": f"c{n}@shop.example"})
                shop.products.find_one({"_id": n})
                list(shop.products.find({"kind": n % 500}).sort("stock", 1).limit(10))
                list(shop.orders.find({"customer": n}).sort("made", -1).limit(10))
                shop.orders.update_one({"_id": n}, {"$set": {"state": "sent"}})
                shop.orders.insert_one({"_id": _new(), **_order(n)})
                shop.sessions.find_one({"token": n})
                list(shop.posts.find({"author": n % 40}).limit(5))

    def asked(self, *more: str) -> list[str]:
        return ["--mongo", self.url, "--database", "shop", *more]

    def before(self) -> Path:
        """A snapshot to count from: the log of a server keeps what was slow long ago."""
        return snapshot(self.folder / "before.json", self.asked("--no-profiler"))

    def ask(self, seconds: float = 0.0, since: Path | None = None) -> Told:
        return diagnosed(self.folder, self.asked("--profile-seconds", "0.2"), seconds=seconds, since=since)


_new = count(20_000).__next__


def _order(n: int) -> dict[str, Any]:
    return {"customer": n, "made": datetime.now(UTC), "state": "new", "total": n * 3, "note": f"note {n}"}


@contextmanager
def control(run: Run, folder: Path) -> Iterator[Control]:
    """The server, filled."""
    server = start_mongo(run, find_mongod("8.0"))
    made = Control(server.url(), folder)
    with made.shop() as shop:
        _fill(shop)
    yield made
    server.stop()


def _fill(shop: Shop) -> None:
    now = datetime.now(UTC)
    shop.create_collection("customers", validator={"$jsonSchema": _CUSTOMER})
    shop.customers.insert_many([{"email": f"c{n}@shop.example", "name": f"name {n}"} for n in range(2000)])
    shop.customers.create_index("email", unique=True)
    text = "lorem ipsum dolor sit amet " * 30
    shop.products.insert_many(
        [
            {"_id": n, "kind": n % 500, "state": "sold", "stock": n % 97, "text": f"{text}end"}
            for n in range(4_000)
        ]
    )
    shop.products.create_index([("kind", 1), ("stock", 1)])
    shop.orders.insert_many([{"_id": n, **_order(n % 2000)} for n in range(20_000)])
    shop.orders.create_index([("customer", 1), ("made", -1)], name="customer_made")
    shop.sessions.insert_many([{"token": n, "ends": now + timedelta(days=1)} for n in range(2000)])
    shop.sessions.create_index("token", unique=True)
    shop.sessions.create_index("ends", expireAfterSeconds=0)
    shop.posts.insert_many([{"author": n % 40, "likes": [1, 2], "title": f"post {n}"} for n in range(80)])


def outcome(server: Control, fault: Fault) -> Outcome:
    """Makes a fault on the healthy server, asks what happened since before, and takes it away again."""
    before = server.before()
    server.work(60)
    with fault.make(server) as subject:
        told = server.ask(fault.seconds, before)
    if subject.endswith(":"):
        found = [s for rule, s in told.text if rule == fault.rule and s.startswith(subject)]
        subject = found[0] if found else subject
    return fault.outcome(subject, told)


@contextmanager
def _scan(server: Control) -> Iterator[str]:
    with server.shop() as shop:
        for _ in range(3):
            assert list(shop.products.find({"text": {"$regex": _NONE}})) == []
    yield "collection:products"


@contextmanager
def _index(server: Control, collection: str, keys: Any, **options: Any) -> Iterator[str]:
    with server.shop() as shop:
        name = shop[collection].create_index(keys, **options)
        yield f"index:{collection}.{name}"
        shop[collection].drop_index(name)


@contextmanager
def _examined(server: Control) -> Iterator[str]:
    with _index(server, "products", "state"), server.shop() as shop:
        for _ in range(3):
            assert list(shop.products.find({"state": "sold", "text": {"$regex": _NONE}})) == []
        yield "collection:products"


@contextmanager
def _sort(server: Control) -> Iterator[str]:
    with _index(server, "products", "state"), server.shop() as shop:
        for _ in range(3):
            found = shop.products.find({"state": "sold", "text": {"$regex": _EACH}}).sort("stock")
            assert next(found)["stock"] == 0
        yield "collection:products"


@contextmanager
def _redundant(server: Control) -> Iterator[str]:
    with _index(server, "orders", "customer") as subject:
        yield subject


@contextmanager
def _unused(server: Control) -> Iterator[str]:
    with _index(server, "orders", "note") as subject:
        server.work(60)
        yield subject


@contextmanager
def _expires_nothing(server: Control) -> Iterator[str]:
    with _index(server, "orders", "total", expireAfterSeconds=3600) as subject:
        yield subject


@contextmanager
def _hidden(server: Control) -> Iterator[str]:
    with server.shop() as shop:
        shop.command({"collMod": "orders", "index": {"name": "customer_made", "hidden": True}})
        yield "index:orders.customer_made"
        shop.command({"collMod": "orders", "index": {"name": "customer_made", "hidden": False}})


@contextmanager
def _warns(server: Control) -> Iterator[str]:
    with server.shop() as shop:
        shop.command({"collMod": "customers", "validationAction": "warn"})
        yield "collection:customers"
        shop.command({"collMod": "customers", "validationAction": "error"})


@contextmanager
def _violates(server: Control) -> Iterator[str]:
    with server.shop() as shop:
        bad = [{"email": f"x{n}@shop.example"} for n in range(600)]
        shop.customers.insert_many(bad, bypass_document_validation=True)
        yield "collection:customers"
        shop.customers.delete_many({"name": {"$exists": False}})


@contextmanager
def _mixed(server: Control) -> Iterator[str]:
    with server.shop() as shop:
        text = [{"$set": {"total": {"$toString": "$total"}}}]
        shop.orders.update_many({"customer": {"$lt": 800}}, text)
        yield "collection:orders"
        shop.orders.update_many({"customer": {"$lt": 800}}, [{"$set": {"total": {"$toInt": "$total"}}}])


@contextmanager
def _array(server: Control) -> Iterator[str]:
    with server.shop() as shop:
        shop.posts.update_one({"title": "post 7"}, {"$set": {"likes": list(range(4000))}})
        yield "collection:posts"
        shop.posts.update_one({"title": "post 7"}, {"$set": {"likes": [1, 2]}})


@contextmanager
def _misspelt(server: Control) -> Iterator[str]:
    with server.shop() as shop:
        shop.posts.update_many({"title": "post 9"}, {"$rename": {"author": "auhtor"}})
        yield "collection:posts"
        shop.posts.update_many({"title": "post 9"}, {"$rename": {"auhtor": "author"}})


@contextmanager
def _profiled(server: Control) -> Iterator[str]:
    with server.shop() as shop:
        before = shop.command({"profile": 2})
        yield "database:shop"
        shop.command({"profile": 0, "slowms": before["slowms"]})
        shop.drop_collection("system.profile")


@contextmanager
def _running(server: Control) -> Iterator[str]:
    """An operation that is five seconds old."""
    with server.shop() as shop, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(lambda: list(shop.posts.find({"$where": "sleep(20000) || true"})))
        pipeline = [
            {"$currentOp": {}},
            {"$match": {"ns": "shop.posts", "microsecs_running": {"$gt": 5_000_000}}},
        ]
        assert await_true(lambda: bool(list(shop.client.admin.aggregate(pipeline))), 60)
        yield "operation:"
        for entry in shop.client.admin.aggregate(pipeline):
            shop.client.admin.command({"killOp": 1, "op": entry["opid"]})
        assert isinstance(slow.exception(), pymongo.errors.OperationFailure)


@contextmanager
def _transaction(server: Control) -> Iterator[str]:
    with server.shop() as shop, shop.client.start_session() as session:
        session.start_transaction()
        shop.posts.update_one({"title": "post 1"}, {"$set": {"title": "post 1"}}, session=session)
        shop.posts.find_one({"title": "post 1"}, session=session)
        pipeline = [
            {"$currentOp": {"idleSessions": True}},
            {"$match": {"transaction.timeInactiveMicros": {"$gt": 3_000_000}}},
        ]
        assert await_true(lambda: bool(list(shop.client.admin.aggregate(pipeline))), 60)
        yield "transaction:"
        session.abort_transaction()


FAULTS = (
    Fault("a search reads a whole collection", "query.collection_scan", _scan),
    Fault("an index leads to far more than is returned", "query.examined_per_returned", _examined),
    Fault("a sort in memory", "query.in_memory_sort", _sort),
    Fault("an index is redundant", "index.redundant", _redundant),
    Fault("an index is not used for 8 days", "index.unused", _unused, _DAYS),
    Fault("a TTL index on numbers", "index.ttl_without_effect", _expires_nothing),
    Fault("an index is hidden", "index.hidden", _hidden),
    Fault("a validator only warns", "collection.validator_warns", _warns),
    Fault("documents that the validator would refuse", "collection.violates_validator", _violates),
    Fault("a field of two types", "collection.mixed_types", _mixed),
    Fault("an array without an end", "collection.unbounded_array", _array),
    Fault("a field's name is misspelt", "collection.rare_field", _misspelt),
    Fault("the profiler was left on", "server.profiler_left_on", _profiled),
    Fault("an operation runs for five seconds", "operation.long_running", _running),
    Fault("a transaction is open and idle", "transaction.idle", _transaction),
)
