"""One query of a project explained: staged as `check` stages it, with one of its examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from dbtrust.claims.verdicts import Case, Failure
from dbtrust.engine.runs import Run
from dbtrust.model.errors import ConfigError, DbtrustError, ServerError
from dbtrust.model.location import NOWHERE
from dbtrust.model.plan import Plan
from dbtrust.model.progress import Progress
from dbtrust.model.project import Example, Query
from dbtrust.model.words import nearest
from dbtrust.source.objects import MongoMethod
from dbtrust.source.project import Project


@dataclass(frozen=True, slots=True)
class Explained:
    """`plans` are those of one example: several for a query with choices or a method with several commands."""

    subject: str
    example: str
    plans: tuple[Plan, ...]


def find_query(project: Project, name: str) -> Query | MongoMethod:
    """The query that `name` names: query:users.by_id, users.by_id, or by_id where only one is called so.

    Raises ConfigError with the nearest name where there is none, and with all of them where there are several.
    """
    queries = {query.subject.removeprefix("query:"): query for query in (*project.queries, *project.methods)}
    wanted = name.removeprefix("query:")
    if wanted in queries:
        return queries[wanted]
    found = [subject for subject in queries if subject.rpartition(".")[2] == wanted]
    if len(found) == 1:
        return queries[found[0]]
    if found:
        raise ConfigError(
            f"several queries are called {wanted}: {', '.join(found)}", next="name one with its file or class"
        )
    raise _no_query(project, wanted, list(queries))


def _no_query(project: Project, wanted: str, names: Sequence[str]) -> ConfigError:
    last = {subject.rpartition(".")[2]: subject for subject in names}
    close = nearest(wanted, names) or last.get(nearest(wanted, last) or "")
    some = f"its queries are {', '.join(names[:8])}{' …' if len(names) > 8 else ''}"
    step = f"did you mean {close}?" if close else some if names else "it has no queries"
    message = f"no file and no query of {project.config.name} is called {wanted}"
    if project.errors:
        message += f"; a part of the project cannot be read: {project.errors[0]}"
    return ConfigError(message, next=step)


@dataclass(frozen=True, slots=True)
class Where:
    """The server of one engine: `url` None is an embedded one.

    `live`: the URL's database itself is asked, read only, and `analyze` lets EXPLAIN execute there; else the
    project is staged in a scratch database of that server.
    """

    url: str | None = None
    live: bool = False
    analyze: bool = False


def explain_query(
    project: Project, found: Query | MongoMethod, example: str | None, where: Where, progress: Progress
) -> Explained:
    """Stages the project on its engine and explains the query with the example of that label, else the first.

    Raises ConfigError for an
    example that is not there, ServerError, and DbtrustError for what failed, with its place.
    """
    chosen = _example(found, example)
    with Run() as run:
        if isinstance(found, Query):
            cases = _on_postgres(project, found, chosen, lambda: run, where, progress)
        else:
            cases = _on_mongo(project, found, chosen, lambda: run, where, progress)
    plans = [plan for case in cases for plan in _plans(case)]
    if not plans:
        raise DbtrustError(
            f"{found.subject} sends nothing that the server explains", location=found.location,
            next="name a query that reads or changes rows",
        )  # fmt: skip
    return Explained(found.subject, cases[0].label, tuple(plans))


def _plans(case: Case) -> Iterator[Plan]:
    for sample in case.samples:
        if isinstance(sample, Failure):
            raise DbtrustError(sample.message, location=sample.location, next=sample.next)
        yield from sample


def _example(found: Query | MongoMethod, label: str | None) -> Example | None:
    """The example to run; None for a query without parameters."""
    if label is None:
        if found.examples or not _has_parameters(found):
            return next(iter(found.examples), None)
        raise ConfigError(
            f"{found.subject} has parameters and no example", location=found.location,
            next="add an example: its values decide the plan",
        )  # fmt: skip
    names = {shown(example): example for example in found.examples}
    if label in names:
        return names[label]
    close = nearest(label, names)
    step = (
        f"did you mean {close!r}?" if close else f"its examples are {', '.join(map(repr, names)) or 'none'}"
    )
    raise ConfigError(f"{found.subject} has no example {label!r}", location=found.location, next=step)


def shown(example: Example) -> str:
    """What an example is called: its label, else its values."""
    return example.label or example.text or ", ".join(f"{k}={v!r}" for k, v in example.values.items())


def _has_parameters(found: Query | MongoMethod) -> bool:
    if isinstance(found, MongoMethod):
        return bool(found.parameters)
    from dbtrust.queries.placeholders import bind_params

    return bool(bind_params(found.sql).names)


def _on_postgres(
    project: Project, query: Query, example: Example | None, run: Callable[[], Run], where: Where,
    progress: Progress,
) -> Sequence[Case]:  # fmt: skip
    import psycopg

    from dbtrust.claims.cases import Parsed
    from dbtrust.claims.live import TIMEOUT_MS, sample_live
    from dbtrust.claims.postgres import explain_once
    from dbtrust.engine.postgres.connect import connect_reading
    from dbtrust.stage.postgres import open_postgres

    bound = project.bound.get(query.subject)
    item = Parsed(
        replace(query, examples=(example,) if example else ()), (), bound is not None and bound.iterates
    )
    try:
        if where.live and where.url is not None:
            with connect_reading(where.url, timeout_ms=TIMEOUT_MS) as connection:
                sample_live(connection, item, analyze=where.analyze)
                return item.cases
        with open_postgres(project, run, where.url, progress) as stage:
            _whole(stage.data, stage.errors)
            progress(f"explaining {query.subject}")
            return explain_once(stage, item)
    except psycopg.OperationalError as error:
        raise _lost(error) from error


def _on_mongo(
    project: Project, method: MongoMethod, example: Example | None, run: Callable[[], Run], where: Where,
    progress: Progress,
) -> Sequence[Case]:  # fmt: skip
    import pymongo.errors

    from dbtrust.claims.mongo import ParsedMethod, run_case
    from dbtrust.stage.mongo import Scratch, open_live_mongo, open_mongo

    try:
        opened = (
            open_live_mongo(project, run, where.url, progress, executes=where.analyze)
            if where.live and where.url is not None
            else open_mongo(project, run, where.url, progress)
        )
        with opened as stage:
            _whole(stage.data, stage.errors)
            with Scratch(stage) as scratch:
                progress(f"explaining {method.subject}")
                return [run_case(stage, scratch, ParsedMethod(method, ()), example)]
    except pymongo.errors.ConnectionFailure as error:
        raise _lost(error) from error


def _whole(data: str | None, errors: Sequence[DbtrustError]) -> None:
    """A plan over tables that are not as the project says would be another plan."""
    if errors:
        raise errors[0]
    if data is None:
        raise DbtrustError(
            "the project's data could not be loaded", location=NOWHERE, next="run dbtrust check"
        )


def _lost(error: Exception) -> ServerError:
    said = " ".join(str(error).split())[:200]
    return ServerError(
        f"the connection to the server was lost: {said}", next="look at the server's log and run again"
    )
