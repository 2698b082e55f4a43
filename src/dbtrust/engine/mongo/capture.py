"""Records the commands that code sends, as the driver sent them."""

from __future__ import annotations

import copy
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from dbtrust.engine.mongo.explain import explainable
from dbtrust.engine.mongo.stages import OUTPUT

Document = Mapping[str, Any]
_DDL = frozenset({
    "create", "collMod", "convertToCapped", "drop", "dropDatabase", "dropIndexes", "renameCollection",
    "cloneCollectionAsCapped",
})  # fmt: skip
#: What the driver sends on its own behalf; a new connection of the pool authenticates at any moment.
_HOUSEKEEPING = frozenset({
    "hello", "isMaster", "ismaster", "ping", "endSessions", "killCursors",
    "saslStart", "saslContinue", "authenticate", "getnonce", "logout",
})  # fmt: skip
#: What reads no documents of a collection: writes of new ones, cursors that are explained, sessions, questions to
#: server and catalog. Anything else may have read.
_READS_NOTHING = _HOUSEKEEPING | _DDL | frozenset({
    "insert", "getMore", "createIndexes", "startSession", "refreshSessions", "killSessions", "killAllSessions",
    "commitTransaction", "abortTransaction", "buildInfo", "buildinfo", "connectionStatus", "connPoolStats",
    "currentOp", "dbStats", "dbstats", "collStats", "collstats", "getCmdLineArgs", "getLog", "getParameter",
    "hostInfo", "killOp", "listCollections", "listCommands", "listDatabases", "listIndexes", "planCacheClear",
    "profile", "serverStatus", "setParameter", "top", "usersInfo", "rolesInfo", "whatsmyuri",
})  # fmt: skip


@dataclass(slots=True)
class Recorded:
    """One command and its outcome. `ok` is None while it runs; an answer with write errors is not ok.

    `own` is False where it went to another database than that of the copy, whose data are nobody's. `values` is how
    many a distinct gave.
    """

    name: str
    command: dict[str, Any]
    database: str
    ok: bool | None = None
    code: int | None = None
    write_errors: tuple[Document, ...] = ()
    n: int = 0
    modified: int = 0
    upserted: int = 0
    reply: Document = field(default_factory=dict[str, Any])
    own: bool = True
    values: int | None = None

    @property
    def explainable(self) -> bool:
        """find, aggregate, count, distinct, findAndModify, update or delete on a collection of the copy."""
        return self.own and explainable(self.command)

    @property
    def unexplained(self) -> str:
        """Why nobody knows what it read; "" for what is explained or reads no documents."""
        if self.explainable or self.name in _READS_NOTHING:
            return ""
        if not self.own:
            return f"the method sent {self.name} to the database {self.database}, which holds no data of the project"
        return f"the method sent {self.name}, a command that is not explained: nobody knows what it read"

    @property
    def failed(self) -> bool:
        return self.ok is False

    @property
    def wrote(self) -> bool:
        """Did it change data, collections or indexes? An answer that was lost counts as a change."""
        if self.name in ("insert", "delete"):
            return self.n > 0 or self._lost
        if self.name == "update":
            return self.modified > 0 or self.upserted > 0 or self._lost
        if self.name in ("findAndModify", "findandmodify"):
            return bool(self.upserted or self.modified) or self._lost
        if self.name == "createIndexes":
            return self.ok is not False and self._built()
        if self.name == "aggregate":
            return self._outputs()
        if self.name == "bulkWrite":
            counts = ("nInserted", "nUpserted", "nModified", "nDeleted")
            return any(self.reply.get(count) for count in counts) or self._lost
        return self.name in _DDL and self.ok is not False

    @property
    def _lost(self) -> bool:
        return not self.ok and self.code is None and not self.write_errors

    def _built(self) -> bool:
        before, after = self.reply.get("numIndexesBefore"), self.reply.get("numIndexesAfter")
        return before is None or before != after or bool(self.reply.get("createdCollectionAutomatically"))

    def _outputs(self) -> bool:
        """A pipeline with $out or $merge may have written a part before it failed."""
        stages = cast("Sequence[Any]", self.command.get("pipeline") or ())
        return (
            bool(stages)
            and isinstance(stages[-1], Mapping)
            and bool(OUTPUT & set(cast("Document", stages[-1])))
        )


class Capture(CommandListener):
    """A listener to connect with; it records only inside `recording`, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[list[Recorded]] = []
        self._running: dict[int, Recorded] = {}

    @contextmanager
    def recording(self) -> Generator[list[Recorded], None, None]:
        """The commands sent from here to the end of the block, in the order in which they started."""
        commands: list[Recorded] = []
        with self._lock:
            self._open.append(commands)
        try:
            yield commands
        finally:
            with self._lock:
                self._open = [other for other in self._open if other is not commands]

    def started(self, event: CommandStartedEvent) -> None:
        with self._lock:
            if not self._open or event.command_name in _HOUSEKEEPING:
                return
            # The driver goes on using the document, and the caller's values inside it may change.
            recorded = Recorded(event.command_name, copy.deepcopy(dict(event.command)), event.database_name)
            self._running[event.request_id] = recorded
            for commands in self._open:
                commands.append(recorded)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        self._finish(event.request_id, event.reply, failed=False)

    def failed(self, event: CommandFailedEvent) -> None:
        self._finish(event.request_id, event.failure, failed=True)

    def _finish(self, request: int, reply: Document, *, failed: bool) -> None:
        with self._lock:
            recorded = self._running.pop(request, None)
        if recorded is not None:
            _answer(recorded, reply, failed)


def _answer(recorded: Recorded, reply: Document, failed: bool) -> None:
    recorded.write_errors = tuple(cast("Sequence[Document]", reply.get("writeErrors") or ()))
    recorded.ok = not failed and not recorded.write_errors
    code = reply.get("code", next((error.get("code") for error in recorded.write_errors), None))
    recorded.code = code if isinstance(code, int) else None
    recorded.n, recorded.modified = _count(reply.get("n")), _count(reply.get("nModified"))
    recorded.upserted = len(cast("Sequence[Any]", reply.get("upserted") or ()))
    outcome = reply.get("lastErrorObject")
    if isinstance(outcome, Mapping):
        last = cast("Document", outcome)
        recorded.upserted = int("upserted" in last)
        recorded.n = recorded.modified = _count(last.get("n"))
    values = reply.get("values")
    recorded.values = len(cast("Sequence[Any]", values)) if isinstance(values, list) else None
    # A cursor's batch may be large and is nobody's business here.
    recorded.reply = {key: value for key, value in reply.items() if key not in ("cursor", "value", "values")}


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0
