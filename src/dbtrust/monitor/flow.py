"""`monitor snapshot` and `monitor diagnose`: read, decide and view, each on its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from dbtrust.model.errors import ConfigError, DbtrustError, ServerError
from dbtrust.model.location import Location
from dbtrust.model.monitor import EngineView
from dbtrust.model.plan import Engine
from dbtrust.model.project import Config
from dbtrust.model.report import Finding, NotExamined, Problem, Report, ServerInfo
from dbtrust.model.snapshot import ReadOptions, Snapshot
from dbtrust.monitor.files import load
from dbtrust.monitor.judging import checked, judge
from dbtrust.monitor.leaf import leaf
from dbtrust.monitor.registry import ENGINES, chosen
from dbtrust.monitor.rule import Rule
from dbtrust.source.config import CONFIG_FILE, load_config
from dbtrust.source.targets import target_urls


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for. `saved` and `since` are snapshot files: to judge, and to compare with."""

    project: Path = Path()
    only: tuple[str, ...] = ()
    postgres: str | None = None
    mongo: str | None = None
    target: str | None = None
    database: str | None = None
    strict: bool = False
    fail_on: str | None = None
    saved: Path | None = None
    since: Path | None = None
    literals: bool = False
    reading: ReadOptions = field(default_factory=ReadOptions)


@dataclass(frozen=True, slots=True)
class Taken:
    """Snapshots of the servers that could be read, and the errors of those that could not."""

    project: str | None
    snapshots: tuple[Snapshot, ...]
    problems: tuple[Problem, ...]
    fail_on: str


#: What rows that no server gave make of a rule or a view.
_DAMAGE = (KeyError, TypeError, ValueError, AttributeError)


def snapshot(options: Options) -> Taken:
    """Reads every server of the target, redacted unless literals are wanted. Raises ConfigError."""
    config = _config(options)
    fail_on = options.fail_on or (config.fail_on if config else "error")
    urls = _urls(options, config)
    before = _by_engine(_texts(load(options.since))) if options.since else {}
    found: list[Snapshot] = []
    problems: list[Problem] = []
    for engine, url in urls.items():
        try:
            found.append(_read(engine, url, options, before.get(engine)))
            _refuse_lost(found[-1])
        except DbtrustError as error:
            problems.append(Problem.of(error))
    return Taken(config.name if config else None, tuple(found), tuple(problems), fail_on)


def diagnose(options: Options) -> Report:
    """Judges a server as it is now, or a snapshot file without the server. Raises ConfigError."""
    rules = chosen(options.only)
    taken = None if options.saved else snapshot(options)
    earlier = _by_engine(load(options.since)) if options.since else {}
    try:
        return _report(options, rules, taken or _saved(options), earlier)
    except _DAMAGE as error:
        raise _damaged(options, error) from error


def _damaged(options: Options, error: Exception) -> Exception:
    """Rows that no server gave: what was read from a file is the file's fault, all else is a bug of dbtrust."""
    file = options.saved or options.since
    if file is None:
        return error
    where = "; ".join(getattr(error, "__notes__", ()))
    return ConfigError(
        "this snapshot is damaged: a row is not as dbtrust writes it"
        f" ({where + ': ' if where else ''}{type(error).__name__}: {error})",
        location=Location(file.as_posix()),
        next="take it again with this version of dbtrust: monitor snapshot --output FILE",
    )


def sent(options: Options) -> dict[Engine, list[str]]:
    """Everything that reading would send, for each engine of the target. Raises ConfigError and ServerError."""
    urls = _urls(options, _config(options))
    return {engine: list(leaf(engine).sent(url, options.reading)) for engine, url in urls.items()}


def _config(options: Options) -> Config | None:
    """None without a configuration, which a URL makes unnecessary."""
    folder = options.project
    if folder.is_dir() and not (folder / CONFIG_FILE).exists() and not options.target:
        try:
            return load_config(folder)
        except ConfigError as error:
            if error.location.file:
                raise
            return None
    return load_config(folder)


def _urls(options: Options, config: Config | None) -> dict[Engine, str]:
    postgres, mongo = options.postgres, options.mongo
    if config is not None:
        postgres, mongo = target_urls(config, options.target, postgres, mongo)
    wanted = chosen(options.only)
    urls: dict[Engine, str | None] = {"postgres": postgres, "mongo": mongo}
    found: dict[Engine, str] = {
        engine: _at(engine, url, options.database) for engine in wanted if (url := urls[engine])
    }
    if not found:
        raise ConfigError(
            "monitor reads a target, and there is none",
            next="give --postgres URL, --mongo URL or --target NAME, or --from FILE for a snapshot",
        )
    return found


def _at(engine: Engine, url: str, database: str | None) -> str:
    if not database:
        return url
    if engine == "postgres":
        from dbtrust.engine.postgres.connect import with_database
    else:
        from dbtrust.engine.mongo.urls import with_database
    return with_database(url, database)


def _read(engine: Engine, url: str, options: Options, earlier: Snapshot | None) -> Snapshot:
    found = leaf(engine).read(url, replace(options.reading, earlier=earlier))
    return _shown(found, options)


def _shown(found: Snapshot, options: Options) -> Snapshot:
    half = leaf(found.engine)
    return half.literal(found) if options.literals else half.redacted(found)


def _texts(snapshots: Iterable[Snapshot]) -> list[Snapshot]:
    """What reading needs of earlier snapshots; the rest is let go before the servers are read."""
    return [
        replace(s, sections={n: rows for n, rows in s.sections.items() if n == "statement_texts"})
        for s in snapshots
    ]


def _refuse_lost(found: Snapshot) -> None:
    """Raises ServerError for a server that went away while it was read; what was read stays."""
    if why := found.server.get("lost"):
        raise ServerError(
            f"the server went away while it was read: {why}",
            next="what was read before is shown; look at the server's log and run again",
        )


def _saved(options: Options) -> Taken:
    assert options.saved is not None
    wanted = chosen(options.only)
    found = tuple(s for s in load(options.saved) if s.engine in wanted)
    if not any(wanted[s.engine] for s in found):
        asked = [engine for engine, rules in wanted.items() if rules]
        names = " or ".join("PostgreSQL" if engine == "postgres" else "MongoDB" for engine in asked)
        raise ConfigError(
            f"--from {options.saved} has no snapshot of {names}",
            next="name a snapshot that has one, or judge what the file has with --only",
        )
    return Taken(None, tuple(_shown(s, options) for s in found), (), options.fail_on or "error")


def _by_engine(snapshots: Sequence[Snapshot]) -> dict[Engine, Snapshot]:
    return {snapshot.engine: snapshot for snapshot in snapshots}


def _report(
    options: Options,
    rules: Mapping[Engine, tuple[Rule, ...]],
    taken: Taken,
    earlier: Mapping[Engine, Snapshot],
) -> Report:
    findings: list[Finding] = []
    unseen: list[NotExamined] = []
    views: list[EngineView] = []
    for now in sorted(taken.snapshots, key=lambda s: ENGINES.index(s.engine)):
        before = _comparable(now, earlier.get(now.engine), options.since)
        found, left = judge(rules[now.engine], now, before)
        findings += found
        unseen += left
        views.append(checked(leaf(now.engine).view(now, before)))
    return Report(
        project=taken.project, servers=_servers(taken.snapshots), findings=tuple(findings),
        not_examined=tuple(dict.fromkeys(unseen)), errors=taken.problems, fail_on=taken.fail_on,
        strict=options.strict, monitor=tuple(views),
    )  # fmt: skip


def _servers(snapshots: Iterable[Snapshot]) -> dict[str, ServerInfo | None]:
    return {s.engine: ServerInfo(str(s.server.get("version", "?")), embedded=False) for s in snapshots}


def _comparable(now: Snapshot, earlier: Snapshot | None, file: Path | None) -> Snapshot | None:
    """The earlier snapshot, if it is one of the same server. Raises ConfigError if it is not, or not earlier."""
    if file is None:
        return None
    if earlier is None:
        raise ConfigError(
            f"--since {file} has no snapshot of {'PostgreSQL' if now.engine == 'postgres' else 'MongoDB'}",
            next=f"name a snapshot of {now.server.get('identity', 'this server')}, or judge the other with --only",
        )
    if earlier.server.get("identity") != now.server.get("identity"):
        raise ConfigError(
            f"--since {file} is of another server or database",
            next=f"name a snapshot of {now.server.get('identity', 'this server')}",
        )
    if earlier.taken_at >= now.taken_at:
        raise ConfigError(f"--since {file} is not older than what is judged", next="name an earlier snapshot")
    return earlier
