"""`migrate prove`: every history of a project or of a folder without one, on servers of dbtrust's own or scratch databases."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from dbtrust.engine.runs import Run
from dbtrust.migrate.histories import marked, unproved_all
from dbtrust.migrate.since import edits
from dbtrust.model.errors import DbtrustError, ServerError
from dbtrust.model.location import Location
from dbtrust.model.plan import Engine
from dbtrust.model.progress import Progress, silent
from dbtrust.model.project import Config, MongoConfig, PostgresConfig
from dbtrust.model.report import Finding, NotExamined, Problem, Report, ServerInfo, Verdict
from dbtrust.source.data import RowSource
from dbtrust.source.git import Changes, changes_since
from dbtrust.source.layouts.own import reading_of
from dbtrust.source.layouts.reading import Read, Reading
from dbtrust.source.layouts.registry import find_histories
from dbtrust.source.layouts.unsupported import Unsupported
from dbtrust.source.project import Project
from dbtrust.stage.data import read_generators


@dataclass(frozen=True, slots=True)
class Proving:
    """`config` is None for a folder without dbtrust.toml; `engines` are those that are wanted."""

    root: Path
    config: Config | None = None
    since: str | None = None
    postgres: str | None = None
    mongo: str | None = None
    engines: frozenset[str] = frozenset({"postgres", "mongo"})
    strict: bool = False
    fail_on: str = "error"
    progress: Progress = silent
    #: The project's own rows for the states with rows.
    generators: Sequence[RowSource] = ()


@dataclass(slots=True)
class _Found:
    verdicts: list[Verdict] = field(default_factory=list[Verdict])
    findings: list[Finding] = field(default_factory=list[Finding])
    not_examined: list[NotExamined] = field(default_factory=list[NotExamined])
    problems: list[Problem] = field(default_factory=list[Problem])
    servers: dict[str, ServerInfo | None] = field(default_factory=dict[str, "ServerInfo | None"])


def prove(request: Proving) -> Report:
    """The report of a run. Raises ConfigError for a folder that is none and a revision that git does not know."""
    found = _Found()
    changes = changes_since(request.root, request.since) if request.since is not None else None
    request.progress("reading the migrations")
    readings = _read(request, found)
    if changes is not None:
        found.findings += [finding for reading in readings for finding in edits(reading, changes)]
    _on_servers(request, readings, changes, found)
    return Report(
        project=request.config.name if request.config else request.root.resolve().name,
        servers=found.servers, verdicts=tuple(found.verdicts), findings=tuple(found.findings),
        not_examined=tuple(dict.fromkeys(found.not_examined)), errors=tuple(dict.fromkeys(found.problems)),
        strict=request.strict, fail_on=request.fail_on,
    )  # fmt: skip


def _read(request: Proving, found: _Found) -> list[Reading]:
    """The histories; what could not be read is told."""
    if request.config is not None and request.config.migrations is not None:
        readings = [reading_of(request.root, request.config.migrations)]
    else:
        seen = find_histories(request.root)
        readings = seen.readings
        found.not_examined += seen.not_examined
        found.verdicts += [_unsupported(item) for item in seen.unsupported]
        if not readings and not seen.unsupported:
            found.verdicts.append(_none(request.root))
    for reading in readings:
        found.problems += [Problem.of(error) for error in reading.errors]
    return readings


def _unsupported(item: Unsupported) -> Verdict:
    return Verdict(
        "migrate.up", None, f"file:{item.file}", "unproved", f"{item.layout} migrations are not read",
        reason="missing_object", next=item.next, location=Location(item.file, 1, 1),
        evidence={"history": item.folder or ".", "layout": item.layout, "cause": "layout"},
    )  # fmt: skip


def _none(root: Path) -> Verdict:
    return Verdict(
        "migrate.up", None, f"file:{root.resolve().name}", "unproved", "no migrations in a known layout",
        reason="missing_object", next="docs/layouts.md names the layouts; name the folder that holds them",
        evidence={"cause": "layout"},
    )  # fmt: skip


def _on_servers(
    request: Proving, readings: Sequence[Reading], changes: Changes | None, found: _Found
) -> None:
    def wanted(read: Read) -> bool:
        return changes is None or any(changes.touch(file) for file in read.files)

    jobs: tuple[tuple[Engine, Callable[..., None]], ...] = (("postgres", _postgres), ("mongo", _mongo))
    with ExitStack() as stack:
        started: list[Run] = []

        def run() -> Run:
            if not started:
                started.append(stack.enter_context(Run()))
            return started[0]

        for engine, job in jobs:
            own = [r for r in readings if any(x.migration.engine == engine and wanted(x) for x in r.reads)]
            if engine not in request.engines:
                continue
            if own:
                _guarded(engine, job, request, own, wanted, run, found)
            else:
                _unused_url(engine, request, found)


def _unused_url(engine: Engine, request: Proving, found: _Found) -> None:
    """A URL that cannot be read is told, also where no migration needs its server."""
    url = request.postgres if engine == "postgres" else request.mongo
    if url is None:
        return
    try:
        if engine == "postgres":
            from dbtrust.engine.postgres.connect import read_url

            read_url(url)
        else:
            from dbtrust.engine.mongo.urls import check_url

            check_url(url)
    except DbtrustError as error:
        found.problems.append(Problem.of(error))


def _guarded(
    engine: Engine, job: Callable[..., None], request: Proving, readings: Sequence[Reading],
    wanted: Callable[[Read], bool], run: Callable[[], Run], found: _Found,
) -> None:  # fmt: skip
    """What a lost server leaves open is unproved."""
    found.servers[engine] = None
    try:
        job(request, readings, wanted, run, found)
    except DbtrustError as error:
        found.problems.append(Problem.of(error))
    except _connection_errors(engine) as error:
        said = f"the connection to the server was lost: {' '.join(str(error).split())[:200]}"
        found.problems.append(Problem.of(ServerError(said, next="look at the server's log and run again")))
    else:
        return
    judged = {(v.engine, v.location.file) for v in found.verdicts}
    for reading in readings:
        left = [
            r for r in reading.reads
            if r.migration.engine == engine and wanted(r) and (engine, r.migration.location.file) not in judged
        ]  # fmt: skip
        lost = unproved_all(left, "no server", "no_server", "see the error above")
        found.verdicts += [marked(v, reading) for v in lost]


def _connection_errors(engine: Engine) -> tuple[type[Exception], ...]:
    if engine == "postgres":
        import psycopg

        return (psycopg.OperationalError,)
    import pymongo.errors

    return (pymongo.errors.ConnectionFailure,)


def _postgres(
    request: Proving,
    readings: Sequence[Reading],
    wanted: Callable[[Read], bool],
    run: Callable[[], Run],
    found: _Found,
) -> None:
    from dbtrust.migrate.left_behind import left_behind
    from dbtrust.migrate.postgres_histories import prove_reading
    from dbtrust.stage.postgres import open_empty

    request = _with_generators(request, found)
    config = request.config.postgres if request.config else None
    opened = open_empty(
        config or PostgresConfig(), run, request.postgres, request.progress, any_version=config is None
    )
    with opened as stage:
        found.servers["postgres"] = ServerInfo(stage.version, stage.embedded)
        with left_behind(stage.scratch, found.findings):
            for reading in readings:
                with _alone(reading, wanted, found):
                    verdicts, told = prove_reading(
                        stage, reading, request, wanted, configured=config is not None
                    )
                    found.verdicts += verdicts
                    found.not_examined += told


@contextmanager
def _alone(reading: Reading, wanted: Callable[[Read], bool], found: _Found) -> Generator[None]:
    """What nobody expected of one history's scripts costs the others nothing; a server that is lost is passed on."""
    import psycopg

    from dbtrust.engine.postgres.errors import describe

    try:
        yield
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        said = f"{reading.folder or '.'}: proving it ended in an error that dbtrust did not expect: {describe(error)}"
        found.problems.append(
            Problem.of(ServerError(said, next="please report it with the scripts of that folder"))
        )
        left = unproved_all(
            [r for r in reading.reads if wanted(r)], said, "server_error", "see the error above"
        )
        found.verdicts += [marked(v, reading) for v in left]


def _with_generators(request: Proving, found: _Found) -> Proving:
    """What of [data] cannot be read is told."""
    if request.config is None:
        return request
    generators, errors = read_generators(Project(request.config), "postgres")
    found.problems += [Problem.of(error) for error in errors]
    return replace(request, generators=generators)


def _mongo(
    request: Proving,
    readings: Sequence[Reading],
    wanted: Callable[[Read], bool],
    run: Callable[[], Run],
    found: _Found,
) -> None:
    from dbtrust.migrate.mongo import prove_mongo
    from dbtrust.stage.mongo import open_mongo

    said = request.config.mongo if request.config else None
    bare = Config(request.root, "", "", mongo=said or MongoConfig())
    with open_mongo(Project(bare), run, request.mongo, request.progress) as stage:
        found.servers["mongo"] = ServerInfo(stage.version, stage.embedded)
        for reading in readings:
            request.progress(f"proving {reading.folder or '.'}")
            only = frozenset(r.migration.number for r in reading.reads if wanted(r))
            verdicts = prove_mongo(
                stage.empty,
                reading.history,
                request.root,
                stage.capture,
                only=only,
                progress=request.progress,
            )
            found.verdicts += [marked(v, reading) for v in verdicts]
