"""One run of `check`: read the project, judge both engines at once, run its tests, follow its links."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from dbtrust.checks.absent import absent_verdicts
from dbtrust.checks.drift import drift_half
from dbtrust.checks.half import Half
from dbtrust.checks.links import judge_links
from dbtrust.checks.parse import Claims, claim_like, parse_claims
from dbtrust.checks.select import CHECKS, ENGINES, Selection, all_rules
from dbtrust.checks.tests import judge_tests
from dbtrust.claims.baseline import CHECK, gone_baselines
from dbtrust.engine.runs import Run
from dbtrust.model.engine import Engine
from dbtrust.model.errors import DbtrustError, ServerError
from dbtrust.model.progress import Progress
from dbtrust.model.project import Config
from dbtrust.model.report import Finding, NotExamined, Problem, Report, ServerInfo, Verdict
from dbtrust.schema.drift import CHECK as DRIFT
from dbtrust.schema.mutation import CHECK as MUTATION
from dbtrust.source.modules import project_path
from dbtrust.source.project import Project, read_project


@dataclass(slots=True)
class _Result:
    """What one run has found so far."""

    verdicts: list[Verdict] = field(default_factory=list[Verdict])
    findings: list[Finding] = field(default_factory=list[Finding])
    not_examined: list[NotExamined] = field(default_factory=list[NotExamined])
    problems: list[Problem] = field(default_factory=list[Problem])
    servers: dict[str, ServerInfo | None] = field(default_factory=dict[str, "ServerInfo | None"])


class LazyRun:
    """The folder of this run's embedded servers, made when the first server is. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._run: Run | None = None
        self._closed = False
        self._first: list[Callable[[], None]] = []

    def __call__(self) -> Run:
        with self._lock:
            if self._closed:
                raise DbtrustError("interrupted")
            if self._run is None:
                run = Run()
                run.__enter__()
                self._run = run
            return self._run

    def before_close(self, callback: Callable[[], None]) -> None:
        """Something else that ends with the run, before its servers do: programs that use them."""
        self._first.append(callback)

    def close(self) -> None:
        """Stops every server of the run; whoever still talks to one gets an error at once."""
        for callback in self._first:
            callback()
        with self._lock:
            self._closed = True
            run, self._run = self._run, None
        if run is not None:
            run.__exit__(None, None, None)


def check_project(
    config: Config, selection: Selection, *, postgres: str | None, mongo: str | None, strict: bool, fail_on: str,
    live: frozenset[str] = frozenset(), analyze: bool = False, column_order: bool = True, progress: Progress,
) -> Report:  # fmt: skip
    """The report of one project; `live` and `analyze` as in Options. Raises only what is a bug of dbtrust, KeyboardInterrupt and Interrupted."""
    result = _Result()
    with project_path(config):
        project = read_project(config)
        claims = parse_claims(project)
        result.problems += [Problem.of(error) for error in (*project.errors, *claims.errors)]
        result.findings += claim_like(project)
        urls: dict[Engine, str | None] = {"postgres": postgres, "mongo": mongo}
        _judge(project, claims, selection, urls, result, progress, live, analyze, column_order)
        if selection.wants("trace.link"):
            result.verdicts += judge_links(config)
    return Report(
        project=config.name, servers=result.servers,
        verdicts=tuple(v for v in result.verdicts if selection.keeps(v.check, v.engine)),
        findings=tuple(f for f in result.findings if selection.keeps(f.rule, f.engine)),
        not_examined=tuple(dict.fromkeys(result.not_examined)), errors=tuple(dict.fromkeys(result.problems)),
        fail_on=fail_on, strict=strict,
    )  # fmt: skip


def _judge(
    project: Project,
    claims: Claims,
    selection: Selection,
    urls: dict[Engine, str | None],
    result: _Result,
    progress: Progress,
    live: frozenset[str],
    analyze: bool,
    column_order: bool,
) -> None:
    wanted = configured(project.config, selection)
    drifting = wanted if selection.names(DRIFT) else []
    if not _needs_server(selection):
        wanted = []
    run = LazyRun()
    with ExitStack() as stack:
        stack.callback(run.close)
        halves = [
            half_of(engine, engine in live and urls[engine] is not None)(
                project, claims, selection, urls[engine], run, stack, progress
            )
            for engine in wanted
        ]
        for half in halves:
            half.analyze = analyze
        drifts = [
            drift_half(engine)(project, claims, selection, urls[engine], run, stack, progress)
            for engine in drifting
        ]
        for drift in drifts:
            drift.column_order = column_order
        for half in halves:
            run.before_close(half.abandon)
        in_parallel([half.judge for half in (*halves, *drifts)], run)
        for half in (*drifts, *halves):
            result.servers[half.engine] = half.info or result.servers.get(half.engine)
            result.verdicts += half.verdicts
            result.findings += half.findings
            result.not_examined += half.not_examined
            result.problems += [Problem.of(error) for error in half.errors]
            if half.info is None and half not in drifts:
                result.verdicts += absent_verdicts(project, claims, half.engine)
        if selection.names(MUTATION):
            in_parallel([lambda: _mutate(project, halves, selection, result, progress, run)], run)
        if selection.wants(CHECK):
            result.verdicts += gone_baselines(
                [b for group in project.baselines.values() for b in group.values()], subjects(project),
                unreadable=bool(project.errors),
            )  # fmt: skip
        if project.config.tests and selection.wants("tests.pass") and not selection.engines:
            verdict, problem = judge_tests(project.config, halves, progress)
            result.verdicts.append(verdict)
            result.problems += [problem] if problem else []


def _mutate(
    project: Project,
    halves: Sequence[Half],
    selection: Selection,
    result: _Result,
    progress: Progress,
    run: LazyRun,
) -> None:
    from dbtrust.checks.mutation import judge_mutations, unjudged

    lost = tuple(kind for half in halves for kind in half.connection_errors())
    try:
        result.verdicts += judge_mutations(
            project.config, halves, selection.engines, progress, run.before_close
        )
    except DbtrustError as error:
        result.problems.append(Problem.of(error))
        result.verdicts.append(unjudged(project.config, "the mutants could not be made"))
    except lost as error:
        message = f"the connection to the server was lost: {' '.join(str(error).split())[:200]}"
        result.problems.append(
            Problem.of(ServerError(message, next="look at the server's log and run again"))
        )
        result.verdicts.append(unjudged(project.config, "the server was lost"))


def subjects(project: Project) -> set[tuple[Engine, str]]:
    """Every query of the project."""
    found: set[tuple[Engine, str]] = set()
    found.update(("postgres", query.subject) for query in project.queries)
    found.update(("mongo", method.subject) for method in project.methods)
    return found


def configured(config: Config, selection: Selection) -> list[Engine]:
    """The engines that the project has and that are wanted."""
    has = {"postgres": config.postgres is not None, "mongo": config.mongo is not None}
    return [engine for engine in ENGINES if has[engine] and selection.engine(engine)]


def _needs_server(selection: Selection) -> bool:
    """Drift and links alone need no server with the project on it."""
    rest = [name for name in (*CHECKS, *all_rules()) if name not in ("trace.link", DRIFT)]
    return not selection.ids or any(name.startswith(word) for name in rest for word in selection.ids)


def half_of(engine: Engine, live: bool = False) -> type[Half]:
    """Imports an engine's driver only when that engine is judged."""
    if engine == "postgres":
        if live:
            from dbtrust.checks.live_postgres import LivePostgresHalf as Chosen
        else:
            from dbtrust.checks.postgres import PostgresHalf as Chosen
    elif live:
        from dbtrust.checks.live_mongo import LiveMongoHalf as Chosen
    else:
        from dbtrust.checks.mongo import MongoHalf as Chosen
    return Chosen


def in_parallel(jobs: Sequence[Callable[[], Any]], run: LazyRun) -> None:
    """Runs every job; at Ctrl-C or SIGTERM the servers go first, so that no thread waits for an answer."""
    with ThreadPoolExecutor(max(1, len(jobs)), thread_name_prefix="dbtrust") as pool:
        futures: list[Future[Any]] = [pool.submit(job) for job in jobs]
        try:
            for future in futures:
                future.result()
        except BaseException:
            run.close()
            raise
