"""Who made the scratch databases of a server of the user's, and which of them a killed run left behind.

MongoDB has no advisory locks. Each run keeps a database with one document that says which process it is; a later run
drops what belongs to a process that is gone. What has no such document is never touched.
"""

from __future__ import annotations

import os
import re
import socket
import uuid
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pymongo
from pymongo.errors import OperationFailure

Client = pymongo.MongoClient[dict[str, Any]]
_NAME = re.compile(r"dbtrust_(?P<run>[0-9a-f]{8})_\w+")
_COLLECTION = "run"
#: A process of another machine cannot be asked whether it lives: no run takes that long.
AGE = timedelta(days=1)


def marker_name(run: str) -> str:
    """The database that holds the document of a run."""
    return f"dbtrust_{run}_owner"


def mark(client: Client, run: str) -> None:
    """Says that this process is the run; before its first scratch database. Raises PyMongoError."""
    pid = os.getpid()
    document = {"machine": machine(), "pid": pid, "started": started(pid), "at": _now(client)}
    client[marker_name(run)][_COLLECTION].insert_one(document)


def sweep(client: Client) -> list[str]:
    """Drops the databases of runs that are dead; their names. A user who may not look or drop sweeps nothing."""
    dropped: list[str] = []
    with suppress(OperationFailure):
        names = [name for name in client.list_database_names() if _NAME.fullmatch(name)]
        now = _now(client)
        for run in dict.fromkeys(name.split("_")[1] for name in names):
            owner = client[marker_name(run)][_COLLECTION].find_one()
            if owner is not None and dead(owner, now):
                dropped += _drop(client, [name for name in names if name.split("_")[1] == run], run)
    return dropped


def _drop(client: Client, names: list[str], run: str) -> list[str]:
    """The document goes last: a sweep that is killed leaves the rest to the next."""
    for name in sorted(names, key=lambda name: name == marker_name(run)):
        drop_whole(client, name)
    return names


def drop_whole(client: Client, name: str) -> None:
    """Drops a database with the users and roles that were made in it, which MongoDB keeps elsewhere.

    Raises PyMongoError; a user who may not look at users leaves those.
    """
    for command in ("dropAllUsersFromDatabase", "dropAllRolesFromDatabase"):
        with suppress(OperationFailure):
            client[name].command(command)
    client.drop_database(name)


def dead(owner: Mapping[str, Any], now: datetime) -> bool:
    """Is the process that wrote the document gone? One of another machine counts as gone after AGE."""
    if owner.get("machine") != machine():
        at = owner.get("at")
        return isinstance(at, datetime) and now - at > AGE
    pid = owner.get("pid")
    if not isinstance(pid, int) or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:  # another user's
        pass
    begun = started(pid)
    return begun is not None and begun != owner.get("started")


def started(pid: int) -> int | None:
    """When a process began, in ticks since boot: numbers of processes come again. None where nobody tells."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return int(text.rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


def machine() -> str:
    """This machine since it was started, and within it the container, where processes have numbers of their own."""
    parts = [socket.gethostname()]
    try:
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    except OSError:
        parts.append(f"{uuid.getnode():x}")
    return " ".join(parts)


def _now(client: Client) -> datetime:
    """The server's clock; the driver gives it without a zone."""
    return client.admin.command("hello")["localTime"].replace(tzinfo=UTC)
