"""What a command sends to a database: the profiler's documents, read while they are written."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import pymongo
from pymongo.database import Database
from pymongo.errors import CollectionInvalid, OperationFailure

from dbtrust.engine.mongo.connect import connect
from dbtrust.engine.mongo.explain import ENVELOPE
from dbtrust.engine.waiting import await_true
from dbtrust.model.errors import DbtrustError, ServerError
from dbtrust.model.recorded import Sent

Document = Mapping[str, Any]
_PROFILE = "system.profile"
#: Bytes of the capped collection (the server's own choice is 1 MB); it is read while it fills.
_SIZE = 256 << 20
#: dbtrust's own clients say this name, and the profiler leaves them out.
_FILTER = {"appName": {"$ne": "dbtrust"}}
_SECONDS = 60.0
_PAUSE = 0.01
#: So many looks in a row at settings that are not ours: about two seconds.
_CHANGED = 20
#: CappedPositionLost: more was written than the collection holds before it was read.
_OVERTAKEN = 136
#: Also QueryPlanKilled, NamespaceNotFound, CursorNotFound: the collection is another one.
_GONE = frozenset({_OVERTAKEN, 175, 26, 43})


class Profile:
    """Reads the profiler of one database in a thread of its own; `see` gets each document, in that thread.

    `gaps` counts how often documents may have been lost: the database was dropped, or the reader was overtaken.
    """

    def __init__(self, url: str, name: str, see: Callable[[Document], None]) -> None:
        self._client = connect(url)
        self._url, self._name = url, name
        self._see = see
        self._stop = threading.Event()
        self._seen_mark = threading.Event()
        self._mark = ""
        self._last: Any = None
        self._error: Exception | None = None
        self._settings: object = None
        self._changed = 0
        self.gaps = 0
        #: Other databases of the server that are there at the end.
        self.others: tuple[str, ...] = ()

    @contextmanager
    def running(self) -> Generator[None]:
        """Everything that is sent until the end of the block is seen.

        Raises ServerError, and DbtrustError where somebody changed the profiler's settings.
        """
        _arm(self._client[self._name])
        self._settings = _settings(self._client[self._name])
        thread = threading.Thread(target=self._read, name="dbtrust-profile", daemon=True)
        thread.start()
        try:
            before = set(self._client.list_database_names())
            yield
            self._finish()
            self.others = tuple(sorted(set(self._client.list_database_names()) - before - {self._name}))
        finally:
            self._stop.set()
            self._client.close()
            thread.join(_SECONDS)

    def _finish(self) -> None:
        """What was sent before the mark is read before it. Raises as `running` does."""
        self._mark = f"dbtrust end {id(self)}"
        with pymongo.MongoClient[dict[str, Any]](self._url, appname="dbtrust mark") as client:

            def read() -> bool:
                client[self._name]["dbtrust_mark"].find_one({}, comment=self._mark)
                if self._seen_mark.wait(_PAUSE * 10) or self._error is not None:
                    return True
                self._refuse_changed()
                return False

            if not await_true(read, _SECONDS) or self._error is not None:
                why = f": {self._error}" if self._error else ""
                raise ServerError(f"the profiler's documents do not arrive{why}", next="run again")

    def _refuse_changed(self) -> None:
        """The reader itself switches it off for a moment where its collection was dropped, so once is not enough."""
        self._changed = self._changed + 1 if _settings(self._client[self._name]) != self._settings else 0
        if self._changed >= _CHANGED:
            raise DbtrustError(
                f"the command changed the profiler's settings of {self._name} (the command `profile`): what it sent "
                "afterwards is not known",
                next="take that out of the command, or leave that part of it out while it is recorded",
            )

    def _read(self) -> None:
        try:
            while not self._stop.is_set():
                self._follow()
                self._stop.wait(_PAUSE)
        except Exception as error:
            if not self._stop.is_set():
                self._error = error

    def _follow(self) -> None:
        """Until the collection is gone, or the cursor dies since nothing is in it yet."""
        database = self._client[self._name]
        if _PROFILE not in database.list_collection_names(filter={"name": _PROFILE}):
            self.gaps, self._last = self.gaps + 1, None
            _arm(database)
        last = self._last
        wanted: dict[str, Any] = {"ts": {"$gt": last}} if last is not None else {}
        with database[_PROFILE].find(wanted, cursor_type=pymongo.CursorType.TAILABLE_AWAIT) as cursor:
            try:
                while cursor.alive and not self._stop.is_set():
                    for entry in cursor:
                        self._entry(entry)
            except OperationFailure as error:
                if error.code not in _GONE:
                    raise
                self.gaps += error.code == _OVERTAKEN

    def _entry(self, entry: Document) -> None:
        self._last = entry.get("ts")
        if self._mark and cast("Document", entry.get("command") or {}).get("comment") == self._mark:
            self._seen_mark.set()
        else:
            self._see(entry)


def _arm(database: Database[Any]) -> None:
    """An empty, large profile and the profiler switched on."""
    database.command("profile", 0)
    database.drop_collection(_PROFILE)
    try:
        database.create_collection(_PROFILE, capped=True, size=_SIZE)
        # A filter decides instead of slowms: level 1 keeps everything that it lets through.
        database.command({"profile": 1, "filter": _FILTER})
    except (CollectionInvalid, OperationFailure) as error:
        raise ServerError(f"the profiler cannot be switched on: {error}", next="run again") from error


def _settings(database: Database[Any]) -> object:
    """Level, sample rate and filter, which the server writes in its own way."""
    found: Document = database.command("profile", -1)
    return {key: found.get(key) for key in ("was", "sampleRate", "filter")}


def sent(entry: Document) -> Sent | str:
    """The command of a profiler's document, or why it is none that can be explained (a few words)."""
    collection = str(entry.get("ns", "")).partition(".")[2]
    command: Any = entry.get("command")
    op = entry.get("op")
    if (
        collection.startswith("system.")
        or collection in ("$cmd", "dbtrust_mark")
        or not isinstance(command, Mapping)
    ):
        return "commands about no collection"
    if "errCode" in entry or "exception" in entry:
        return "commands that failed"
    if op in ("getmore", "insert"):
        return (
            "further batches of a cursor" if op == "getmore" else "inserts, which the server does not explain"
        )
    whole = _whole(str(op), collection, cast("Document", command))
    if whole is None:
        return "other commands"
    examined = sum(float(entry.get(key) or 0) for key in ("keysExamined", "docsExamined"))
    return Sent(whole, float(entry.get("nreturned") or 0), examined)


def _whole(op: str, collection: str, command: Document) -> dict[str, Any] | None:
    bare = {
        k: v for k, v in command.items() if k not in ENVELOPE and not k.startswith("$") and k not in _IDLE
    }
    if "$truncated" in command:
        return {"$truncated": collection}
    if op == "update":
        return {"update": collection, "updates": [_without_defaults(bare)]}
    if op == "remove":
        return {"delete": collection, "deletes": [bare]}
    name = next(iter(bare), "")
    known = ("find", "aggregate", "count", "distinct", "findAndModify", "findandmodify")
    return _without_defaults(bare) if name in known and isinstance(bare[name], str) else None


#: What changes no plan.
_IDLE = frozenset({"comment", "batchSize", "singleBatch", "noCursorTimeout", "allowPartialResults"})
_DEFAULTS: dict[str, Any] = {"multi": False, "upsert": False, "new": False}


def _without_defaults(command: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in command.items() if not (k in _DEFAULTS and v is _DEFAULTS[k])}
