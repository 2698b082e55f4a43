"""Embedded MongoDB: throw-away single-node replica sets of one run, started from copied data folders."""

from __future__ import annotations

import base64
import os
import resource
import secrets
import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from dbtrust.engine import templates
from dbtrust.engine.home import private_folder, server_user
from dbtrust.engine.launched import Launched
from dbtrust.engine.mongo.binaries import MongodBinary, find_mongod
from dbtrust.engine.processes import failure, log_size, read_log
from dbtrust.engine.runs import Run
from dbtrust.engine.waiting import Program, ended_or, finish
from dbtrust.model.errors import ServerError
from dbtrust.model.progress import Progress, silent

if TYPE_CHECKING:  # the driver takes a third of a second to import: only starting a server needs it
    import pymongo

__all__ = [
    "MongoServer",
    "MongodBinary",
    "bare_template",
    "find_mongod",
    "find_template",
    "save_template",
    "start_mongo",
]

USER = "dbtrust"
REPLICA_SET = "rs0"
_ENGINE = "mongo"
_SECONDS = 60.0
_SELECTION_MS = 5000
#: How often another program may take the port between our choice and the server's bind.
_ATTEMPTS = 5
#: What a template holds beside the data: the key file that turns authentication on, and the user's password.
_PARTS = ["data", "key", "password"]


class Spawn(Protocol):
    """processes.spawn, or that of a run."""

    def __call__(self, argv: Sequence[str | Path], *, folder: Path, log: Path) -> subprocess.Popen[bytes]: ...


class MongoServer(Launched):
    """A running single-node replica set of a run, on the loopback interface with a random password."""

    product = "MongoDB"

    def __init__(self, run: Run, binary: MongodBinary, folder: Path) -> None:
        super().__init__(run, binary.version, folder)
        self.port = 0
        self._binary = binary

    def url(self, database: str | None = None) -> str:
        """The URL of the administrator, with that default database."""
        return server_url(self.port, password_of(self.folder), database)

    def launch(self, port: int | None = None) -> None:
        """Starts the server on its data, on `port` or on a free one, and waits until it is the primary.

        Raises ServerError.
        """
        self.port, self._process = launch(self._run.spawn, self._binary, self.folder, port)


def start_mongo(
    run: Run, binary: MongodBinary, *, template: Path | None = None, progress: Progress = silent
) -> MongoServer:
    """A replica set of `run` on a copy of `template` (None: an empty one). Raises ServerError."""
    folder = run.add("m")
    progress(f"starting MongoDB {binary.version}")
    templates.copy_template(template or bare_template(run, binary, progress), folder)
    server = MongoServer(run, binary, folder)
    server.launch()
    return server


def server_url(port: int, password: str, database: str | None = None) -> str:
    """The URL of a server of ours."""
    name = quote(database, safe="") if database else ""
    return f"mongodb://{USER}:{password}@127.0.0.1:{port}/{name}?authSource=admin&replicaSet={REPLICA_SET}"


def password_of(folder: Path) -> str:
    """The password that a server's folder keeps."""
    return (folder / "password").read_text(encoding="ascii")


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def arguments(binary: MongodBinary, folder: Path, port: int, *, expire: bool = False) -> list[str | Path]:
    """mongod's command line: small files, no telemetry; documents expire by TTL indexes only if `expire`."""
    parameters = ("diagnosticDataCollectionEnabled=false", f"ttlMonitorEnabled={str(expire).lower()}")
    return [
        *(binary.path, "--dbpath", folder / "data", "--keyFile", folder / "key", "--replSet", REPLICA_SET),
        *("--bind_ip", "127.0.0.1", "--port", str(port), "--nounixsocket"),
        *("--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "64"),
        *(word for parameter in parameters for word in ("--setParameter", parameter)),
        *("--wiredTigerEngineConfigString", "log=(file_max=4MB,prealloc=false)"),
    ]


def raise_file_limit(process: subprocess.Popen[bytes]) -> None:
    """mongod aborts when about a thousand collections meet the usual soft limit of open files."""
    with suppress(OSError, ValueError):
        hard = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)[1]
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (hard, hard))


def launch(
    spawn: Spawn, binary: MongodBinary, folder: Path, port: int | None = None, *, expire: bool = False
) -> tuple[int, subprocess.Popen[bytes]]:
    """Starts a server on a folder's data, on `port` or on a free one, and waits until it is the primary.

    Raises ServerError, also when `port` is taken.
    """
    log, problem = folder / "log", ServerError("no port of the loopback interface is free")
    for _ in range(1 if port else _ATTEMPTS):
        chosen, start = port or free_port(), log_size(log)
        process = spawn(arguments(binary, folder, chosen, expire=expire), folder=folder, log=log)
        raise_file_limit(process)
        if _listening(process, log, start) and wait_primary(process, folder, chosen):
            return chosen, process
        problem = failure(f"MongoDB {binary.version}", log, start)
        if "Address already in use" not in read_log(log, start):
            break
    raise problem


def _listening(process: Program, log: Path, start: int) -> bool:
    """By its own word: a connection would not tell it from another program that took the port."""
    return ended_or(process, lambda: "Waiting for connections" in read_log(log, start), _SECONDS)


def wait_primary(process: Program, folder: Path, port: int) -> bool:
    """Waits until the server is the primary of its set, at this port; False if it ended.

    The set's configuration names host and port, and the template was made on another port.
    """
    from pymongo.errors import AutoReconnect, OperationFailure

    with _client(port, password_of(folder)) as client:
        moved = False

        def primary() -> bool:
            nonlocal moved
            try:
                moved = moved or _move(client, port)
                return bool(client.admin.command("hello")["isWritablePrimary"])
            except (AutoReconnect, OperationFailure):  # not yet initialised, or in the middle of an election
                return False

        return ended_or(process, primary, _SECONDS)


def _client(port: int, password: str | None = None) -> pymongo.MongoClient[dict[str, Any]]:
    import pymongo

    login: dict[str, Any] = {"username": USER, "password": password} if password else {}
    return pymongo.MongoClient(
        "127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=_SELECTION_MS,
        connectTimeoutMS=_SELECTION_MS, socketTimeoutMS=_SELECTION_MS, **login,
    )  # fmt: skip


def _move(client: pymongo.MongoClient[dict[str, Any]], port: int) -> bool:
    """Tells the set its own address; True once the set has one."""
    found = client.local["system.replset"].find_one()
    if found is None:
        return False
    address = f"127.0.0.1:{port}"
    if found["members"][0]["host"] != address:
        found["members"][0]["host"] = address
        found["version"] += 1
        client.admin.command("replSetReconfig", found, force=True)
    return True


def bare_template(run: Run, binary: MongodBinary, progress: Progress = silent) -> Path:
    """The template of an empty, initiated replica set with its user; made when this version has none."""
    user = server_user()
    key = f"bare:1:{binary.version}:{binary.path}:{user.uid if user else None}"
    if found := templates.find(_ENGINE, key):
        return found
    with templates.building(_ENGINE, key, progress) as found:
        if found:
            return found
        progress(f"preparing MongoDB {binary.version}: a replica set")
        folder = run.add("i")
        _initialise(run, binary, folder)
        saved = templates.save(_ENGINE, key, folder, _PARTS)
        run.drop(folder)
        return saved


def _initialise(run: Run, binary: MongodBinary, folder: Path) -> None:
    private_folder(folder / "data")
    _secret(folder / "key", base64.b64encode(secrets.token_bytes(48)).decode())
    _secret(folder / "password", secrets.token_urlsafe(24))
    port = free_port()
    log = folder / "log"
    process = run.spawn(arguments(binary, folder, port), folder=folder, log=log)
    if not _listening(process, log, 0):
        raise failure(f"MongoDB {binary.version}", log)
    from pymongo.errors import PyMongoError

    try:
        with _client(port) as client:  # the first user is made without one, from the loopback interface
            _initiate(client, port)
            _create_user(process, client, password_of(folder))
    except PyMongoError as error:
        raise ServerError(f"MongoDB {binary.version} cannot be prepared: {error}") from error
    finish(process, f"MongoDB {binary.version}")


def _secret(path: Path, text: str) -> None:
    """A file that only the servers' user may read, as mongod demands of its key file."""
    path.touch(mode=0o600)
    path.write_text(text, encoding="ascii")
    if user := server_user():
        os.chown(path, user.uid, user.gid)


def _initiate(client: pymongo.MongoClient[dict[str, Any]], port: int) -> None:
    member = {"_id": 0, "host": f"127.0.0.1:{port}"}
    client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [member]})


def _create_user(process: Program, client: pymongo.MongoClient[dict[str, Any]], password: str) -> None:
    def created() -> bool:
        if not client.admin.command("hello")["isWritablePrimary"]:
            return False
        client.admin.command("createUser", USER, pwd=password, roles=["root"])
        return True

    ended_or(process, created, _SECONDS)


def save_template(server: MongoServer, key: str) -> Path:
    """Caches the data under `key`, for start_mongo(template=...); the server has the same URLs again.

    The server is stopped meanwhile, so connections end. A template of that key that is there already stays.
    """
    server.halt()
    try:
        return templates.save(_ENGINE, key, server.folder, _PARTS)
    finally:
        server.launch(server.port)


def find_template(key: str) -> Path | None:
    """The template that save_template cached under `key`, None if there is none."""
    return templates.find(_ENGINE, key)
