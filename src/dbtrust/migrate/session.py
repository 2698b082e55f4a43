"""What every verb of migrations works with: the folder, the targets' ledgers, and what was found so far."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from dbtrust.migrate.order import LABELS, Item, Order, Refused, order_of
from dbtrust.migrate.runner import Runner
from dbtrust.model.engine import Engine
from dbtrust.model.errors import FAILED, INTERRUPTED, ConfigError, DbtrustError
from dbtrust.model.ledger import Entry
from dbtrust.model.location import Location
from dbtrust.model.progress import Progress, silent
from dbtrust.model.project import Config, Script
from dbtrust.model.report import Finding, NotExamined, Outcome, Problem, Report, ServerInfo, Verdict
from dbtrust.source.hooks import read_hooks
from dbtrust.source.migrations import History, read_history

#: The order in which targets are opened and locked.
ENGINES: tuple[Engine, ...] = ("postgres", "mongo")


class Asked(NamedTuple):
    """What the command line says for every verb of migrations. `lock_wait` is in seconds."""

    urls: Mapping[Engine, str | None]
    only: frozenset[Engine] = frozenset()
    lock_wait: float = 60.0
    progress: Progress = silent


@dataclass(slots=True)
class Session:
    """One run on the targets. `runners` has those that were opened, PostgreSQL first."""

    config: Config
    history: History
    hooks: Mapping[str, Script]
    asked: Asked
    runners: dict[Engine, Runner] = field(default_factory=dict[Engine, Runner])
    verdicts: list[Verdict] = field(default_factory=list[Verdict])
    findings: list[Finding] = field(default_factory=list[Finding])
    not_examined: list[NotExamined] = field(default_factory=list[NotExamined])
    problems: list[Problem] = field(default_factory=list[Problem])
    migrations: list[Mapping[str, object]] | None = None
    #: Of those that were reached.
    servers: dict[str, ServerInfo | None] = field(default_factory=dict[str, "ServerInfo | None"])

    def order(self) -> Order:
        """The folder and the ledgers as they are now. Raises ServerError, MigrationStopped."""
        ledgers: dict[Engine, Mapping[int, Entry]] = {}
        for engine, runner in self.runners.items():
            ledgers[engine] = runner.entries()
            if engine not in self.servers:
                self.servers[engine] = ServerInfo(runner.version, embedded=False)
        return order_of(self.history.migrations, ledgers)

    @contextmanager
    def locked(self) -> Generator[None]:
        """Keeps every other runner out of all targets; PostgreSQL first, so that two never wait for each other."""
        with ExitStack() as stack:
            for runner in self.runners.values():
                self.asked.progress(f"waiting for the lock of {LABELS[runner.engine]}")
                stack.enter_context(runner.locked(self.asked.progress))
            yield

    def judge(
        self, check: str, item: Item, outcome: Outcome, message: str, *, reason: str = "", next: str = "",
        evidence: Mapping[str, object] | None = None, error: DbtrustError | None = None,
    ) -> None:  # fmt: skip
        """One verdict about a migration; `error` gives it a closer place."""
        place = error.location if error is not None and error.location.file else item.location
        self.verdicts.append(
            Verdict(
                check, item.engine, item.subject, outcome, message, reason=reason, next=next,
                evidence=evidence or {}, location=place,
            )
        )  # fmt: skip

    def fail(self, check: str, error: DbtrustError, item: Item | None = None) -> None:
        """An error that ended the run: a refuted migration where it has one, else an error of the document."""
        if item is not None and (reason := getattr(error, "unproved", "")):
            self.judge(check, item, "unproved", error.message, reason=reason, next=error.next, error=error)
            return
        if error.code == FAILED and item is not None:
            self.judge(check, item, "refuted", error.message, next=error.next, error=error)
            return
        self.problems.append(Problem.of(error))
        if item is not None:
            self.judge(
                check, item, "unproved", error.message, reason="server_error", next=error.next, error=error
            )

    def refuse(self, check: str, error: DbtrustError) -> None:
        """Nothing was run: the migration that stands in the way is refuted."""
        subject = error.subject if isinstance(error, Refused) else ""
        if error.code != FAILED or not isinstance(error, Refused) or not subject:
            self.problems.append(Problem.of(error))
            return
        evidence = {"difference": list(error.difference)} if error.difference else {}
        self.verdicts.append(
            Verdict(
                check, error.engine, subject, "refuted", error.message, next=error.next, evidence=evidence,
                location=error.location,
            )
        )  # fmt: skip

    def guard(self, check: str, work: Callable[[], None]) -> None:
        """Runs the part of a verb that asks the targets; what is refused around migrations goes into the report."""
        if self.problems:
            return
        try:
            work()
        except DbtrustError as error:
            self.refuse(check, error)
        except KeyboardInterrupt:
            self.problems.append(Problem(INTERRUPTED, "interrupted", next="run the same command again"))

    def note(self, rule: str, item: Item, message: str, fix: str = "", *, warning: bool = False) -> None:
        """Something about a migration that stops nobody."""
        severity = "warning" if warning else "info"
        self.findings.append(
            Finding(rule, severity, item.engine, item.subject, message, fix=fix, location=item.location)
        )

    def report(self) -> Report:
        return Report(
            project=self.config.name, servers=self.servers, verdicts=tuple(self.verdicts), findings=tuple(self.findings),
            not_examined=tuple(self.not_examined), errors=tuple(self.problems), fail_on=self.config.fail_on,
            strict=self.config.strict, migrations=None if self.migrations is None else tuple(self.migrations),
        )  # fmt: skip


def read_folder(config: Config) -> tuple[History, Mapping[str, Script]]:
    """The history and its hooks. Raises ConfigError where the project has no folder of migrations."""
    place = config.locations.get("migrations.folder", Location(config.file, 1, 1))
    if config.migrations is None:
        step = 'add [migrations] folder = "migrations"'
        raise ConfigError(f"{config.file} names no folder of migrations", location=place, next=step)
    if not (config.root / config.migrations).is_dir():
        step = "make it or mend [migrations] folder"
        raise ConfigError(f"no folder {config.migrations}", location=place, next=step)
    history = read_history(config.root, config.migrations)
    return history, read_hooks(config.root, config.migrations)


@contextmanager
def opened(config: Config, asked: Asked) -> Generator[Session]:
    """A session with a runner for each engine that is wanted and has a target.

    Raises ConfigError where no engine that is wanted has a target, or the folder cannot be read as a history;
    ServerError where a server cannot be reached. Nothing is started.
    """
    history, hooks = read_folder(config)
    wanted = wanted_engines(history, asked)
    refuse_without_target(wanted, asked)
    session = Session(config, history, hooks, asked)
    if history.errors:
        session.problems += [Problem.of(error) for error in history.errors]
        yield session
        return
    with ExitStack() as stack:
        for engine in wanted:
            if url := asked.urls.get(engine):
                asked.progress(f"connecting to {LABELS[engine]}")
                session.runners[engine] = runner = open_runner(engine, url, config.root, asked.lock_wait)
                stack.callback(runner.close)
        yield session


def wanted_engines(history: History, asked: Asked) -> list[Engine]:
    """The engines that the folder has migrations for; all where it is empty. Another one's driver costs a start."""
    has = {m.engine for m in history.migrations} or set(ENGINES)
    return [e for e in ENGINES if (e in has or e in asked.only) and (not asked.only or e in asked.only)]


def refuse_without_target(wanted: Iterable[Engine], asked: Asked) -> None:
    """With no target at all nothing is started. Raises ConfigError."""
    wanted = list(wanted)
    if any(asked.urls.get(engine) for engine in wanted):
        return
    names = " and ".join(LABELS[engine] for engine in wanted)
    options = " ".join(f"--{engine} URL" for engine in wanted)
    raise ConfigError(
        f"no target: this works on databases of yours ({names}), and none is named",
        next=f"give {options} or --target NAME",
    )


def open_runner(engine: Engine, url: str, root: Path, lock_wait: float) -> Runner:
    """Imports an engine's driver only when that engine is used. Raises ServerError, ConfigError."""
    if engine == "postgres":
        from dbtrust.migrate.runner_postgres import PostgresRunner

        return PostgresRunner(url, root=root, lock_wait=lock_wait)
    from dbtrust.migrate.runner_mongo import MongoRunner

    return MongoRunner(url, root=root, lock_wait=lock_wait)


def tell(session: Session, order: Order) -> None:
    """Notes about what is not as usual and stops nobody: numbers without a file, edited comments, other names."""
    for item in order.within(session.asked.only):
        if item.state == "unknown" and item.is_done:
            ahead = item.number > max((int(m.number) for m in session.history.migrations), default=-1)
            why = "the database is ahead of this folder" if ahead else "its file is gone"
            session.note(
                "migration.unknown", item, f"{LABELS[item.engine]}'s ledger has {item.written} ({item.name}): {why}",
                "bring its file back", warning=True,
            )  # fmt: skip
        elif item.state == "unknown":
            session.note(
                "migration.unknown", item, f"{LABELS[item.engine]}'s ledger has {item.written} ({item.name}) as half done, "
                "and its file is gone", f"bring the file back, or: dbtrust migrate repair --mark pending {item.written}",
                warning=True,
            )  # fmt: skip
        elif item.edit is not None and item.edit.harmless:
            session.note("migration.comments", item, f"{item.edit.what} were edited after it was applied")
        if item.migration and item.entry and item.migration.name != item.entry.name:
            session.note("migration.renamed", item, f"it was applied under the name {item.entry.name}")


def below_the_other(order: Order, items: Sequence[Item]) -> list[Item]:
    """Those whose number is below one that is applied in the other engine."""
    top: dict[Engine, int] = {}
    for item in order.items:
        if item.entry is not None and item.entry.state == "done":
            top[item.engine] = item.number
    return [
        i for i in items if any(i.number < n for e, n in top.items() if e != i.engine) and i.entry is None
    ]
