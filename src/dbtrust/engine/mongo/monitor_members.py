"""The members of a replica set: who is there, how far behind, and each one's own counters."""

from __future__ import annotations

import datetime
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

from dbtrust.engine.mongo.connect import connect
from dbtrust.engine.mongo.monitor_ask import Asker, Rows, inside, iso, number, picked
from dbtrust.model.errors import DbtrustError

Document = Mapping[str, Any]
#: How long a member is waited for: it is one of several.
_REACH_MS = 2000
#: From this lag on a member is looked at again, and how long after.
_SEEMS_MS, _AGAIN_SECONDS = 1000, 0.1
#: Options of a URL that speak of a set as a whole.
_SET = frozenset(
    {"replicaset", "directconnection", "loadbalanced", "srvservicename", "srvmaxhosts", "readpreference"}
)
_CACHE = "wiredTiger/cache/"
_STATUS = {
    "uptime_ms": "uptimeMillis",
    "cache_max_bytes": _CACHE + "maximum bytes configured",
    "cache_used_bytes": _CACHE + "bytes currently in the cache",
    "cache_dirty_bytes": _CACHE + "tracked dirty bytes in the cache",
    "pages_evicted_by_application": _CACHE + "pages evicted by application threads",
    "pages_read_into_cache": _CACHE + "pages read into cache",
    "pages_requested": _CACHE + "pages requested from the cache",
    "connections": "connections/current",
    "connections_available": "connections/available",
    "connections_active": "connections/active",
    "connections_created": "connections/totalCreated",
    "queued_readers": "globalLock/currentQueue/readers",
    "queued_writers": "globalLock/currentQueue/writers",
    "page_faults": "extra_info/page_faults",
    "resident_mb": "mem/resident",
    "scan_and_order": "metrics/operation/scanAndOrder",
    "write_conflicts": "metrics/operation/writeConflicts",
    "keys_examined": "metrics/queryExecutor/scanned",
    "documents_examined": "metrics/queryExecutor/scannedObjects",
    "documents_returned": "metrics/document/returned",
    "collection_scans": "metrics/queryExecutor/collectionScans/nonTailable",
    "cursors_timed_out": "metrics/cursor/timedOut",
    "cursors_open_without_timeout": "metrics/cursor/open/noTimeout",
    "ttl_deleted": "metrics/ttl/deletedDocuments",
    "ttl_passes": "metrics/ttl/passes",
    "transactions_open": "transactions/currentOpen",
    "transactions_inactive": "transactions/currentInactive",
    "transactions_aborted": "transactions/totalAborted",
}  # fmt: skip
#: Where a server keeps its tickets: up to 6.x, from 7.0 (documented), by operation.
_TICKETS = ("wiredTiger/concurrentTransactions", "queues/execution")


@dataclass(frozen=True, slots=True)
class Member:
    """A member that answers; `name` is host:port, as the set calls it."""

    name: str
    ask: Asker


def member_url(url: str, host: str) -> str:
    """The URL of one member, with user, password and TLS of the set's URL."""
    parts = urlsplit(url)
    options = {k: v for k, v in parse_qsl(parts.query, keep_blank_values=True) if k.lower() not in _SET}
    lower = {key.lower() for key in options}
    credentials, at, _ = parts.netloc.rpartition("@")
    if parts.scheme == "mongodb+srv" and not lower & {"tls", "ssl"}:
        options["tls"] = "true"
    if at and "authsource" not in lower:
        database = "" if parts.scheme == "mongodb+srv" else parts.path.strip("/")
        options["authSource"] = database or "admin"
    options["directConnection"] = "true"
    return f"mongodb://{credentials}{at}{host}/?{urlencode(options)}"


@contextmanager
def reached(ask: Asker, hosts: Sequence[str], own: str) -> Generator[list[Member]]:
    """A client for each member that answers; `own` is the one that `ask` talks to. The others are noted.

    A client of a set goes on with the next primary after an election, so `own` gets one that stays with it; where its
    address cannot be reached from here, `ask` stands for it.
    """
    with ExitStack() as stack:

        def reach(host: str) -> Member | None:
            if host == own and ask.client.topology_description.topology_type_name == "Single":
                return Member(host, ask)
            try:
                client = connect(member_url(ask.url, host), timeout_ms=_REACH_MS)
            except DbtrustError:
                if host == own:
                    return Member(host, ask)
                ask.notes.add(f"member {host}", f"a connection to {host}")
                return None
            stack.callback(client.close)
            return Member(host, Asker(client, ask.url, ask.timeout_ms, ask.notes))

        with ThreadPoolExecutor(max(1, len(hosts))) as pool:
            found = [member for member in pool.map(reach, hosts) if member is not None]
        yield found


def read_status(members: Sequence[Member]) -> Rows:
    """One row of counters for each member that answers."""
    return [_status(member) for member in members]


def _status(member: Member) -> dict[str, Any]:
    status = member.ask.command("admin", {"serverStatus": 1, "metrics": 1, "tcmalloc": 0})
    return status_row(member.name, status)


def status_row(name: str, status: Document) -> dict[str, Any]:
    """The counters of a serverStatus reply, whatever the version of its server."""
    row = {"member": name, "version": status.get("version")} | picked(status, _STATUS)
    for kind in ("read", "write"):
        row |= _tickets(status, kind)
    return row | {"stalled_writers": number(inside(status, "queues/ingress/normalPriority/queueLength"))}


def _tickets(status: Document, kind: str) -> dict[str, Any]:
    for place in _TICKETS:
        found = inside(status, f"{place}/{kind}")
        if found is not None:
            waiting = inside(found, "normalPriority/queueLength")
            return {
                f"{kind}_tickets": number(inside(found, "totalTickets")),
                f"{kind}_tickets_free": number(inside(found, "available")),
                f"{kind}_tickets_waiting": number(waiting),
            }
    return {f"{kind}_tickets": None, f"{kind}_tickets_free": None, f"{kind}_tickets_waiting": None}


def read_members(ask: Asker) -> Rows:
    """One row for each configured member; empty where the server is in no set.

    A primary that was idle writes something every ten seconds: a member that has not yet said that it has it seems to
    be as far behind. So who seems behind gets the time of a heartbeat to reach what the primary had at first.
    """
    config = ask.command("admin", {"replSetGetConfig": 1})["config"]
    status = ask.command("admin", {"replSetGetStatus": 1})
    first, rows = _primary(status), member_rows(status, config)
    until = (
        time.monotonic() + (number(inside(config, "settings/heartbeatIntervalMillis")) or 2000) / 1000 + 0.5
    )
    while any(map(_seems_behind, rows)) and time.monotonic() < until:
        time.sleep(_AGAIN_SECONDS)
        rows = member_rows(ask.command("admin", {"replSetGetStatus": 1}), config, first)
    return rows


def _seems_behind(row: Document) -> bool:
    return not row["delay_ms"] and (row["lag_ms"] or 0) >= _SEEMS_MS


def member_rows(status: Document, config: Document, primary: Document | None = None) -> Rows:
    """replSetGetStatus and replSetGetConfig as rows; `lag_ms` counts from the last operation of `primary`.

    That is the primary as an earlier status shows it, or else as this one does.
    """
    primary = primary or _primary(status)
    settings = {m["host"]: m for m in config["members"]}
    return [_member(m, settings.get(m["name"], {}), primary) for m in status["members"]]


def _primary(status: Document) -> Document | None:
    return next((m for m in status["members"] if m.get("stateStr") == "PRIMARY"), None)


def _member(found: Document, setting: Document, primary: Document | None) -> dict[str, Any]:
    return {
        "member": found["name"],
        "state": found.get("stateStr"),
        "health": number(found.get("health")),
        "lag_ms": _lag(found, primary),
        "uptime_ms": (number(found.get("uptime")) or 0) * 1000,
        "votes": number(setting.get("votes", 1)),
        "priority": number(setting.get("priority", 1)),
        "hidden": bool(setting.get("hidden")),
        "arbiter": bool(setting.get("arbiterOnly")),
        "delay_ms": (number(setting.get("secondaryDelaySecs")) or 0) * 1000,
        "message": str(found.get("lastHeartbeatMessage") or found.get("infoMessage") or ""),
    }


def _lag(found: Document, primary: Document | None) -> float | None:
    own, first = found.get("optimeDate"), (primary or {}).get("optimeDate")
    if found.get("stateStr") not in ("SECONDARY", "RECOVERING", "STARTUP2"):
        return None
    if not isinstance(own, datetime.datetime) or not isinstance(first, datetime.datetime):
        return None
    return max(0.0, (first - own).total_seconds() * 1000)


def read_oplog(members: Iterable[Member]) -> Rows:
    """The oplog of each member: its size and the time it reaches back."""
    return [row for member in members if (row := _oplog(member)) is not None]


def _oplog(member: Member) -> dict[str, Any] | None:
    ends = [_end(member.ask, way) for way in (1, -1)]
    statistics = next(iter(member.ask.rows("local", "oplog.rs", OPLOG)), None)
    if statistics is None or None in ends:
        return None
    first, last = cast("tuple[datetime.datetime, datetime.datetime]", tuple(ends))
    return {
        "member": member.name,
        "max_bytes": number(inside(statistics, "storageStats/maxSize")),
        "bytes": number(inside(statistics, "storageStats/size")),
        "first": iso(first),
        "last": iso(last),
        "window_ms": (last - first).total_seconds() * 1000,
    }


OPLOG: list[dict[str, Any]] = [
    {"$collStats": {"storageStats": {}}},
    {"$project": {"storageStats.size": 1, "storageStats.maxSize": 1}},
]


def _end(ask: Asker, way: int) -> datetime.datetime | None:
    asked: dict[str, Any] = {"sort": {"$natural": way}, "limit": 1, "projection": {"ts": 1}}
    entry = next(iter(ask.found("local", "oplog.rs", **asked)), None)
    return entry["ts"].as_datetime() if entry else None
