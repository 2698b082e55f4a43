"""Runs single revisions of an Alembic project through its own env.py. Started as a program, by the project's own Python.

Arguments: two file descriptors (requests, answers) and the configuration file. Each request and each answer is one
line of JSON. Every connection that SQLAlchemy makes goes to the database that the request names, whatever the
project's configuration says; the drivers' own `connect` is closed to everybody else. Needs Python 3.8, alembic and
sqlalchemy, and nothing of dbtrust.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import traceback
from contextlib import suppress
from copy import copy
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

#: The application_name of every connection, by which dbtrust ends those that stay open.
PROGRAM = "dbtrust_program"
DRIVERS = ("psycopg2", "psycopg", "asyncpg", "pg8000")
#: The functions of each driver by which a connection begins: (module, name).
ENTRIES = {
    "psycopg2": (("psycopg2", "connect"), ("psycopg2", "_connect"), ("psycopg2._psycopg", "_connect")),
    "psycopg": (("psycopg", "connect"),),
    "asyncpg": (("asyncpg", "connect"), ("asyncpg", "create_pool")),
    "pg8000": (("pg8000", "connect"), ("pg8000.dbapi", "connect")),
}


class Takeover:
    """Where SQLAlchemy connects to. `generation` counts the requests: a pooled connection of an earlier one is not used."""

    def __init__(self) -> None:
        self.target: dict[str, str] = {}
        self.generation = 0
        self.inside = 0
        self.ours: list[Any] = []

    def begin(self, target: dict[str, str]) -> None:
        self.target, self.ours = target, []
        self.generation += 1

    def install(self) -> None:
        sqlalchemy: Any = import_module("sqlalchemy")
        engine: Any = import_module("sqlalchemy.engine").Engine
        pool: Any = import_module("sqlalchemy.pool").Pool
        sqlalchemy.event.listen(engine, "do_connect", self.connect)
        sqlalchemy.event.listen(pool, "connect", self.connected)
        sqlalchemy.event.listen(pool, "checkout", self.checkout)
        sys.addaudithook(self.guard)
        self.stale: type[Exception] = sqlalchemy.exc.DisconnectionError
        for name in DRIVERS:
            self.close_driver(name)

    def connect(self, dialect: Any, record: Any, arguments: Any, parameters: Any) -> Any:
        """SQLAlchemy's do_connect: what it returns is used instead of the configured database."""
        del record, arguments
        if dialect.name != "postgresql":
            raise RuntimeError(f"env.py makes a {dialect.name} engine; dbtrust proves PostgreSQL's")
        self.inside += 1
        try:
            connection = dialect.connect(**arguments_for(dialect.driver, self.target, parameters))
        finally:
            self.inside -= 1
        self.ours.append(connection)
        return connection

    def connected(self, connection: Any, record: Any) -> None:
        """An engine with a `creator` of its own does not ask `connect`."""
        if not any(connection is ours for ours in self.ours):
            raise RuntimeError("a connection that dbtrust did not make (creator=) was refused")
        record.info["dbtrust"] = self.generation

    def checkout(self, connection: Any, record: Any, proxy: Any) -> None:
        del connection, proxy
        if record.info.get("dbtrust") != self.generation:
            raise self.stale("of an earlier request")

    def guard(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Python's own sockets, of whatever library or event loop, reach the target alone."""
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            address = arguments[1]
            if address is not None and not self.allowed(address):
                raise RuntimeError(f"a connection to {address!r} beside SQLAlchemy was refused")

    def allowed(self, address: Any) -> bool:
        host, port = self.target.get("host", ""), self.target.get("port", "")
        if not isinstance(address, (str, bytes)):
            return self.inside > 0 and str(address[1]) == port
        text = os.fsdecode(address)
        return self.inside > 0 and text == f"{host}/.s.PGSQL.{port}"

    def close_driver(self, name: str) -> None:
        """The module's own `connect` then works inside `connect` alone."""
        try:
            module: Any = import_module(name)
        except ImportError:
            return
        for place, attribute in ENTRIES[name]:
            try:
                owner: Any = import_module(place)
            except ImportError:
                continue
            if hasattr(owner, attribute):
                setattr(owner, attribute, self.closed(name, getattr(owner, attribute)))
        if name == "psycopg2":
            self.close_class()
        if name == "psycopg":
            self.close_methods(module)

    def closed(self, name: str, original: Any) -> Any:
        """The same function, which works inside `connect` alone."""

        def connect(*arguments: Any, **keywords: Any) -> Any:
            self.refuse(name)
            return original(*arguments, **keywords)

        return connect

    def close_class(self) -> None:
        """psycopg2's own class connects by itself; what its `_connect` makes is a guarded heir of it."""
        extensions: Any = import_module("psycopg2.extensions")
        base, refuse = extensions.connection, self.refuse

        class Guarded(base):
            def __init__(self, *arguments: Any, **keywords: Any) -> None:
                refuse("psycopg2")
                base.__init__(self, *arguments, **keywords)

        inner: Any = import_module("psycopg2._psycopg")
        extensions.connection = inner.connection = Guarded

    def close_methods(self, module: Any) -> None:
        """psycopg's classes connect by themselves; the C class below them is left to the network namespace."""
        for owner in (module.Connection, module.AsyncConnection):
            owner.connect = classmethod(self.closed("psycopg", owner.connect.__func__))

    def refuse(self, name: str) -> None:
        if not self.inside:
            raise RuntimeError(f"a connection of {name} beside SQLAlchemy was refused")


def without_network(target: dict[str, str]) -> bool:
    """Leaves the network for a namespace of its own, where a socket in the file system still leads to the target.

    False where the target has another address, or the kernel does not allow it.
    """
    if not target["host"].startswith("/") or sys.platform != "linux":
        return False
    unshare: Any = ctypes.CDLL(None, use_errno=True).unshare
    user, group = os.getuid(), os.getgid()
    if unshare(NEW_NETWORK) == 0:
        return True
    if unshare(NEW_USER | NEW_NETWORK) != 0:
        return False
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        with suppress(OSError):
            Path("/proc/self", name).write_text(text)
    return True


#: Flags of unshare(2).
NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000


def arguments_for(driver: str, target: dict[str, str], given: dict[str, Any]) -> dict[str, Any]:
    """What a driver calls our database. `given` keeps what SQLAlchemy itself adds for the driver."""
    own: dict[str, Any] = {"host": target["host"], "user": target["user"], "port": int(target["port"])}
    if target.get("password"):
        own["password"] = target["password"]
    if driver.startswith("psycopg"):
        own["dbname"] = target["dbname"]
        return {**own, "application_name": PROGRAM, **kept(given, "cursor_factory", "context", "row_factory")}
    own["database"] = target["dbname"]
    if driver == "asyncpg":
        names = ("prepared_statement_cache_size", "prepared_statement_name_func", "async_fallback")
        return {**own, "server_settings": {"application_name": PROGRAM}, **kept(given, *names)}
    if driver == "pg8000":
        own["application_name"] = PROGRAM
        if own["host"].startswith("/"):
            own["unix_sock"] = f"{own.pop('host')}/.s.PGSQL.{own.pop('port')}"
        return own
    raise RuntimeError(f"the driver {driver} of SQLAlchemy is not known")


def kept(given: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: given[name] for name in names if name in given}


class Project:
    """The project's configuration and revisions, read once; env.py runs for every request."""

    def __init__(self, file: str) -> None:
        config: Any = import_module("alembic.config").Config
        self.config = config(toml_file=file) if file.endswith(".toml") else config(file)
        url = usable(self.config.get_main_option("sqlalchemy.url") or "")
        self.config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
        os.environ.setdefault("DATABASE_URL", url)
        self.script: Any = import_module("alembic.script").ScriptDirectory.from_config(self.config)
        self.environment: Any = import_module("alembic.runtime.environment").EnvironmentContext
        self.migration: Any = import_module("alembic.runtime.migration")
        self.without_ledger()

    def without_ledger(self) -> None:
        """dbtrust itself says which revision runs: without alembic_version the catalog holds the project's objects alone."""

        def no_heads(context: Any) -> tuple[str, ...]:
            del context
            return ()

        def nothing(*arguments: Any, **keywords: Any) -> None:
            del arguments, keywords

        self.migration.MigrationContext.get_current_heads = no_heads
        self.migration.MigrationContext._ensure_version_table = nothing
        self.migration.HeadMaintainer.update_to_step = nothing

    def run(self, revision: str | None, half: str, file: str, text: str | None) -> None:
        """One revision, up or down, as its file or another `text` of it has it; None runs env.py alone."""
        ran: list[bool] = []

        def chosen(heads: Any, context: Any) -> list[Any]:
            del heads, context
            ran.append(True)
            return self.steps(revision, half, file, text)

        with self.environment(
            self.config, self.script, fn=chosen, destination_rev=revision, dont_mutate=True
        ):
            self.script.run_env()
        if not ran:
            raise RuntimeError("env.py ran no migrations: it never called context.run_migrations()")

    def steps(self, revision: str | None, half: str, file: str, text: str | None) -> list[Any]:
        if revision is None:
            return []
        step = self.migration.MigrationStep
        make = step.upgrade_from_script if half == "up" else step.downgrade_from_script
        script = self.script.get_revision(revision)
        return [make(self.script.revision_map, script if text is None else rewritten(script, file, text))]


def rewritten(script: Any, file: str, text: str) -> Any:
    """The revision with a module made of another text."""
    module = ModuleType(script.module.__name__)
    module.__file__ = file
    exec(compile(text, file, "exec"), module.__dict__)  # noqa: S102 a revision is code that is run
    found = copy(script)
    found.module = module
    return found


def usable(url: str) -> str:
    """The configured URL where its driver is installed; it says the dialect alone, for no connection goes there."""
    try:
        import_module("sqlalchemy.engine").make_url(url).get_dialect()().import_dbapi()
    except Exception:
        for driver in DRIVERS:
            try:
                import_module(driver)
            except ImportError:
                continue
            return f"postgresql+{driver}://dbtrust@localhost/dbtrust"
    return url


def described(error: BaseException, file: str) -> dict[str, Any]:
    """The error with the last line of the revision's file in its trace, if it passed there."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [frame.lineno for frame in frames if os.path.realpath(frame.filename) == file]
    cause: Any = getattr(error, "orig", None) or error
    # asyncpg's own error stands behind the one that SQLAlchemy makes of it.
    codes = [getattr(e, name, None) for e in (cause, cause.__cause__) for name in ("sqlstate", "pgcode")]
    # pg8000 gives the fields of the server's answer as they come.
    fields: Any = cause.args[0] if cause.args and isinstance(cause.args[0], dict) else None
    code = next((c for c in [*codes, fields and fields.get("C")] if c), None)
    said = next(iter(str((fields and fields.get("M")) or cause).strip().splitlines()), "")
    message = said if code else f"{type(error).__name__}: {said}".rstrip(": ")
    last = frames[-1] if frames and os.path.realpath(frames[-1].filename) == file else None
    raised = last is not None and (last.line or "").startswith("raise ")
    return {"message": message, "sqlstate": code, "line": places[-1] if places else None, "raised": raised}


def main() -> None:
    requests, answers = os.fdopen(int(sys.argv[1])), os.fdopen(int(sys.argv[2]), "w")
    # A folder `alembic` of the project must not stand before the package; env.py's own modules are still found.
    sys.path[:] = [*sys.path[1:], str(Path.cwd())]
    takeover, project = Takeover(), None
    for line in requests:
        request = json.loads(line)
        takeover.begin(request["target"])
        answer: dict[str, Any] = {}
        try:
            if project is None:
                without_network(request["target"])
                takeover.install()
                project = Project(sys.argv[3])
            project.run(request["revision"], request["half"], request["file"], request.get("text"))
        except (Exception, SystemExit) as error:
            answer = {"error": described(error, request["file"])}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
