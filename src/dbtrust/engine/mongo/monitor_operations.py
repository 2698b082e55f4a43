"""What runs now, and what was slow: $currentOp, the profiler's documents and the last lines of the log."""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, cast

from dbtrust.engine.mongo.monitor_ask import Asker, Rows, inside, is_own, iso, not_own, number
from dbtrust.engine.mongo.monitor_collections import SYSTEM, Names
from dbtrust.engine.mongo.monitor_members import Member
from dbtrust.engine.mongo.shapes import cut_text, is_query, literal_text, operation, shape

Document = Mapping[str, Any]
CURRENT: list[dict[str, Any]] = [
    {"$currentOp": {"allUsers": True, "idleSessions": True, "idleConnections": False}},
    {"$match": not_own("cursor.originatingCommand")},
]
_SLOW_LINE = 51803
#: So many shapes are kept, those that took the most time.
MOST_SHAPES = 1000
_PROFILED = 20_000
#: The same operation stands in the log and in the profile, with times that differ by this much at most.
_SAME = datetime.timedelta(milliseconds=250)
#: Its members are what the log calls them, and the profiler.
_NAMES = {
    "ms": ("durationMillis", "millis"),
    "keys": ("keysExamined",),
    "documents": ("docsExamined",),
    "returned": ("nreturned",),
    "modified": ("nModified", "ndeleted"),
}  # fmt: skip
_QUERY_STATS: list[dict[str, Any]] = [{"$queryStats": {}}, {"$limit": 1000}]


def read_operations(members: Iterable[Member]) -> Rows:
    """Operations and open transactions of users, now; without dbtrust's own."""
    rows: Rows = []
    for member in members:
        for entry in member.ask.rows("admin", 1, CURRENT):
            if of_a_user(entry):
                rows.append(running_row(entry, member.name))
    return rows


def of_a_user(entry: Document) -> bool:
    """Is it an operation or a transaction of a program, and not the server's own or one that only listens?"""
    database, _, collection = str(entry.get("ns", "")).partition(".")
    if entry.get("transaction"):
        return True
    if not entry.get("active") or ("connectionId" not in entry and entry.get("type") != "op"):
        return False
    # Index builds run in threads of the server itself.
    command = cast("Document", entry.get("command") or {})
    client = bool({"client", "clientMetadata"} & set(entry)) or bool(command.get("createIndexes"))
    waiting = {"hello", "isMaster", "ismaster"} & set(command)
    streaming = collection == "oplog.rs" or bool(inside(entry, "cursor/tailable"))
    return client and not waiting and not streaming and database not in ("local", "config")


def running_row(entry: Document, member: str) -> dict[str, Any]:
    """One document of $currentOp. Durations are in ms; a transaction has `open_ms` and `idle_ms`."""
    command = cast("Document", entry.get("command") or entry.get("originatingCommand") or {})
    origin = cast("Document", inside(entry, "cursor/originatingCommand") or {})
    database, _, collection = str(entry.get("ns", "")).partition(".")
    row: dict[str, Any] = {
        "member": member,
        "opid": str(entry.get("opid", "")),
        "database": database,
        "collection": collection,
        "target": str(command.get("createIndexes", "")),
        "operation": operation(command, str(entry.get("op", ""))),
        "app": str(entry.get("appName", "")),
        "client": str(entry.get("client", "")),
        "running_ms": (number(entry.get("microsecs_running")) or 0) / 1000,
        "plan": str(entry.get("planSummary", "")),
        "shape": shape(origin or command),
        "waiting_for_lock": bool(entry.get("waitingForLock")),
        "message": str(entry.get("msg", "")),
        "index_build": bool(command.get("createIndexes"))
        or str(entry.get("msg", "")).startswith("Index Build"),
        "indexes": [str(inside(spec, "name") or "") for spec in command.get("indexes", ())],
        "yields": number(entry.get("numYields")),
    }
    row |= _transaction(entry)
    return row | {"example": literal_text(origin or command)}


def _transaction(entry: Document) -> dict[str, Any]:
    found = cast("Document", entry.get("transaction") or {})
    opened = number(found.get("timeOpenMicros"))
    parameters = cast("Document", found.get("parameters") or {})
    session = inside(entry, "lsid/id")
    return {
        "transaction": f"{_uuid(session)}:{number(parameters.get('txnNumber'))}"
        if opened is not None
        else None,
        "open_ms": None if opened is None else opened / 1000,
        "idle_ms": (number(found.get("timeInactiveMicros")) or 0) / 1000 if opened is not None else None,
        "idle_now": entry.get("type") == "idleSession" if opened is not None else None,
    }


def _uuid(session: Any) -> str:
    """A session's id as the server's log writes it."""
    return (
        str(uuid.UUID(bytes=bytes(session)))
        if isinstance(session, bytes) and len(session) == 16
        else str(session)
    )


class Operations:
    """Slow operations, added one by one, as rows of shapes."""

    def __init__(self, names: Names, databases: Iterable[str]) -> None:
        self._names, self._databases = names, frozenset(databases)
        self._rows: dict[tuple[str, ...], dict[str, Any]] = {}
        self._profiled: dict[tuple[Any, ...], list[datetime.datetime]] = {}
        #: Those of the profiler whose command the server has cut; the log may tell more of it.
        self._cut: list[tuple[Document, Any]] = []

    def profiled(self, entry: Document) -> None:
        """A document of system.profile."""
        when = entry.get("ts")
        if isinstance(when, datetime.datetime):
            # Answers of commands come without a zone; the log has one.
            when = when if when.tzinfo else when.replace(tzinfo=datetime.UTC)
            if cut_text(_command(entry)) is not None:
                self._cut.append((entry, when))
                return
            self._profiled.setdefault(_identity(entry), []).append(when)
        self._add(entry, str(entry.get("op", "")), when, "profiler")

    def logged(self, line: Document) -> None:
        """A line of the log; one whose operation the profiler has too is left out."""
        entry = cast("Document", line.get("attr") or {})
        text = str(inside(line, "t/$date") or "")
        when = datetime.datetime.fromisoformat(text) if text else None
        identity = _identity(entry)
        twins = self._profiled.get(identity, ())
        if when is None or not any(abs(when - twin) < _SAME for twin in twins):
            self._cut = [
                (other, at) for other, at in self._cut
                if when is None or _identity(other) != identity or abs(when - at) >= _SAME
            ]  # fmt: skip
            self._add(entry, str(entry.get("type", "")), when, "log", cut="truncated" in line)

    def _add(
        self, entry: Document, kind: str, when: datetime.datetime | None, source: str, *, cut: bool = False
    ) -> None:
        """`cut`: the command lacks its end."""
        database, _, collection = str(entry.get("ns", "")).partition(".")
        command = _command(entry)
        name = operation(command, "" if entry.get("originatingCommand") else kind)
        if not self._wanted(database, collection, entry) or not is_query(name):
            return
        text, plan = shape(command) + (" …" if cut else ""), str(entry.get("planSummary", ""))
        row = self._rows.setdefault((database, collection, name, text, plan), {})
        if not row:
            row |= {
                "database": database,
                "collection": collection,
                "label": self._names.of(database, collection),
            }
            row |= {"operation": name, "shape": text, "plan": plan, "count": 0, "sources": [], **_ZERO}
        _count(row, entry, when, source)
        row.setdefault("example", literal_text(command))

    def _wanted(self, database: str, collection: str, entry: Document) -> bool:
        named = bool(collection) and not collection.startswith(("$cmd", "system."))
        return named and not is_own(entry) and database not in SYSTEM and database in self._databases

    def rows(self) -> Rows:
        """The shapes that took the most time, first."""
        while self._cut:
            entry, when = self._cut.pop()
            self._add(entry, str(entry.get("op", "")), when, "profiler")
        whole = [{**row, "count": row["count"] or 1} for row in self._rows.values()]
        found = sorted(whole, key=lambda r: (-r["total_ms"], r["label"], r["shape"]))
        return found[:MOST_SHAPES]


_ZERO: dict[str, Any] = {
    "total_ms": 0, "max_ms": 0, "working_ms": 0, "keys": 0, "documents": 0, "returned": 0, "modified": 0,
    "waiting_ms": 0, "sorted": 0, "used_disk": 0, "first": None, "last": None,
}  # fmt: skip


def _count(row: dict[str, Any], entry: Document, when: datetime.datetime | None, source: str) -> None:
    values = {key: _first(entry, names) for key, names in _NAMES.items()}
    # A find and the getMores of its cursor are one run.
    row["count"] += not entry.get("originatingCommand")
    row["total_ms"] += values["ms"]
    row["max_ms"] = max(row["max_ms"], values["ms"])
    for key in ("keys", "documents", "returned", "modified"):
        row[key] += values[key]
    # Before 8.0 nobody tells working from waiting but the locks.
    waiting = _waited(entry)
    working = number(entry.get("workingMillis"))
    row["working_ms"] += max(0, values["ms"] - waiting) if working is None else working
    row["waiting_ms"] += waiting
    row["sorted"] += bool(entry.get("hasSortStage"))
    row["used_disk"] += bool(entry.get("usedDisk"))
    for name in ("queryHash", "planCacheShapeHash", "queryShapeHash"):
        if entry.get(name):
            row[_HASHES[name]] = str(entry[name])
    row["sources"] = sorted({*row["sources"], source})
    if text := iso(when):
        row["first"], row["last"] = min(row["first"] or text, text), max(row["last"] or text, text)


_HASHES = {
    "queryHash": "query_hash",
    "planCacheShapeHash": "query_hash",
    "queryShapeHash": "query_shape_hash",
}


def _first(entry: Document, names: Sequence[str]) -> float:
    return next((value for name in names if (value := number(entry.get(name))) is not None), 0)


def _waited(entry: Document) -> float:
    """Milliseconds of waiting for locks and, on 8.0 and later (documented), in queues."""
    locks = cast("Mapping[str, Document]", entry.get("locks") or {})
    acquiring = [cast("Document", lock.get("timeAcquiringMicros") or {}) for lock in locks.values()]
    micros = [number(waited) or 0 for found in acquiring for waited in found.values()]
    queues = cast("Mapping[str, Document]", entry.get("queues") or {})
    micros += [number(queue.get("totalTimeQueuedMicros")) or 0 for queue in queues.values()]
    return sum(micros) / 1000


def _command(entry: Document) -> Document:
    """What was asked; of a getMore, what it goes on with."""
    return cast("Document", entry.get("originatingCommand") or entry.get("command") or {})


def _identity(entry: Document) -> tuple[Any, ...]:
    values = [_first(entry, _NAMES[key]) for key in ("ms", "keys", "documents", "returned")]
    return (entry.get("ns"), entry.get("planSummary"), *values)


def read_profiles(members: Iterable[Member], databases: Sequence[str], into: Operations) -> None:
    """What system.profile of each database holds on each member, the newest first."""
    newest: dict[str, Any] = {"sort": {"$natural": -1}, "limit": _PROFILED, "projection": {"execStats": 0}}
    for member, database in product(members, databases):
        for entry in member.ask.found(database, "system.profile", **newest):
            into.profiled(entry)


def read_log(members: Iterable[Member], into: Operations) -> None:
    """The slow operations among the last 1,024 lines of each member's log, which the server keeps in memory."""
    for member in members:
        for text in member.ask.command("admin", {"getLog": "global"})["log"]:
            if line := slow_line(text):
                into.logged(line)


def slow_line(text: str) -> Document | None:
    """The line of a slow operation; None for any other, and for one that is cut."""
    if f'"id":{_SLOW_LINE}' not in text:
        return None
    try:
        return cast("Document", json.loads(text))
    except ValueError:
        return None


def read_query_stats(ask: Asker, databases: Sequence[str], names: Names) -> Iterator[dict[str, Any]]:
    """$queryStats, where the server has it (7.0 and later, behind a parameter): documented, not run here."""
    for entry in ask.rows("admin", 1, _QUERY_STATS):
        row = query_stats_row(entry, names)
        if row["database"] in databases:
            yield row


def query_stats_row(entry: Document, names: Names) -> dict[str, Any]:
    """One document of $queryStats; its shape has no literals by itself."""
    query = cast("Document", inside(entry, "key/queryShape") or {})
    namespace = cast("Document", query.get("cmdNs") or {})
    metrics = cast("Document", entry.get("metrics") or {})
    database, collection = str(namespace.get("db", "")), str(namespace.get("coll", ""))
    return {
        "database": database,
        "collection": collection,
        "label": names.of(database, collection),
        "operation": str(query.get("command", "")),
        "shape": shape(query),
        "query_shape_hash": str(entry.get("queryShapeHash", "")),
        "count": number(metrics.get("execCount")),
        "total_ms": (number(inside(metrics, "totalExecMicros/sum")) or 0) / 1000,
        "keys": number(inside(metrics, "keysExamined/sum")),
        "documents": number(inside(metrics, "docsExamined/sum")),
        "returned": number(inside(metrics, "docsReturned/sum")),
        "last": iso(metrics.get("latestSeenTimestamp")),
    }
