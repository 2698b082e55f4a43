"""The ledger of a MongoDB database: one collection with a document for each migration, step and piece of an undo.

_id is "7" for a migration, "7/1" for its first step, "7/1/000001" for the first ids that the step changed; "meta" and
"lease" are the ledger's own. Every write is one command that renews the lease first: where another runner holds it,
the command ends there and writes nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

from pymongo import ReadPreference
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import OperationFailure, WriteConcernError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from dbtrust.engine.mongo import lease
from dbtrust.engine.mongo.lease import LEASE_ID, VIEW, Holder, Lease, holder_of, try_lease
from dbtrust.model.errors import FAILED, DbtrustError
from dbtrust.model.ledger import (
    GONE,
    GONE_NEXT,
    LEDGER,
    LEDGER_FORMAT,
    Entry,
    StepEntry,
    check_states,
    unreadable,
)

Document = dict[str, Any]
META_ID = "meta"
_WHERE = f"collection {LEDGER}"
_KINDS = ("migration", "step", "ids")
_MAJORITY = WriteConcern(w="majority")
_DUPLICATE = 11000
_STEP = ("step", "text", "state", "checksum", "duration_ms", "at_least_once", "stored")
_MIGRATION = (
    "written", "name", "engine", "state", "origin", "checksum", "source", "who", "dbtrust", "at", "duration_ms",
)  # fmt: skip


#: A lease counts as fresh for this part of its time.
_FRESH = 0.2


def _clock() -> float:
    """Seconds; also those of a machine that was asleep are counted, where the system can."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class NewerLedger(DbtrustError):
    """A later dbtrust wrote the ledger; what its documents mean is not known here."""

    code = FAILED


class LeaseLost(DbtrustError):
    """Another runner holds the lease; nothing was written."""

    code = FAILED

    def __init__(self) -> None:
        super().__init__(
            "another runner took over while this one did not answer; nothing was written after that",
            next="run it again: it goes on from what the other one wrote",
        )


class LedgerGone(DbtrustError):
    """Documents that this run wrote are not there any more, and no other runner took over."""

    code = FAILED

    def __init__(self) -> None:
        super().__init__(GONE, next=GONE_NEXT)


class Ledger:
    """Reads need no lease; writes do. Made by the thread that migrates; `renew` may be called by another."""

    def __init__(self, db: Database[Any]) -> None:
        self._db = db
        self._collection = db.get_collection(
            LEDGER,
            read_preference=ReadPreference.PRIMARY,
            read_concern=ReadConcern("majority"),
            write_concern=_MAJORITY,
        )
        self._mutex = threading.RLock()
        self._waiting: list[Document] = []
        self._removed = self._begun = False
        self.lease: Lease | None = None
        self._renewed_at = 0.0
        self._gone: LedgerGone | None = None

    # --- reading

    def read(self) -> dict[int, Entry]:
        """The migrations by number. The steps are read where a migration is not done.

        Raises NewerLedger, MigrationStopped for what is no ledger of ours, PyMongoError.
        """
        asked = {"$or": [{"_id": META_ID}, {"kind": "migration"}]}
        documents = list(self._collection.find(asked))
        metas = [document for document in documents if document["_id"] == META_ID]
        for meta in metas:
            _understood(meta)
        if not metas:
            self._refuse_strangers()
        try:
            entries = self._entries([d for d in documents if d["_id"] != META_ID and d["state"] != "removed"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise unreadable(_WHERE, f"{type(error).__name__} {error}") from error
        for entry in entries:
            check_states(_WHERE, entry)
        return {entry.number: entry for entry in entries}

    def _entries(self, migrations: Sequence[Document]) -> list[Entry]:
        steps = {d["_id"]: self.steps(d["_id"]) for d in migrations if d["state"] != "done"}
        return [_entry(d, steps.get(d["_id"], ())) for d in migrations]

    def _refuse_strangers(self) -> None:
        """A collection or view of the user's own that has the ledger's name. Raises MigrationStopped."""
        ours = {"_id": {"$nin": [META_ID, LEASE_ID]}, "kind": {"$nin": list(_KINDS)}}
        if self._collection.find_one(ours, {"_id": 1}) is not None:
            raise unreadable(_WHERE, f"the document {META_ID} about itself is missing")
        for found in self._db.list_collections(filter={"name": LEDGER}):
            if found["type"] != "collection":
                raise unreadable(_WHERE, f"it is a {found['type']}")

    def steps(self, key: str) -> tuple[StepEntry, ...]:
        """The steps of a migration, in order, with what is stored for their undo."""
        return self.steps_of([key])[key]

    def steps_of(self, keys: Sequence[str]) -> dict[str, tuple[StepEntry, ...]]:
        """The same for many migrations at once."""
        found: dict[str, list[StepEntry]] = {key: [] for key in keys}
        asked = {"_id": _below(keys[0])} if len(keys) == 1 else {"of": {"$in": list(keys)}}
        for document in self._collection.find({"kind": "step", "state": {"$ne": "removed"}, **asked}):
            found[document["of"]].append(_step(document))
        return {key: tuple(sorted(steps, key=lambda step: step.step)) for key, steps in found.items()}

    def ids(self, key: str) -> Iterable[tuple[str, list[Any]]]:
        """The pieces of the ids that a step changed, in order: the piece's _id, and the ids."""
        for document in self._collection.find(
            {"_id": _below(key), "kind": "ids", "state": {"$ne": "removed"}}
        ).sort("_id", 1):
            yield document["_id"], document["ids"]

    # --- the lease

    def holder(self) -> Holder | None:
        """Who held the lease last, or holds it. Raises NewerLedger, before anything is written."""
        found = {d["_id"]: d for d in self._collection.find({"_id": {"$in": [META_ID, LEASE_ID]}}, VIEW)}
        if META_ID in found:
            _understood(found[META_ID])
        self._begun = META_ID in found
        return holder_of(found[LEASE_ID]) if LEASE_ID in found else None

    def take(self, run: str, replacing: Holder | None = None) -> Holder | None:
        """None where the lease is ours now; else who holds it. Waits for an open transaction that wrote here."""
        taken = try_lease(self._collection, run, replacing)
        if isinstance(taken, Holder):
            return taken
        self.lease, self._renewed_at, self._gone = taken, 0.0, None
        if not self._begun:
            self._send([put(self._token, {"_id": META_ID, "kind": "meta", "format": LEDGER_FORMAT})])
        self._sweep()
        return None

    def renew(self) -> None:
        """Keeps the lease, and writes what waits to be written. Raises LeaseLost, LedgerGone, PyMongoError."""
        with self._mutex:
            self._send(self._waiting)
            self._waiting = []

    def fence(self) -> None:
        """Called right before a command that no token can be tied to. Raises LeaseLost, PyMongoError.

        Nobody can have taken over a lease that was renewed a moment ago; one that is older, because this process
        was paused or waited for the server, is renewed first.
        """
        if _clock() - self._renewed_at > lease.SECONDS * _FRESH:
            self.renew()

    def give_back(self) -> None:
        """Writes what waits, and lets the next runner in. Raises LeaseLost, LedgerGone, PyMongoError."""
        ours = self.lease
        assert ours is not None
        with self._mutex:
            with suppress(LedgerGone):
                self._send(self._waiting)
            self._waiting = []
            if self._removed:
                self._sweep()
            gone, self._gone = self._gone, None
            self._send([ours.release])
        self.lease = None
        if gone is not None:
            raise gone

    def _sweep(self) -> None:
        """Deletes what was marked as removed; a later holder's mark is left to it."""
        self._collection.delete_many({"state": "removed", "token": {"$lte": self._token}})
        self._removed = False

    @property
    def _token(self) -> int:
        assert self.lease is not None
        return self.lease.token

    # --- writing

    def later(self, *documents: Document) -> None:
        """Documents to be written with the next write, or renewal: nothing depends on them before."""
        with self._mutex:
            self._waiting += [put(self._token, document) for document in documents]

    def amend(self, key: str, **fields: Any) -> None:
        """Fields of a document that is there, to be written as by `later`."""
        change = {"$set": {**fields, "token": self._token}}
        with self._mutex:
            self._waiting.append({"q": {"_id": key, "token": {"$lte": self._token}}, "u": change})

    def write(self, *documents: Document) -> None:
        """Writes whole documents, behind what waits. Raises LeaseLost, and PyMongoError: then it is not known."""
        with self._mutex:
            self.later(*documents)
            self.flush()

    def flush(self) -> None:
        """Writes what waits, if anything does. Raises as `write`."""
        if self._waiting:
            self.renew()

    def remove(self, key: str) -> None:
        """Takes a migration out with all that belongs to it; the documents go when the lease is given back."""
        with self._mutex:
            self._removed = True
            gone = {"$set": {"state": "removed", "token": self._token}}
            older = {"$lte": self._token}
            self._waiting += [
                {"q": {"_id": key, "token": older}, "u": gone, "multi": True},
                {"q": {"_id": _below(key), "token": older}, "u": gone, "multi": True},
            ]

    def write_in(self, session: ClientSession, *documents: Document) -> None:
        """Writes in a transaction, last of all: the lease's document is in it. Raises LeaseLost, PyMongoError."""
        self._send([put(self._token, document) for document in documents], session)

    def _send(self, updates: Sequence[Document], session: ClientSession | None = None) -> None:
        assert self.lease is not None
        if self._gone is not None:  # the thread that renews may have seen it
            raise self._gone
        sent_at = _clock()
        command: Document = {
            "update": LEDGER,
            "ordered": True,
            "updates": [self.lease.renewal, *updates],
        }
        if session is None:
            command["writeConcern"] = _MAJORITY.document
        reply = cast(
            "Mapping[str, Any]",
            self._db.command(command, session=session, codec_options=self._db.codec_options),
        )
        for error in reply.get("writeErrors", ()):
            if error["code"] == _DUPLICATE:
                raise LeaseLost
            raise OperationFailure(error["errmsg"], error["code"], error)
        if _missed(reply, updates):
            self._gone = LedgerGone()
            raise self._gone
        if session is None:  # a transaction may still be aborted
            self._renewed_at = sent_at
        if "writeConcernError" in reply:
            concern = reply["writeConcernError"]
            raise WriteConcernError(concern.get("errmsg", ""), concern.get("code"), concern)


def _missed(reply: Mapping[str, Any], updates: Sequence[Document]) -> bool:
    """Was the lease's document made anew by its renewal, or a document not found that is to be amended?

    The reply counts what all updates matched; one that marks what is removed may match any number, or nothing.
    """
    renewed = any(made["index"] == 0 for made in reply.get("upserted", ()))
    sure = 1 + sum("multi" not in update for update in updates)
    return renewed or reply["n"] < sure


def put(token: int, document: Document) -> Document:
    """Replaces a whole document, unless a later holder of the lease has written it."""
    return {
        "q": {"_id": document["_id"], "token": {"$lte": token}},
        "u": document | {"token": token},
        "upsert": True,
    }


def step_document(key: str, step: StepEntry) -> Document:
    return {
        "_id": step_key(key, step.step),
        "kind": "step",
        "of": key,
        **{name: getattr(step, name) for name in _STEP},
    }


def step_key(key: str, step: int) -> str:
    return f"{key}/{step}"


def ids_document(key: str, piece: int, ids: list[Any]) -> Document:
    """A piece of the ids that the step of that key changed."""
    return {"_id": f"{key}/{piece:08d}", "kind": "ids", "ids": ids}


def used_ids(piece: str) -> Document:
    """The piece once its documents were changed back."""
    return {"_id": piece, "kind": "ids", "state": "removed"}


def migration_document(entry: Entry) -> Document:
    fields = {name: getattr(entry, name) for name in _MIGRATION}
    return {"_id": str(entry.number), "kind": "migration", **fields}


def _entry(document: Document, steps: Sequence[StepEntry]) -> Entry:
    return Entry(
        int(document["_id"]), document["written"], document["name"], "mongo", document["state"], document["origin"],
        document["checksum"], document.get("source"), document.get("who", ""), document.get("dbtrust", ""),
        document.get("at"), document.get("duration_ms"), tuple(steps),
    )  # fmt: skip


def _step(document: Document) -> StepEntry:
    return StepEntry(**{name: document[name] for name in _STEP})


def _below(key: str) -> Document:
    """All _ids that begin with KEY/: 0 is the character behind /."""
    return {"$gte": f"{key}/", "$lt": f"{key}0"}


def _understood(meta: Mapping[str, Any]) -> None:
    if not isinstance(meta.get("format", 0), int):
        raise unreadable(_WHERE, f"its format is {meta['format']!r}")
    if meta.get("format", 0) > LEDGER_FORMAT:
        raise NewerLedger(
            f"the ledger {LEDGER} has format {meta['format']}, written by a newer dbtrust; this one knows {LEDGER_FORMAT}",
            next="update dbtrust",
        )
