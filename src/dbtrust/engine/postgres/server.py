"""Embedded PostgreSQL: throw-away servers of one run, started from copied data folders."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dbtrust.engine import templates, watchdog
from dbtrust.engine.home import private_folder, server_user
from dbtrust.engine.launched import Launched
from dbtrust.engine.postgres.binaries import PostgresBinaries, find_postgres
from dbtrust.engine.postgres.settings import LOGGING, configuration, refusal
from dbtrust.engine.processes import failure, log_size, read_log
from dbtrust.engine.runs import Run
from dbtrust.engine.spread import spread
from dbtrust.engine.waiting import Program, ended_or
from dbtrust.model.errors import ServerError
from dbtrust.model.progress import Progress, silent

__all__ = [
    "OWNER",
    "SUPERUSER",
    "PostgresBinaries",
    "PostgresServer",
    "bare_template",
    "find_postgres",
    "find_template",
    "save_template",
    "start_postgres",
]

SUPERUSER = "postgres"
#: The project's SQL runs as this role: a superuser's COPY TO PROGRAM would be a shell.
OWNER = "dbtrust_owner"
_ENGINE = "postgres"
_SOCKET_PORT = 5432  # only names the socket's file
_SECONDS = 60.0
#: initdb, or one statement on a server that is stopped.
_PROGRAM_SECONDS = 180.0
_BOOTSTRAP = f"CREATE ROLE {OWNER} LOGIN\n"


class PostgresServer(Launched):
    """A running server of a run, reached by a unix socket in a folder of mode 0700."""

    product = "PostgreSQL"
    fast = True
    #: dbtrust started it; see scratch.Host.
    embedded = True

    def __init__(self, run: Run, binaries: PostgresBinaries, folder: Path) -> None:
        super().__init__(run, binaries.version, folder)
        self._binaries = binaries

    def admin_url(self, database: str = "postgres") -> str:
        """The URL of a database as the cluster's superuser."""
        return self._url(SUPERUSER, database)

    def owner_url(self, database: str) -> str:
        """The URL of a database as the role, no superuser, that the project's SQL runs as."""
        return self._url(OWNER, database)

    def _url(self, role: str, database: str) -> str:
        host = quote(str(self.folder), safe="")
        return f"postgresql://{role}@/{quote(database, safe='')}?host={host}&port={_SOCKET_PORT}"

    @property
    def statements(self) -> Path:
        """The JSON log of a server that was started with `log_statements`; there once it said something."""
        return self.folder / "statements" / "statements.json"

    def launch(self, settings: Mapping[str, Any]) -> None:
        """Starts the server on its data folder and waits until it accepts connections.

        Raises ConfigError for a project's setting that the server refuses, ServerError otherwise.
        """
        data = self.folder / "data"
        argv = [self._binaries.folder / "postgres", "-D", data]
        start = log_size(self.log)
        self._process = self._run.spawn(argv, folder=self.folder, log=self.log)
        try:
            wait_ready(self._process, data, self.log, start)
        except ServerError as error:
            refused = refusal(read_log(self.log), settings, self._binaries.folder)
            raise refused or error from None

    def relaunch(self) -> None:
        """Starts a halted server again, with the settings and URLs that it had."""
        self.launch({})


def start_postgres(
    run: Run,
    binaries: PostgresBinaries,
    *,
    settings: Mapping[str, Any] = {},
    template: Path | None = None,
    log_statements: bool = False,
    progress: Progress = silent,
) -> PostgresServer:
    """A server of `run` with the project's `settings`, on a copy of `template` (None: an empty cluster).

    `log_statements`: it has a JSON log of its own, `PostgresServer.statements` (see recording.py).
    Raises ConfigError for a setting that is refused, ServerError if the server does not start.
    """
    folder = run.add("p")
    own: dict[str, Any] = {
        "unix_socket_directories": folder,
        "port": _SOCKET_PORT,
        "cluster_name": watchdog.title(str(folder)),
    }
    if log_statements:
        own |= {**LOGGING, "log_directory": folder / "statements"}
    text = configuration(settings, own)
    progress(f"starting PostgreSQL {binaries.version}")
    templates.copy_template(template or bare_template(run, binaries, progress), folder)
    spread(folder / "data/base")  # a folder for each database: most are scratch ones, and dropped soon
    write_configuration(folder / "data", text, "local all all trust\n")
    server = PostgresServer(run, binaries, folder)
    server.launch(settings)
    return server


def write_configuration(data: Path, text: str, access: str) -> None:
    """Writes postgresql.conf and pg_hba.conf of a data folder. Raises ServerError."""
    try:
        (data / "postgresql.conf").write_text(text, encoding="utf-8")
        (data / "pg_hba.conf").write_text(access, encoding="utf-8")
    except OSError as error:
        raise ServerError(
            f"the server's settings cannot be written to {data}: {error.strerror}",
            next="free some space, or set DBTRUST_HOME to a larger disk",
        ) from error


def wait_ready(process: Program, data: Path, log: Path, start: int = 0) -> None:
    """Waits until line 8 of postmaster.pid, where pg_ctl looks too, says that connections are accepted."""

    def ready() -> bool:
        try:
            lines = (data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").split("\n")
        except OSError:
            return False
        return lines[0] == str(process.pid) and len(lines) > 7 and lines[7].strip() == "ready"

    if not ended_or(process, ready, _SECONDS):
        raise failure("PostgreSQL", log, start)


def bare_template(run: Run, binaries: PostgresBinaries, progress: Progress = silent) -> Path:
    """The template of an empty cluster with the owner role; made by initdb when this version has none."""
    key = f"bare:{binaries.version}:{binaries.folder}:{hashlib.sha256(_recipe(binaries)).hexdigest()}"
    if found := templates.find(_ENGINE, key):
        return found
    with templates.building(_ENGINE, key, progress) as found:
        if found:
            return found
        progress(f"preparing PostgreSQL {binaries.version}: initdb")
        folder = run.add("i")
        _initialise(run, binaries, folder)
        built = private_folder(folder.with_name(f"{folder.name}t"))
        (folder / "data").rename(built / "data")
        run.drop(folder)
        return templates.publish(_ENGINE, key, built)


def _options(binaries: PostgresBinaries) -> list[str]:
    major = int(binaries.major)
    options = [f"--username={SUPERUSER}", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"]
    options.append("--no-clean")  # a crash leaves its pid file, by which its shared memory is freed
    options.append("--wal-segsize=1")  # every copy of a template has at least one segment
    if major >= 15:
        options.append("--locale-provider=libc")
    if major >= 16:
        options.append("--set=dynamic_shared_memory_type=mmap")  # nothing in /dev/shm while it is made
    if major >= 18:
        options.append("--no-data-checksums")  # as before 18
    return options


def _recipe(binaries: PostgresBinaries) -> bytes:
    user = server_user()
    return repr([_options(binaries), _BOOTSTRAP, user.uid if user else None]).encode()


def _initialise(run: Run, binaries: PostgresBinaries, folder: Path) -> None:
    data, log = folder / "data", folder / "log"
    _run_program(run, [binaries.folder / "initdb", "-D", data, *_options(binaries)], folder, log)
    single_user(run, binaries, folder, _BOOTSTRAP)


def single_user(run: Run, binaries: PostgresBinaries, folder: Path, statement: str) -> None:
    """Executes a statement on the data folder of a stopped server. Raises ServerError."""
    log, script = folder / "log", folder / "statement.sql"
    start = log_size(log)
    script.touch(mode=0o600)
    script.write_text(statement, encoding="utf-8")
    argv = [binaries.folder / "postgres", "--single", "-j", "-D", folder / "data", "postgres"]
    try:
        _run_program(run, argv, folder, log, stdin=script)
    finally:
        script.unlink()
    if "ERROR:" in read_log(log, start):
        raise failure("PostgreSQL", log, start)


def _run_program(
    run: Run, argv: list[Path | str], folder: Path, log: Path, stdin: Path | None = None
) -> None:
    process = run.spawn(argv, folder=folder, log=log, stdin=stdin)
    name = Path(argv[0]).name
    try:
        code = process.wait(_PROGRAM_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise ServerError(
            f"{name} was not through after {_PROGRAM_SECONDS:.0f} s",
            next="try again when the system is less busy",
        ) from error
    if code:
        raise failure(name, log)


def save_template(server: PostgresServer, key: str) -> Path:
    """Caches the data under `key`, for start_postgres(template=...); the server has the same URLs again.

    The server is stopped meanwhile, so connections end. A template of that key that is there already stays.
    """
    server.halt()
    try:
        return templates.save(_ENGINE, key, server.folder, ["data"])
    finally:
        server.relaunch()


def find_template(key: str) -> Path | None:
    """The template that save_template cached under `key`, None if there is none."""
    return templates.find(_ENGINE, key)
