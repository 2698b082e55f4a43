"""MongoDB under crash tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
from pymongo.errors import PyMongoError
from tests.crash.lab import HERE, State, command_words, kill_server, ledger

from dbtrust.engine.mongo.binaries import find_mongod
from dbtrust.engine.mongo.catalog import snapshot
from dbtrust.engine.mongo.server import MongoServer, start_mongo
from dbtrust.engine.runs import Run
from dbtrust.model.ledger import LEDGER, Entry
from dbtrust.model.plan import Engine

#: In each collection: several batches of every update.
DOCUMENTS = 6000
_START = datetime(2024, 1, 1, tzinfo=UTC)


class MongoLab:
    engine: Engine = "mongo"
    folder = HERE / "mongo"

    def __init__(self, run: Run, server: MongoServer | None = None, documents: int = DOCUMENTS) -> None:
        self.documents = documents
        self.server = server or start_mongo(run, find_mongod("8.0"))
        self._owned = server is None
        self.client = self._connect()

    def _connect(self) -> pymongo.MongoClient[dict[str, Any]]:
        return pymongo.MongoClient[dict[str, Any]](self.server.url())

    def fresh(self, name: str) -> str:
        db = self.client[name]
        db.account.insert_many([_account(n) for n in range(1, self.documents + 1)])
        db.booking.insert_many([_booking(n) for n in range(1, self.documents + 1)])
        db.create_collection("scratch", validator={"a": {"$exists": True}})
        db.scratch.create_index([("a", 1)], name="a", unique=True)
        return self.server.url(name)

    def drop(self, name: str) -> None:
        self.client.drop_database(name)

    def state(self, name: str) -> State:
        db = self.client[name]
        found = snapshot(db)
        hashes = db.command("dbHash")["collections"]
        rows = {
            key: value for key, value in hashes.items() if key != LEDGER and not key.startswith("system.")
        }
        building = [str(o) for o in found.objects if "building" in o.definition]
        return State(found, rows, building)

    def entries(self, name: str) -> dict[int, Entry]:
        return ledger(self.engine, self.server.url(name))

    def doing(self, name: str) -> str:
        pipeline = [
            {"$currentOp": {"allUsers": True, "idleSessions": False}},
            {"$match": {"ns": {"$regex": f"^{name}\\."}}},
        ]
        try:
            found = [command_words(o) for o in self.client.admin.aggregate(pipeline)]
        except PyMongoError as error:
            return f"unknown: {type(error).__name__}"
        return f"in {', '.join(sorted(set(found)))}" if found else "between commands"

    def crash(self) -> None:
        kill_server(self.server.folder, self.server._process)
        self.server.launch(self.server.port)
        self.client.close()
        self.client = self._connect()

    def close(self) -> None:
        self.client.close()
        if self._owned:
            self.server.stop()


def _account(n: int) -> dict[str, Any]:
    place = {"type": "Point", "coordinates": [n % 90, n % 45]}
    mail = f"u{n}@example.org"
    return {"_id": n, "email": mail, "n": 0, "region": n % 17, "tags": ["a", f"t{n % 50}"], "place": place}


def _booking(n: int) -> dict[str, Any]:
    at = _START + timedelta(hours=n)
    return {"_id": n, "account": n, "amount": n % 100, "at": at, "note": f"word{n % 300} and word{n % 7}"}
