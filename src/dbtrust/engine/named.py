"""A named pair of servers that outlives dbtrust and keeps its data: a developer's own databases."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from dbtrust.engine import templates, watchdog
from dbtrust.engine.home import lasting_ground, make_folder, private_folder
from dbtrust.engine.locks import locked
from dbtrust.engine.mongo import server as mongo
from dbtrust.engine.postgres import server as postgres
from dbtrust.engine.postgres.settings import configuration
from dbtrust.engine.processes import log_size, read_log, spawn
from dbtrust.engine.runs import Run
from dbtrust.engine.waiting import Adopted
from dbtrust.model.errors import ConfigError, ServerError
from dbtrust.model.progress import Progress, silent

Engine = Literal["postgres", "mongo"]
ENGINES: tuple[Engine, ...] = ("postgres", "mongo")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
_SECONDS = 60.0
#: Starting a pair for the first time copies programs and runs initdb, and a stop may take its minute.
_LOCK_SECONDS = 300.0
_ATTEMPTS = 5
#: The data are somebody's: they survive a crash, and nobody judges this server's statistics.
_LASTING = {"fsync": True, "full_page_writes": True, "autovacuum": True, "checkpoint_timeout": "5min"}


@dataclass(frozen=True, slots=True)
class NamedServer:
    """A running server of a pair; the URL holds its password."""

    url: str
    version: str
    pid: int


@dataclass(frozen=True, slots=True)
class _Record:
    """What is kept of a server beside its data; `port` is 0 until it has run once."""

    version: str
    password: str
    port: int = 0


def start(engine: Engine, name: str = "default", *, progress: Progress = silent) -> NamedServer:
    """Starts one server of the pair `name`, which is made if absent; one that runs is left as it is.

    Raises ConfigError for a name that is no name, ServerError.
    """
    with _pair(name, progress) as pair:
        if (found := _running(engine, pair)) is not None:
            return found
        _end(engine, pair)
        if engine == "mongo":
            return _start_mongo(pair, progress)
        # Nothing runs there, whichever process has the number in that file by now.
        (pair / "postgres" / "data" / "postmaster.pid").unlink(missing_ok=True)
        return _start_postgres(pair, progress)


def status(engine: Engine, name: str = "default") -> NamedServer | None:
    """One server of the pair, None if it does not run. Raises ConfigError, ServerError."""
    pair = _folder(name)
    return _running(engine, pair, wait=False) if pair.is_dir() else None


def stop(engine: Engine, name: str = "default", *, delete: bool = False, progress: Progress = silent) -> bool:
    """Ends one server of the pair cleanly, and deletes its data if asked to; True if it was running."""
    if not _folder(name).is_dir():
        return False
    with _pair(name, progress) as pair:
        was_running = _end(engine, pair)
        if delete:
            shutil.rmtree(pair / engine, ignore_errors=True)
            (pair / f"{engine}.json").unlink(missing_ok=True)
            if [path.name for path in pair.iterdir()] == ["lock"]:
                shutil.rmtree(pair, ignore_errors=True)
        return was_running


def _folder(name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} is no name of a pair of servers",
            next="use up to 40 letters, digits, '.', '_' and '-', the first a letter or a digit",
        )
    return lasting_ground() / "servers" / name


@contextmanager
def _pair(name: str, progress: Progress = silent) -> Generator[Path]:
    pair = make_folder(_folder(name))
    waiting = f"waiting for another process that starts or stops the servers {name}"
    with locked(pair / "lock", waiting=waiting, progress=progress, seconds=_LOCK_SECONDS):
        yield pair


def _read(engine: Engine, pair: Path) -> _Record | None:
    try:
        return _Record(**json.loads((pair / f"{engine}.json").read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise ServerError(
            f"the record {pair / f'{engine}.json'} cannot be read: {error}",
            next="`dbtrust servers stop --delete` removes the pair and its data",
        ) from error


def _write(engine: Engine, pair: Path, record: _Record) -> None:
    """At once, and readable by this user alone: it holds the password."""
    half = pair / f".{engine}.json"
    half.touch(mode=0o600)
    half.write_text(json.dumps(asdict(record)), encoding="utf-8")
    half.rename(pair / f"{engine}.json")


def _url(engine: Engine, record: _Record) -> str:
    if engine == "mongo":
        return mongo.server_url(record.port, record.password)
    return f"postgresql://{postgres.SUPERUSER}:{record.password}@127.0.0.1:{record.port}/postgres"


def _pid(engine: Engine, pair: Path) -> int | None:
    """The server's process, by what runs in its folder; a pid file alone may be a dead server's."""
    found = watchdog.processes(str(pair / engine))
    if engine == "mongo":
        return next((pid for pid, name in found.items() if name == "mongod"), None)
    try:
        text = (pair / engine / "data" / "postmaster.pid").read_text(encoding="utf-8")
        pid = int(text.split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    return pid if pid in found else None


def _running(engine: Engine, pair: Path, *, wait: bool = True) -> NamedServer | None:
    """The server if it runs, ready if `wait`; one that was started and never recorded does not count."""
    record, pid = _read(engine, pair), _pid(engine, pair)
    if record is None or pid is None or not record.port:
        return None
    if wait and engine == "postgres":
        postgres.wait_ready(Adopted(pid), pair / engine / "data", pair / engine / "log")
    elif wait and not mongo.wait_primary(Adopted(pid), pair / engine, record.port):
        return None
    return NamedServer(_url(engine, record), record.version, pid)


def _end(engine: Engine, pair: Path) -> bool:
    """Ends the server cleanly, and after a while hard; True if it was running.

    It ends last of its processes: what is left behind it has lost its server, and is not waited for.
    """
    folder, pid = str(pair / engine), _pid(engine, pair)
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT if engine == "postgres" else signal.SIGTERM)
        deadline = time.monotonic() + _SECONDS
        while pid in (found := watchdog.processes(folder)) and time.monotonic() < deadline:
            watchdog.wake(folder, found)
            time.sleep(0.01)
    if not watchdog.end(folder):
        raise ServerError(
            f"a server in {folder} cannot be stopped", next="stop it as the user who started it"
        )
    return pid is not None


def _start_postgres(pair: Path, progress: Progress) -> NamedServer:
    folder = pair / "postgres"
    version_file = folder / "data" / "PG_VERSION"
    major = version_file.read_text(encoding="ascii").strip() if version_file.exists() else "17"
    binaries = postgres.find_postgres(major)
    if not version_file.exists():
        _make_postgres(pair, binaries, progress)
    record = _record("postgres", pair)
    progress(f"starting PostgreSQL {binaries.version}")
    problem = ServerError("no port of the loopback interface is free")
    for _ in range(1 if record.port else _ATTEMPTS):
        port, begin = record.port or mongo.free_port(), log_size(folder / "log")
        own = {
            **_LASTING,
            "listen_addresses": "127.0.0.1",
            "port": port,
            "cluster_name": watchdog.title(str(folder)),
        }
        access = "host all all 127.0.0.1/32 scram-sha-256\n"
        postgres.write_configuration(folder / "data", configuration({}, own), access)
        argv = [binaries.folder / "postgres", "-D", folder / "data"]
        process = spawn(argv, folder=folder, log=folder / "log")
        try:
            postgres.wait_ready(process, folder / "data", folder / "log", begin)
        except ServerError as error:
            problem = _port_problem(error, port, pair, read_log(folder / "log", begin))
            continue
        return _started("postgres", pair, _Record(binaries.version, record.password, port), process)
    raise problem


def _make_postgres(pair: Path, binaries: postgres.PostgresBinaries, progress: Progress) -> None:
    """An empty cluster, whole or not at all."""
    password = secrets.token_urlsafe(24)
    with Run() as run, _half(pair, "postgres") as half:
        templates.copy_template(postgres.bare_template(run, binaries, progress), half)
        statement = f"ALTER ROLE {postgres.SUPERUSER} PASSWORD '{password}'\n"
        postgres.single_user(run, binaries, half, statement)
        _write("postgres", pair, _Record(binaries.version, password))


@contextmanager
def _half(pair: Path, engine: Engine) -> Generator[Path]:
    half = pair / f".half-{engine}"
    shutil.rmtree(half, ignore_errors=True)
    shutil.rmtree(pair / engine, ignore_errors=True)
    yield private_folder(half)
    half.rename(pair / engine)


def _record(engine: Engine, pair: Path) -> _Record:
    record = _read(engine, pair)
    if record is None:
        raise ServerError(
            f"the servers in {pair} have data and no record of their password",
            next="`dbtrust servers stop --delete` removes the pair and its data",
        )
    return record


def _port_problem(error: ServerError, port: int, pair: Path, log: str) -> ServerError:
    if "ddress already in use" not in log:
        return error
    return ServerError(
        f"port {port} of the servers {pair.name} is taken",
        next="stop the program that listens there, or start another pair with --name",
    )


def _start_mongo(pair: Path, progress: Progress) -> NamedServer:
    folder = pair / "mongo"
    binary = mongo.find_mongod("8.0")
    if not (folder / "data").exists():
        with Run() as run, _half(pair, "mongo") as half:
            templates.copy_template(mongo.bare_template(run, binary, progress), half)
            _write("mongo", pair, _Record(binary.version, mongo.password_of(half)))
    record, begin = _record("mongo", pair), log_size(folder / "log")
    progress(f"starting MongoDB {binary.version}")
    try:
        port, process = mongo.launch(spawn, binary, folder, record.port or None, expire=True)
    except ServerError as error:
        raise _port_problem(error, record.port, pair, read_log(folder / "log", begin)) from None
    return _started("mongo", pair, _Record(binary.version, record.password, port), process)


def _started(engine: Engine, pair: Path, record: _Record, process: subprocess.Popen[bytes]) -> NamedServer:
    _write(engine, pair, record)
    process.returncode = 0  # it outlives this process: nobody here waits for it
    return NamedServer(_url(engine, record), record.version, process.pid)
