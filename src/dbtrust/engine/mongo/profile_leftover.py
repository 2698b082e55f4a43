"""The system.profile that dbtrust's own profiling made: dropped when nothing writes to it any more.

An operation that began while the profiler was on writes its document when it ends, also after the level is 0 again,
and makes the collection anew. So it is dropped when those operations have ended; where they run for too long, or the
server refuses (a member that is no primary any more), it is owed and the next run drops it.
"""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Iterable
from typing import Any, cast

from pymongo.errors import NotPrimaryError, OperationFailure, PyMongoError

from dbtrust.engine.mongo.errors import describe
from dbtrust.engine.mongo.monitor_ask import UNAUTHORIZED, Asker, not_own
from dbtrust.engine.waiting import await_true

PROFILE = "system.profile"
#: So many seconds all databases together wait for operations that began before.
PATIENCE = 5.0
#: What a server without the collection says.
_GONE = 26
BUSY = "the end of operations that began while the profiler was on: they write to it; the next run drops it"
UNSEEN = "the role clusterMonitor, to see whether operations that began before still write to it"
SECONDARY = "a primary: this member stepped down meanwhile; a run drops it when it is primary again"
OTHERS = "nothing: others profiled there since, so it is left to them"


def there(ask: Asker, database: str) -> bool:
    """Is there a system.profile? Raises PyMongoError."""
    asked = {"listCollections": 1, "nameOnly": True, "filter": {"name": PROFILE}, "cursor": {}}
    return bool(ask.command(database, asked)["cursor"]["firstBatch"])


def is_primary(ask: Asker) -> bool:
    """Would this server drop one? A secondary refuses. Raises PyMongoError."""
    return bool(ask.command("admin", {"hello": 1})["isWritablePrimary"])


def server_time(ask: Asker) -> datetime.datetime:
    """The server's clock. Raises PyMongoError."""
    return cast("datetime.datetime", ask.command("admin", {"hello": 1})["localTime"])


def running(database: str) -> list[dict[str, Any]]:
    """The operations of a database that run now, as a pipeline."""
    namespace = {"$regex": f"^{re.escape(database)}\\."}
    return [
        {"$currentOp": {"allUsers": True}},
        {"$match": {"active": True, "ns": namespace, **not_own("cursor.originatingCommand")}},
        {"$project": {"opid": 1}},
    ]


def _operations(ask: Asker, databases: Iterable[str]) -> set[Any] | None:
    """The numbers of what runs; None where that may not be seen. Raises PyMongoError."""
    try:
        return {row["opid"] for name in databases for row in ask.rows("admin", 1, running(name))}
    except OperationFailure as error:
        if error.code == UNAUTHORIZED:
            return None
        raise


def drop_all(ask: Asker, databases: Iterable[str]) -> dict[str, str]:
    """Drops them, once what ran at the call has ended or the patience has; {database: what it needs} of the others."""
    until, names = time.monotonic() + PATIENCE, list(databases)
    try:
        before = _operations(ask, names)
        if before:
            await_true(lambda: not before & (_operations(ask, names) or set()), until - time.monotonic())
    except PyMongoError as error:
        return dict.fromkeys(names, describe(error))
    return {name: needs for name in names if (needs := _dropped(ask, name, before))}


def _dropped(ask: Asker, database: str, before: set[Any] | None) -> str:
    """ "" where it is gone for good; else what that needs."""
    try:
        # Asked before the drop: what has ended by then has written.
        still = None if before is None else before & (_operations(ask, [database]) or set())
        ask.command(database, {"drop": PROFILE})
        if still is None:
            return UNSEEN
        return BUSY if still or there(ask, database) else ""
    except OperationFailure as error:
        if error.code == _GONE:
            return BUSY if before else ""
        return describe(error)
    except NotPrimaryError:
        return SECONDARY
    except PyMongoError as error:
        return describe(error)


def drop_owed(ask: Asker, database: str, since: datetime.datetime) -> str:
    """What an earlier run owes since the server's time `since`; as `drop_all` says it, `OTHERS` where it is theirs."""
    try:
        if not there(ask, database):
            return ""
        if ask.command(database, {"profile": -1})["was"] != 0 or _of_others(ask, database, since):
            return OTHERS
    except PyMongoError as error:
        return describe(error)
    return drop_all(ask, [database]).get(database, "")


def _of_others(ask: Asker, database: str, since: datetime.datetime) -> bool:
    """Does it hold an operation that began after dbtrust's profiling? Raises PyMongoError."""
    later = {"$expr": {"$gt": [{"$subtract": ["$ts", "$millis"]}, since]}}
    return any(True for _ in ask.found(database, PROFILE, filter=later, limit=1, projection={"ts": 1}))
