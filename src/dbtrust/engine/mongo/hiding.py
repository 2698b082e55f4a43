"""What commands cost while an index is out of the planner's sight."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.database import Database

Document = Mapping[str, Any]
_RAW = CodecOptions[RawBSONDocument](document_class=RawBSONDocument)
_WRITES = frozenset({"update", "delete", "findAndModify", "findandmodify"})
#: What belongs to the session that a command was sent in.
_SESSION = frozenset({
    "lsid", "txnNumber", "autocommit", "startTransaction", "stmtId", "stmtIds", "$clusterTime", "$db",
    "$readPreference", "readConcern", "writeConcern", "maxTimeMS",
})  # fmt: skip


def collections_with(db: Database[Any], index: str, commands: Sequence[Document]) -> list[str]:
    """The collections that the commands name and that have an index of this name."""
    return [
        name
        for name in dict.fromkeys(name for command in commands for name in _named(command))
        if index in db[name].index_information()
    ]


def _named(command: Document) -> Generator[str]:
    """The collection of a command, and those that its pipeline joins."""
    yield str(command[next(iter(command))])
    yield from _joined(command.get("pipeline"))


def _joined(value: Any) -> Generator[str]:
    if isinstance(value, Mapping):
        for key, item in cast("Document", value).items():
            if key in ("from", "coll") and isinstance(item, str):
                yield item
            yield from _joined(item)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _joined(item)


@contextmanager
def hidden(db: Database[Any], collections: Sequence[str], index: str) -> Generator[None]:
    """The index is hidden in these collections; it is kept up all the same, and shown again at the end.

    Raises OperationFailure, for example for the index on _id.
    """
    done: list[str] = []
    try:
        for name in collections:
            db.command({"collMod": name, "index": {"name": index, "hidden": True}})
            done.append(name)
        yield
    finally:
        for name in done:
            db.command({"collMod": name, "index": {"name": index, "hidden": False}})


def run_all(db: Database[Any], commands: Sequence[Document], *, limit_ms: int) -> float:
    """Milliseconds that the commands take on the driver's side, cursors read to their end, nothing decoded.

    A command that writes runs in a transaction that is aborted. Raises PyMongoError; ExecutionTimeout after
    `limit_ms` on the server.
    """
    spent = 0.0
    for command in commands:
        bare = {key: value for key, value in command.items() if key not in _SESSION}
        bare["maxTimeMS"] = limit_ms
        if next(iter(command)) in _WRITES:
            spent += _aborted(db, bare)
        else:
            started = time.perf_counter()
            _exhaust(db, bare)
            spent += time.perf_counter() - started
    return spent * 1000


def _aborted(db: Database[Any], command: dict[str, Any]) -> float:
    with db.client.start_session() as session, session.start_transaction():
        started = time.perf_counter()
        db.command(command, session=session)
        spent = time.perf_counter() - started
        session.abort_transaction()
    return spent


def _exhaust(db: Database[Any], command: dict[str, Any]) -> None:
    """A command and the rest of its cursor; one session for all of it, as the server wants."""
    with db.client.start_session() as session:
        reply = db.command(command, codec_options=_RAW, session=session)
        cursor = reply.get("cursor")
        while cursor is not None and cursor["id"]:
            more = _more(cursor)
            cursor = db.command(more, codec_options=_RAW, session=session)["cursor"]


def _more(cursor: Any) -> dict[str, Any]:
    return {"getMore": cursor["id"], "collection": str(cursor["ns"]).partition(".")[2]}
