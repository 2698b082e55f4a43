"""A project on MongoDB: its history and data in one database, and fresh copies of it to write on."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymongo
import pymongo.errors
from pymongo.database import Database

from dbtrust.engine import templates
from dbtrust.engine.mongo import limits
from dbtrust.engine.mongo.binaries import MongodBinary, find_mongod
from dbtrust.engine.mongo.capture import Capture, Recorded
from dbtrust.engine.mongo.catalog import snapshot
from dbtrust.engine.mongo.connect import SELECTION_MS, connect, connect_async
from dbtrust.engine.mongo.copy import copy_database
from dbtrust.engine.mongo.load import load_documents
from dbtrust.engine.mongo.scratch import drop_whole, mark, marker_name, sweep
from dbtrust.engine.mongo.server import MongoServer, save_template, start_mongo
from dbtrust.engine.mongo.strays import strays
from dbtrust.engine.mongo.urls import database_of
from dbtrust.engine.runs import Run
from dbtrust.model.catalog import Catalog
from dbtrust.model.errors import ConfigError, DbtrustError, ServerError
from dbtrust.model.progress import Progress
from dbtrust.model.project import DataConfig
from dbtrust.model.words import nearest
from dbtrust.source.data import RowSource
from dbtrust.source.project import Project
from dbtrust.stage.data import midnight, read_generators, template_key
from dbtrust.stage.history import apply_history
from dbtrust.stage.lazy import exhausted_async

DATA = "dbtrust_data"
#: An embedded server answers at once or is gone: after Ctrl-C nobody waits long for it.
EMBEDDED_MS = 4_000
Client = pymongo.MongoClient[dict[str, Any]]


@dataclass(slots=True)
class Copies:
    """Makes copies of the data to write on. `fresh` gives the URL and name of a new one, `free` removes it.

    On an embedded server a copy is another mongod on a copy of the template's files (about half a second
    whatever the size); on a server of the user's it is another database filled on the server.
    """

    fresh: Callable[[], tuple[str, str]]
    free: Callable[[str, str], None]


@dataclass(slots=True)
class MongoStage:
    """`data` is the database that nothing writes to; None where it could not be built.

    `live` is a database that is not ours: commands are explained there, and with `executes` also run by explain.
    """

    client: Client
    url: str
    version: str
    embedded: bool
    copies: Copies | None = None
    data: str | None = None
    live: Database[Any] | None = None
    executes: bool = True
    evidence: dict[str, Any] = field(default_factory=dict[str, Any])
    errors: list[DbtrustError] = field(default_factory=list[DbtrustError])
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    #: The embedded server; one that was stopped (Ctrl-C) is not waited for.
    server: MongoServer | None = None
    #: Listens to `client`.
    capture: Capture = field(default_factory=Capture)
    _own: list[str] = field(default_factory=list[str])

    @contextmanager
    def empty(self) -> Generator[Database[Any]]:
        """A new empty database that is dropped at the end."""
        name = self.new_name("empty")
        try:
            yield self.client[name]
        finally:
            self.drop(name)

    def mark(self) -> None:
        """Before the first database on a server of the user's: a later run knows whose it is."""
        self._own.append(marker_name(self.run))
        mark(self.client, self.run)

    def new_name(self, purpose: str) -> str:
        name = f"dbtrust_{self.run}_{purpose}_{secrets.token_hex(3)}"
        self._own.append(name)
        return name

    def drop(self, name: str) -> None:
        if not self.embedded:
            drop_whole(self.client, name)
        elif self.server is None or self.server.running:
            self.client.drop_database(name)
        if name in self._own:
            self._own.remove(name)

    def reading(self) -> Database[Any]:
        """The database that commands are explained on."""
        if self.live is not None:
            return self.live
        assert self.data is not None
        return self.client[self.data]

    @contextmanager
    def copy(self) -> Generator[tuple[str, str]]:
        """URL and name of a copy of the data that is removed at the end."""
        assert self.copies is not None
        url, name = self.copies.fresh()
        try:
            yield url, name
        finally:
            self.copies.free(url, name)

    def catalog(self) -> Catalog | None:
        """What the history (or the declared collections) builds."""
        return snapshot(self.reading()) if self.data else None

    def close(self) -> None:
        # An embedded server is deleted as a whole; the mark of the run goes last.
        for name in [] if self.embedded else list(reversed(self._own)):
            with suppress(pymongo.errors.PyMongoError):
                self.drop(name)
        self.client.close()


class Scratch:
    """A copy of the data whose writes are noticed: a new one is made only after something wrote to the last."""

    def __init__(self, stage: MongoStage) -> None:
        self._stage = stage
        self.capture = Capture()
        self._open: tuple[str, str, Client] | None = None
        self._abandoned = False

    def abandon(self) -> None:
        """From another thread: whoever works on the copy gets an error at its next command, and no new copy."""
        self._abandoned = True
        if (now := self._open) is not None:
            now[2].close()

    def database(self) -> Database[Any]:
        """The copy, as the history and the generators left it. Raises ServerError once it is abandoned."""
        if self._abandoned:
            raise ServerError("interrupted")
        if self._open is None:
            assert self._stage.copies is not None
            url, name = self._stage.copies.fresh()
            timeout_ms = EMBEDDED_MS if self._stage.embedded else SELECTION_MS
            self._open = (url, name, connect(url, listeners=[self.capture], timeout_ms=timeout_ms))
        return self._open[2][self._open[1]]

    def run_async(self, call: Callable[[Any], Any]) -> Any:
        """Calls with the copy as an AsyncDatabase, waits for what is awaitable, reads iterators to their end.

        Raises TimeoutError where that takes too long.
        """
        self.database()
        assert self._open is not None
        url, name, _ = self._open

        async def run() -> Any:
            async with (
                connect_async(url, listeners=[self.capture]) as client,
                asyncio.timeout(limits.SECONDS),
            ):
                return await exhausted_async(call(client[name]))

        return asyncio.run(run())

    def spoil(self) -> None:
        """Something wrote to the copy: the next `database` is a fresh one."""
        if self._open is not None:
            url, name, client = self._open
            self._open = None
            client.close()
            assert self._stage.copies is not None
            self._stage.copies.free(url, name)

    def refuse_strays(self, commands: Sequence[Recorded], own: str) -> None:
        """Raises what `strays` finds."""
        if (error := self.strays(commands, own)) is not None:
            raise error

    def strays(self, commands: Sequence[Recorded], own: str) -> DbtrustError | None:
        """The error for code that wrote to another database of a server that outlives the run."""
        if self._stage.embedded or not (found := strays(commands, own)):
            return None
        said = ", ".join(f"{database} ({command})" for command, database in found)
        return DbtrustError(
            f"it wrote to databases of the server that are not dbtrust's: {said}",
            next="undo that by hand; write to self.db alone, or check on embedded servers (without --mongo)",
        )

    def release(self) -> tuple[str, str] | None:
        """URL and name of the copy, which nothing wrote to and the caller now has to free; None where there is none."""
        if self._open is None:
            return None
        url, name, client = self._open
        self._open = None
        client.close()
        return url, name

    def __enter__(self) -> Scratch:
        return self

    def __exit__(self, *_: object) -> None:
        self.spoil()


@contextmanager
def open_mongo(
    project: Project, run: Callable[[], Run], url: str | None, progress: Progress
) -> Generator[MongoStage]:
    """The project on the server that `url` names, else on an embedded one. Raises ConfigError for an unreadable URL, ServerError."""
    stage = _on_target(project, url, progress) if url is not None else _embedded(project, run(), progress)
    try:
        yield stage
    finally:
        stage.close()


@contextmanager
def open_live_mongo(
    project: Project, run: Callable[[], Run], url: str, progress: Progress, *, executes: bool
) -> Generator[MongoStage]:
    """The project on an embedded server, for its methods to run on, and the database of `url` to explain on.

    With `executes` explain may run what reads there. Raises ConfigError for a URL without a database, ServerError.
    """
    name = database_of(url)
    if not name:
        step = "write it behind the host, or use --database"
        raise ConfigError("the MongoDB URL names no database", next=step)
    with connect(url) as live, open_mongo(project, run, None, progress) as stage:
        if stage.data is None:
            why = "; ".join(str(error) for error in stage.errors)
            message = f"the project's own collections could not be built: {why}"
            raise ServerError(message, next="mend them first")
        stage.live, stage.executes = live[name], executes
        stage.evidence = {
            "database": name, "rows": {}, "day": midnight().date().isoformat(), "settings": {},
            "server": str(live.server_info()["version"]),
        }  # fmt: skip
        yield stage


def _on_target(project: Project, url: str, progress: Progress) -> MongoStage:
    capture = Capture()
    client: Client = connect(url, listeners=[capture])
    stage = MongoStage(client, url, str(client.server_info()["version"]), embedded=False, capture=capture)
    try:
        sweep(client)
        stage.mark()
        _build(project, stage, stage.new_name("data"), progress)
    except BaseException:
        stage.close()
        raise
    stage.copies = Copies(lambda: _copy_on_server(stage), lambda _url, name: stage.drop(name))
    return stage


def _copy_on_server(stage: MongoStage) -> tuple[str, str]:
    assert stage.data is not None
    name = stage.new_name("copy")
    copy_database(stage.client, stage.data, name)
    return stage.url, name


def _embedded(project: Project, run: Run, progress: Progress) -> MongoStage:
    config = project.config.mongo
    assert config is not None
    binary = find_mongod(config.version)
    generators, _ = read_generators(project, "mongo")
    key = template_key(project, "mongo", binary.version, generators, midnight().isoformat())
    with templates.building("mongo", key, progress) as template:
        progress("starting MongoDB")
        server = start_mongo(run, binary, template=template, progress=progress)
        capture = Capture()
        client = connect(server.url(), listeners=[capture], timeout_ms=EMBEDDED_MS)
        stage = MongoStage(
            client, server.url(), server.version, embedded=True, server=server, capture=capture
        )
        if template is None:
            template = _fill(project, stage, server, key, progress)
    if template is None:
        stage.copies = Copies(lambda: _copy_on_server(stage), lambda _url, name: stage.drop(name))
    else:
        stage.data, stage.evidence = DATA, _evidence(stage, generators)
        stage.copies = _file_copies(run, binary, template)
    return stage


def _fill(
    project: Project, stage: MongoStage, server: MongoServer, key: str, progress: Progress
) -> Path | None:
    """Builds history and data on a bare server; what was built without an error becomes the template."""
    _build(project, stage, DATA, progress)
    if stage.errors:
        return None
    stage.client.close()
    template = save_template(server, key)
    stage.client = connect(server.url(), listeners=[stage.capture], timeout_ms=EMBEDDED_MS)
    stage.url = server.url()
    return template


def _file_copies(run: Run, binary: MongodBinary, template: Path) -> Copies:
    servers: dict[str, MongoServer] = {}

    def fresh() -> tuple[str, str]:
        server = start_mongo(run, binary, template=template)
        servers[server.url()] = server
        return server.url(), DATA

    return Copies(fresh, lambda url, _name: servers.pop(url).stop())


def _build(project: Project, stage: MongoStage, name: str, progress: Progress) -> None:
    """Fills `stage.data`; what fails is kept in `stage.errors`, and then nothing is judged on it."""
    database = stage.client[name]
    try:
        apply(project, database, progress)
        stage.data = name
        generators, errors = read_generators(project, "mongo")
        stage.errors += errors
        fill(database, generators, progress)
        stage.evidence = _evidence(stage, generators)
    except DbtrustError as error:
        stage.errors.append(error)


def apply(project: Project, database: Database[Any], progress: Progress) -> None:
    """The history, or else the declared collections, in an empty database. Raises DbtrustError."""
    if project.history is not None:
        apply_history(None, database, project.history, project.config.root, progress=progress)
        return
    for declared in project.collections:
        declared.collection.create(database)


def fill(database: Database[Any], generators: Sequence[RowSource], progress: Progress) -> None:
    """Loads every generator into a database that has the collections. Raises DbtrustError.

    A name that is none of them is an error: MongoDB would make a collection that no query reads.
    """
    known = set(database.list_collection_names())
    for generator in generators:
        _refuse_strange(generator.config, known)
        progress(f"loading {generator.config.name}: {generator.config.rows:,} documents")
        load_documents(database[generator.config.name], generator.rows(midnight()), generator.location)


def _refuse_strange(item: DataConfig, known: set[str]) -> None:
    if item.name in known:
        return
    close = nearest(item.name, sorted(known))
    step = f"did you mean {close}?" if close else "create it, in a migration or a declared collection"
    raise ConfigError(
        f"data.{item.name}: there is no collection {item.name}", location=item.location, next=step
    )


def _evidence(stage: MongoStage, generators: list[RowSource]) -> dict[str, Any]:
    """What every verdict names: rows, day, server version."""
    rows = {g.config.name: g.config.rows for g in generators}
    return {"rows": rows, "day": midnight().date().isoformat(), "settings": {}, "server": stage.version}
