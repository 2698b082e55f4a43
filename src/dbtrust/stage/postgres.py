"""A project on PostgreSQL: its history and data in one database, and copies of it to judge and to write on."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from dbtrust.engine import templates
from dbtrust.engine.postgres.binaries import find_postgres
from dbtrust.engine.postgres.catalog import snapshot
from dbtrust.engine.postgres.load import load_copy, load_insert, materialized_views, refresh, vacuum
from dbtrust.engine.postgres.roles import configured_roles
from dbtrust.engine.postgres.scratch import Scratch, TargetHost
from dbtrust.engine.postgres.server import OWNER, PostgresServer, save_template, start_postgres
from dbtrust.engine.runs import Run
from dbtrust.model.catalog import Catalog
from dbtrust.model.errors import DbtrustError, ServerError
from dbtrust.model.location import Location
from dbtrust.model.progress import Progress
from dbtrust.model.project import PostgresConfig
from dbtrust.source.data import RowSource
from dbtrust.source.project import Project
from dbtrust.stage.data import midnight, read_generators, template_key
from dbtrust.stage.history import apply_history
from dbtrust.stage.lent_server import run_declared

STATE, DATA = "dbtrust_state", "dbtrust_data"
#: A query, a proof or an example may run this long; schema, history and data ten times as long.
STATEMENT_TIMEOUT_MS = 15_000


@dataclass(slots=True)
class PostgresStage:
    """`state` holds the history without data, `data` also the data; None where that could not be built.

    `examples` keeps what examples gave when they were evaluated over the data, by place and text.
    """

    scratch: Scratch
    version: str
    embedded: bool
    state: str | None = None
    data: str | None = None
    evidence: dict[str, Any] = field(default_factory=dict[str, Any])
    errors: list[DbtrustError] = field(default_factory=list[DbtrustError])
    examples: dict[tuple[Location, str], dict[str, Any]] = field(
        default_factory=dict[tuple[Location, str], "dict[str, Any]"]
    )

    @contextmanager
    def empty(self) -> Generator[psycopg.Connection[Any]]:
        """The owner's connection to a new empty database that is dropped at the end."""
        with (
            self.scratch.round(),
            self.scratch.temporary(self.scratch.create("empty")) as name,
            self.owner(name, slow=True) as connection,
        ):
            yield connection

    @contextmanager
    def copy(self, source: str) -> Generator[str]:
        """The name of a copy of `source` that is dropped at the end."""
        with self.scratch.temporary(self.scratch.copy(source, "copy")) as name:
            yield name

    def owner(
        self, name: str, *, slow: bool = False, timeout_ms: int = STATEMENT_TIMEOUT_MS
    ) -> psycopg.Connection[Any]:
        timeout = timeout_ms * (10 if slow else 1)
        return self.scratch.owner(name, statement_timeout_ms=timeout)

    def url(self, name: str) -> str:
        return self.scratch.host.owner_url(name)

    def catalog(self) -> Catalog | None:
        """What the history (or the declared schema) builds."""
        if self.state is None:
            return None
        with self.scratch.admin(self.state) as connection:
            return snapshot(connection)


@contextmanager
def open_postgres(
    project: Project,
    run: Callable[[], Run],
    url: str | None,
    progress: Progress,
    *,
    log_statements: bool = False,
) -> Generator[PostgresStage]:
    """The project on the server that `url` names, else on an embedded one. Raises ServerError.

    `log_statements` is start_postgres's, of an embedded one.
    """
    opened = (
        _on_target(project, url, progress) if url else _embedded(project, run(), progress, log_statements)
    )
    try:
        yield opened
    finally:
        opened.scratch.close()


@contextmanager
def open_empty(
    config: PostgresConfig,
    run: Callable[[], Run],
    url: str | None,
    progress: Progress,
    *,
    any_version: bool = False,
) -> Generator[PostgresStage]:
    """A server with the configuration's roles and nothing built on it. Raises ServerError.

    `any_version`: nobody asked for a version, so that of the server that `url` names is as good as another.
    """
    if url:
        host = TargetHost(url)
        if not any_version:
            _refuse_other_version(host, config)
        scratch = Scratch(host, config.extensions, settings=config.settings)
        stage = PostgresStage(scratch, host.version, embedded=False)
    else:
        server = start_postgres(
            run(), find_postgres(config.version), settings=config.settings, progress=progress
        )
        stage = PostgresStage(Scratch(server, config.extensions), server.version, embedded=True)
        with stage.scratch.admin("postgres") as admin:
            configured_roles(admin, config.roles, OWNER)
    try:
        yield stage
    finally:
        stage.scratch.close()


def _refuse_other_version(host: TargetHost, config: PostgresConfig) -> None:
    if host.version.split(".")[0] != config.version:
        step = f"name a server of that major, or set [postgres] version to {host.version.split('.')[0]!r}"
        raise ServerError(
            f"the server is PostgreSQL {host.version}, the project wants {config.version}", next=step
        )


def _on_target(project: Project, url: str, progress: Progress) -> PostgresStage:
    config = project.config.postgres
    assert config is not None
    host = TargetHost(url)
    _refuse_other_version(host, config)
    scratch = Scratch(host, config.extensions, settings=config.settings)
    stage = PostgresStage(scratch, host.version, embedded=False)
    try:
        build(project, stage, "state", "data", progress)
    except BaseException:
        scratch.close()
        raise
    return stage


def _embedded(project: Project, run: Run, progress: Progress, log_statements: bool) -> PostgresStage:
    config = project.config.postgres
    assert config is not None
    binaries = find_postgres(config.version)
    generators, _ = read_generators(project, "postgres")
    key = template_key(project, "postgres", binaries.version, generators, midnight().isoformat())
    with templates.building("postgres", key, progress) as template:
        progress("starting PostgreSQL")
        server = start_postgres(
            run, binaries, settings=config.settings, template=template, log_statements=log_statements,
            progress=progress,
        )  # fmt: skip
        stage = PostgresStage(Scratch(server, config.extensions), server.version, embedded=True)
        if template is None:
            _fill(project, stage, server, key, progress)
    if template is not None:
        stage.state, stage.data = STATE, DATA
        stage.evidence = _evidence(project, stage, generators)
    return stage


def _fill(
    project: Project, stage: PostgresStage, server: PostgresServer, key: str, progress: Progress
) -> None:
    """Builds history and data on a bare server; only what was built without an error becomes the template."""
    config = project.config.postgres
    assert config is not None
    with stage.scratch.admin("postgres") as admin:
        configured_roles(admin, config.roles, OWNER)
    build(project, stage, STATE, DATA, progress, exact=True)
    if stage.data is not None and not stage.errors:
        stage.scratch.close()
        save_template(server, key)
        stage.scratch = Scratch(server, config.extensions)


def build(
    project: Project, stage: PostgresStage, state: str, data: str, progress: Progress, *, exact: bool = False
) -> None:
    """Fills `stage.state` and `stage.data`; what fails is kept in `stage.errors` and the name stays None."""
    name = stage.scratch.create(state, exact=exact)
    try:
        _apply(project, stage, name, progress)
        stage.state = name
        copy = stage.scratch.copy(name, data, exact=exact)
        generators, errors = read_generators(project, "postgres")
        stage.errors += errors
        fill(stage, copy, generators, progress)
        if not stage.errors:
            stage.data = copy
        stage.evidence = _evidence(project, stage, generators)
    except DbtrustError as error:
        stage.errors.append(error)


def _apply(project: Project, stage: PostgresStage, name: str, progress: Progress) -> None:
    footprint = stage.scratch.footprint()
    with stage.owner(name, slow=True) as connection:
        if project.history is not None:
            apply_history(
                connection, None, project.history, project.config.root, progress=progress, footprint=footprint
            )
            return
        for file in project.schema:
            progress(f"applying {file.file}")
            run_declared(connection, file.text, file.file, footprint)


def fill(stage: PostgresStage, database: str, generators: Sequence[RowSource], progress: Progress) -> None:
    """Loads every generator into a database that has the schema, then refreshes, vacuums and analyzes.

    Materialized views were made over empty tables, so each is refreshed. Raises DbtrustError.
    """
    with stage.owner(database, slow=True) as connection:
        for generator in generators:
            _load(connection, generator, progress)
        for schema, name in materialized_views(connection):
            progress(f"refreshing {schema}.{name}")
            refresh(connection, schema, name)
    with stage.scratch.admin(database) as admin:
        progress("vacuum and analyze")
        vacuum(admin)


def _load(connection: psycopg.Connection[Any], generator: RowSource, progress: Progress) -> None:
    progress(f"loading {generator.config.name}: {generator.config.rows:,} rows")
    if generator.sql is not None:
        load_insert(connection, generator.sql, generator.config, midnight())
    else:
        load_copy(connection, generator.config.name, generator.rows(midnight()), generator.location)


def _evidence(project: Project, stage: PostgresStage, generators: list[RowSource]) -> dict[str, Any]:
    """What every verdict names: rows, day, settings, server version."""
    settings = dict(project.config.postgres.settings) if project.config.postgres else {}
    rows = {g.config.name: g.config.rows for g in generators}
    return {"rows": rows, "day": midnight().date().isoformat(), "settings": settings, "server": stage.version}
