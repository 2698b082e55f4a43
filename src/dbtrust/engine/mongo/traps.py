"""Index DDL beside a transaction of the same migration: seen while it happens, and ended.

`create_index` without the session, on a collection that the migration's own open transaction has written, waits
for that transaction, which waits for it: after a minute the server kills the transaction, keeps the index, and the
data change is lost. Here the waiting command is killed at once and the migration told why.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from dbtrust.engine.mongo.builds import running_of

_WRITES = frozenset({"insert", "update", "delete", "findAndModify", "bulkWrite"})
_DDL = frozenset({"create", "createIndexes", "dropIndexes", "drop", "collMod", "renameCollection"})
_POLL_SECONDS = 0.05


class TransactionTrap(CommandListener):
    """Listens to the client that a migration's functions are given; `told` says what it ended, or is ""."""

    def __init__(self, appname: str, helper: Callable[[], MongoClient[Any]]) -> None:
        self._appname, self._helper = appname, helper
        #: Session -> collections that its open transaction has written.
        self._written: dict[bytes, set[str]] = {}
        self._waiting: set[int] = set()
        self.told = ""

    def started(self, event: CommandStartedEvent) -> None:
        command, name = event.command, event.command_name
        session = bytes(command["lsid"]["id"]) if "lsid" in command else b""
        if name in ("commitTransaction", "abortTransaction"):
            self._written.pop(session, None)
        elif "autocommit" in command and name in _WRITES:
            self._written.setdefault(session, set()).add(str(command.get(name)))
        elif "autocommit" not in command and name in _DDL and self._blocked(str(command[name])):
            self._waiting.add(event.request_id)
            threading.Thread(
                target=self._end, args=(event.request_id, name, command[name]), daemon=True
            ).start()

    def succeeded(self, event: CommandSucceededEvent) -> None:
        self._waiting.discard(event.request_id)

    def failed(self, event: CommandFailedEvent) -> None:
        self._waiting.discard(event.request_id)

    def _blocked(self, collection: str) -> bool:
        return any(collection in names for names in self._written.values())

    def _end(self, request: int, name: str, collection: str) -> None:
        """Kills the command once the server has it; its client then raises code 11601."""
        while request in self._waiting:
            try:
                for operation in running_of(self._helper(), self._appname):
                    if operation.get("command", {}).get(name) == collection:
                        self.told = (
                            f"{name} on {collection} waits for the migration's own open transaction, which wrote to {collection}: "
                            "the server would end the transaction after a minute and lose its changes"
                        )
                        self._helper().admin.command({"killOp": 1, "op": operation["opid"]})
            except PyMongoError:
                return
            time.sleep(_POLL_SECONDS)
