"""Index builds that go on: waiting for them, telling how far they are, and what a dead runner left running."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import OperationFailure

from dbtrust.engine.mongo.catalog import indexes
from dbtrust.model.progress import Progress, silent

Document = Mapping[str, Any]
_POLL_SECONDS = 0.2


def settle(db: Database[Any], collection: str, progress: Progress = silent) -> None:
    """Returns when no index of the collection is being built: a build outlives the client that asked for it."""
    while building := [spec["name"] for spec in indexes(db, collection) if spec.get("building")]:
        progress(f"waiting for the build of index {collection}.{building[0]}")
        time.sleep(_POLL_SECONDS)


def build_lines(db: Database[Any]) -> list[str]:
    """How far the builds of the database are, a line each; a role that may not see them gets none."""
    return [
        f"building {operation['ns']}: {operation['msg']}"
        for operation in _operations(
            db.client, {"msg": {"$regex": "^Index Build"}, "ns": {"$regex": "\\."}}, all_users=True
        )
        if str(operation["ns"]).startswith(f"{db.name}.")
    ]


def running_of(client: MongoClient[Any], appname: str) -> list[Document]:
    """What the server still does for the clients of that name, this call apart."""
    # A driver's monitor always has a hello waiting, also for ten seconds after its process died.
    idle = {f"command.{name}": {"$exists": False} for name in ("hello", "isMaster", "ismaster")}
    asked = {"appName": appname, "active": True, "command.aggregate": {"$ne": 1}, **idle}
    return list(_operations(client, asked, all_users=False))


def await_ended(client: MongoClient[Any], appname: str, progress: Progress) -> None:
    """Waits for what a runner had sent before it died."""
    while left := running_of(client, appname):
        command = next(iter(left[0].get("command", {})), "a command")
        progress(f"waiting for {command} of the runner that died ({left[0].get('secs_running', 0)} s)")
        time.sleep(_POLL_SECONDS)


def cancel(client: MongoClient[Any], appname: str) -> None:
    """Asks the server to end what it does for the clients of that name; an index build is given up."""
    for operation in running_of(client, appname):
        try:
            client.admin.command({"killOp": 1, "op": operation["opid"]})
        except OperationFailure:  # not ours, or over
            continue


def end_transactions(client: MongoClient[Any], appname: str) -> None:
    """An open transaction of a client that is gone would hold its documents for a minute."""
    asked = {"appName": appname, "transaction": {"$exists": True}, "active": False}
    for operation in _operations(client, asked, all_users=False, idleSessions=True):
        try:
            session = {"id": operation["lsid"]["id"]}
            client.admin.command({"killSessions": [session]}, codec_options=client.codec_options)
        except OperationFailure:
            continue


def _operations(
    client: MongoClient[Any], match: Document, *, all_users: bool, **options: Any
) -> Iterator[Document]:
    stages = [{"$currentOp": {"allUsers": all_users, **options}}, {"$match": match}]
    try:
        yield from client.admin.aggregate(stages)
    except OperationFailure:
        return
