"""The lease on a ledger: one document, on the server's clock, with a token that grows with every holder.

The server decides who holds it in one update, so there is nothing between looking and taking. A holder that was
paused past its lease finds another token in the document, and writes nothing more.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from dbtrust.engine.mongo.scratch import dead, machine, started

Document = Mapping[str, Any]
LEASE_ID = "lease"
#: A lease lasts so long unless it is renewed; it is renewed three times within it.
SECONDS = 15.0
#: The `until` of a lease that was given back.
_FREE = datetime(1970, 1, 1, tzinfo=UTC)


class Holder(NamedTuple):
    """Who holds a lease, as it says itself; `since` is the server's time."""

    run: str
    token: int
    who: str = ""
    host: str = ""
    pid: int = 0
    since: datetime | None = None
    #: It is certain that the process is gone: it ran on this machine.
    gone: bool = False
    #: Its time is over, on the server's clock; `given_back`: it ended the lease itself.
    over: bool = False
    given_back: bool = False

    @property
    def free(self) -> bool:
        return self.gone or self.over

    def __str__(self) -> str:
        when = f" since {self.since:%Y-%m-%d %H:%M:%S} UTC" if self.since else ""
        return f"{self.who} (host {self.host}, process {self.pid}){when}"


class Lease(NamedTuple):
    """A lease that this process took; `token` goes into every document that it writes."""

    run: str
    token: int
    #: The run that held it before and did not give it back.
    heir_of: str | None = None

    @property
    def renewal(self) -> dict[str, Any]:
        """An update that renews the lease, and fails by the unique _id where another one holds it."""
        until = {"$add": ["$$NOW", int(SECONDS * 1000)]}
        return {"q": self._mine, "u": [{"$set": {"until": until}}], "upsert": True}

    @property
    def release(self) -> dict[str, Any]:
        """An update that gives the lease back; the token stays, so that the next one is higher."""
        return {"q": self._mine, "u": {"$set": {"until": _FREE}}, "upsert": True}

    @property
    def _mine(self) -> dict[str, Any]:
        return {"_id": LEASE_ID, "kind": "lease", "token": self.token, "run": self.run}


#: In the projection of a find: what a holder says, and whether its time is over.
VIEW: Mapping[str, Any] = {
    "format": 1, "run": 1, "token": 1, "who": 1, "host": 1, "pid": 1, "since": 1, "machine": 1, "started": 1, "until": 1,
    "over": {"$lte": ["$until", "$$NOW"]},
}  # fmt: skip


def try_lease(ledger: Collection[Any], run: str, replacing: Holder | None = None) -> Lease | Holder:
    """Takes the lease where it is free or over, or held by `replacing`; else who holds it. Raises PyMongoError."""
    try:
        found = _decide(ledger, run, replacing)
    except DuplicateKeyError:  # two made the document at the same moment
        found = _decide(ledger, run, replacing)
    if found.get("run") == run:
        return Lease(run, int(found["token"]), found.get("heir_of"))
    return holder_of(found)


def _decide(ledger: Collection[Any], run: str, replacing: Holder | None) -> Document:
    found = ledger.find_one_and_update(
        {"_id": LEASE_ID}, _take(run, replacing), upsert=True, return_document=ReturnDocument.AFTER
    )
    assert found is not None
    return found


def _take(run: str, replacing: Holder | None) -> list[dict[str, Any]]:
    """The whole decision as a pipeline: the document of a new holder, or the one that is there."""
    until = {"$ifNull": ["$until", _FREE]}
    free: list[Any] = [{"$lte": [until, "$$NOW"]}, {"$eq": ["$run", {"$literal": run}]}]
    if replacing is not None:
        mine = {"$eq": ["$run", {"$literal": replacing.run}]}
        free.append({"$and": [mine, {"$eq": ["$token", replacing.token]}]})
    taken = {
        "_id": LEASE_ID,
        "kind": "lease",
        "token": {"$add": [{"$ifNull": ["$token", 0]}, 1]},
        **{name: {"$literal": value} for name, value in _self(run).items()},
        "since": "$$NOW",
        "until": {"$add": ["$$NOW", int(SECONDS * 1000)]},
        "heir_of": {"$cond": [{"$gt": [until, _FREE]}, "$run", None]},
    }
    return [{"$replaceWith": {"$cond": [{"$or": free}, taken, "$$ROOT"]}}]


def _self(run: str) -> dict[str, Any]:
    pid = os.getpid()
    return {
        "run": run, "who": whoami(), "host": socket.gethostname(), "pid": pid,
        "machine": machine(), "started": started(pid),
    }  # fmt: skip


def holder_of(found: Document) -> Holder:
    """The holder that a lease's document tells of."""
    gone = found.get("machine") == machine() and dead(found, datetime.now(UTC))
    return Holder(
        str(found.get("run", "")), int(found.get("token", 0)), str(found.get("who", "")), str(found.get("host", "")),
        int(found.get("pid", 0)), found.get("since"), gone, bool(found.get("over")), found.get("until") == _FREE,
    )  # fmt: skip


def new_run() -> str:
    """A name that no other run has."""
    return os.urandom(8).hex()


def whoami() -> str:
    """The user of this process at its host."""
    import getpass

    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # a container may run as a number without a name
        name = str(os.getuid())
    return f"{name}@{socket.gethostname()}"
