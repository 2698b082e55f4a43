"""One run of `claims baseline`: sample the queries, compare with the files, write what differs."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from dbtrust.checks.api import Options
from dbtrust.checks.flow import LazyRun, configured, half_of, in_parallel, subjects
from dbtrust.checks.half import Half
from dbtrust.checks.parse import parse_claims
from dbtrust.checks.select import ENGINES, Selection
from dbtrust.claims.baseline import CHECK, Observed, baseline_of
from dbtrust.judge.claims import Names
from dbtrust.model.baseline import Baseline
from dbtrust.model.engine import Engine
from dbtrust.model.errors import ConfigError, DbtrustError
from dbtrust.model.location import Location
from dbtrust.model.project import Config
from dbtrust.model.report import Problem, Report, ServerInfo, Verdict
from dbtrust.model.words import nearest
from dbtrust.source.baselines import check_writable, path_of, render, write
from dbtrust.source.config import load_config
from dbtrust.source.modules import project_path
from dbtrust.source.project import Project, read_project
from dbtrust.source.targets import target_urls


@dataclass(slots=True)
class _Taken:
    """Verdicts for the report, and the files to write: relative path and text, None to remove."""

    verdicts: list[Verdict] = field(default_factory=list[Verdict])
    files: list[tuple[str, str | None]] = field(default_factory=list[tuple[str, "str | None"]])


def take_baselines(options: Options, *, dry: bool) -> Report:
    """The report of one run: holds is written or unchanged, unproved could not be taken.

    `dry`: nothing is written, and what would change is refuted. `options.only` holds engines and the beginnings
    of subjects, with or without `query:`. Raises only what is a bug of dbtrust, KeyboardInterrupt, Interrupted.
    """
    strict, fail_on = options.strict, options.fail_on or "error"
    try:
        config = load_config(options.project)
        urls: dict[Engine, str | None] = dict(zip(ENGINES, _urls(config, options), strict=True))
        if not dry:
            check_writable(config.root)
        with project_path(config):
            return _run(config, options, urls, dry=dry)
    except DbtrustError as error:
        return Report(None, errors=(Problem.of(error),), fail_on=fail_on, strict=strict)


def _urls(config: Config, options: Options) -> tuple[str | None, str | None]:
    postgres, mongo = target_urls(config, options.target, options.postgres, options.mongo)
    if postgres and options.database:
        from dbtrust.engine.postgres.connect import with_database

        postgres = with_database(postgres, options.database)
    return postgres, mongo


def _run(config: Config, options: Options, urls: dict[Engine, str | None], *, dry: bool) -> Report:
    project = read_project(config)
    if project.errors:  # a query that cannot be read would look like one that is gone
        return Report(config.name, errors=tuple(Problem.of(error) for error in project.errors))
    selection, wanted = _selected(project, options.only)
    run = LazyRun()
    servers: dict[str, ServerInfo | None] = {}
    with ExitStack() as stack:
        stack.callback(run.close)
        claims = parse_claims(project)
        halves = [
            half_of(e)(project, claims, selection, urls[e], run, stack, options.progress)
            for e in configured(config, selection)
        ]
        in_parallel([_job(half, wanted) for half in halves], run)
        taken = _taken(project, halves, wanted, selection, dry=dry)
        servers |= {half.engine: half.info for half in halves}
    errors = [Problem.of(error) for half in halves for error in half.errors]
    if not dry:
        write(config.root, taken.files)
    return Report(config.name, servers, tuple(taken.verdicts), errors=tuple(errors), strict=options.strict)


def _job(half: Half, wanted: Callable[[str], bool]) -> Callable[[], None]:
    return lambda: half.take(wanted)


def _selected(project: Project, only: Sequence[str]) -> tuple[Selection, Callable[[str], bool]]:
    """Engines, and which subjects; a baseline whose query is gone can be named, too. Raises ConfigError."""
    engines = frozenset(word for word in only if word in ENGINES)
    words = [f"query:{word.removeprefix('query:')}" for word in only if word not in ENGINES]
    known = {subject for _, subject in subjects(project)}
    known |= {subject for group in project.baselines.values() for subject in group}
    for word in words:
        if not any(subject.startswith(word) for subject in known):
            close = nearest(word, known)
            step = (
                f"did you mean {close}?" if close else "name the beginning of a query, such as query:users."
            )
            raise ConfigError(f"--only {word}: no query is called that", next=step)
    return Selection(engines), lambda subject: not words or subject.startswith(tuple(words))


def _taken(
    project: Project,
    halves: Sequence[Half],
    wanted: Callable[[str], bool],
    selection: Selection,
    *,
    dry: bool,
) -> _Taken:
    taken = _Taken()
    for half in halves:
        old = project.baselines.get(half.engine, {})
        count = Counter(item.subject for item in half.observed)
        for item in half.observed:
            if count[item.subject] > 1:
                taken.verdicts.append(_doubled(item))
                continue
            _compare(taken, item, old.get(item.subject), half.names, dry=dry)
    known = subjects(project)
    for baseline in (b for group in project.baselines.values() for b in group.values()):
        if (
            selection.engine(baseline.engine)
            and wanted(baseline.subject)
            and (baseline.engine, baseline.subject) not in known
        ):
            _remove(taken, baseline, dry=dry)
    return taken


def _doubled(item: Observed) -> Verdict:
    step = "give one of them another name, or its file"
    return Verdict(
        CHECK, item.engine, item.subject, "unproved", "not taken: two queries are called this", reason="undecided",
        next=step, location=item.location,
    )  # fmt: skip


def _compare(taken: _Taken, item: Observed, old: Baseline | None, names: Names, *, dry: bool) -> None:
    if (problem := item.problem) is not None:
        said = f"not taken{', the file stays as it is' if old else ''}: {problem.message}"
        taken.verdicts.append(
            Verdict(
                CHECK, item.engine, item.subject, "unproved", said, reason=problem.reason, next=problem.next,
                location=item.location,
            )
        )  # fmt: skip
        return
    file = path_of(item.engine, item.subject)
    text, before = render(baseline_of(item, old, names)), render(old) if old else ""
    evidence: dict[str, object] = {"baseline": file, "examples": len(item.examples)}
    if text == before:
        taken.verdicts.append(_verdict(item, "holds", "unchanged", evidence))
        return
    taken.files.append((file, text))
    said = (
        f"{file} {'is new' if old is None else 'changes'}"
        if dry
        else f"{'wrote' if old is None else 'rewrote'} {file}"
    )
    if old is not None:
        evidence["difference"] = list(_diff(before, text, file))
    taken.verdicts.append(_verdict(item, "refuted" if dry else "holds", said, evidence))


def _verdict(item: Observed, outcome: str, said: str, evidence: dict[str, object]) -> Verdict:
    step = "run dbtrust claims baseline without --check" if outcome == "refuted" else ""
    return Verdict(
        CHECK, item.engine, item.subject, "refuted" if outcome == "refuted" else "holds", said, next=step,
        evidence=evidence, location=item.location,
    )  # fmt: skip


def _diff(before: str, after: str, file: str) -> Iterator[str]:
    yield from difflib.unified_diff(before.splitlines(), after.splitlines(), file, file, lineterm="", n=3)


def _remove(taken: _Taken, baseline: Baseline, *, dry: bool) -> None:
    file = baseline.location.file or ""
    taken.files.append((file, None))
    said = f"{file} would be removed" if dry else f"removed {file}"
    taken.verdicts.append(
        Verdict(
            CHECK, baseline.engine, baseline.subject, "refuted" if dry else "holds", f"{said}: its query is gone",
            evidence={"baseline": file}, location=Location(file),
        )
    )  # fmt: skip
