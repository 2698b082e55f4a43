"""`claims why`: finds the query, puts its project on a server, and asks the leaf of its engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from dbtrust.claims.why_rows import Bounds
from dbtrust.engine.runs import Run
from dbtrust.judge.grammar import Claim, parse_claim
from dbtrust.judge.outcomes import known_names
from dbtrust.model.errors import ConfigError, DbtrustError, QueryFileError
from dbtrust.model.progress import Progress, silent
from dbtrust.model.project import Query
from dbtrust.model.report import ServerInfo
from dbtrust.model.why import Why
from dbtrust.model.words import nearest
from dbtrust.source.config import load_config
from dbtrust.source.modules import project_path
from dbtrust.source.objects import MongoMethod
from dbtrust.source.project import Project, read_project
from dbtrust.source.targets import target_urls


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asked for. `claim` picks one line of the query."""

    name: str
    project: Path
    claim: str | None = None
    postgres: str | None = None
    mongo: str | None = None
    target: str | None = None
    database: str | None = None
    bounds: Bounds = field(default_factory=Bounds)
    progress: Progress = silent


def why(request: Request) -> Why:
    """Explains the claims of one query. Raises DbtrustError: an unknown query, a project or server that fails."""
    config = load_config(request.project)
    postgres, mongo = target_urls(config, request.target, request.postgres, request.mongo)
    with project_path(config):
        project = read_project(config)
        found = find_query(project, request.name)
        claims = pick(parse_all(found), request.claim, found.subject)
        if isinstance(found, MongoMethod):
            return _mongo(request, project, found, claims, mongo)
        return _postgres(request, project, found, claims, _on_database(postgres, request.database))


def _on_database(url: str | None, database: str | None) -> str | None:
    if url is None or database is None:
        return url
    from dbtrust.engine.postgres.connect import with_database

    return with_database(url, database)


def find_query(project: Project, name: str) -> Query | MongoMethod:
    """The query or method of that name: "query:users.by_name", "users.by_name", or "by_name" where only one has it.

    Raises QueryFileError with the nearest name, or with the queries that share it.
    """
    known: dict[str, Query | MongoMethod] = {q.subject: q for q in (*project.queries, *project.methods)}
    wanted = name if name.startswith("query:") else f"query:{name}"
    if wanted in known:
        return known[wanted]
    same = [subject for subject in known if subject.rpartition(".")[2] == name]
    if len(same) == 1:
        return known[same[0]]
    if same:
        step = f"say which: {', '.join(s.removeprefix('query:') for s in same)}"
        raise QueryFileError(f"several queries are called {name}", next=step)
    raise QueryFileError(f"no query {name}", next=_hint(name, known, project))


def _hint(name: str, known: Iterable[str], project: Project) -> str:
    bare = name.removeprefix("query:")
    names = [subject.removeprefix("query:") for subject in known]
    last = nearest(bare.rpartition(".")[2], [n.rpartition(".")[2] for n in names])
    by_last = next((n for n in names if n.rpartition(".")[2] == last), None)
    close = (nearest(bare, names) or by_last) if "." in bare else by_last
    if close is not None:
        return f"did you mean {close}?"
    if project.errors:
        return f"not all could be read: {project.errors[0]}"
    return f"the project has {', '.join(sorted(names)[:10])}" if names else "the project has no queries"


def parse_all(found: Query | MongoMethod) -> list[Claim]:
    """The claims of one query. Raises ClaimSyntaxError."""
    engine = "mongo" if isinstance(found, MongoMethod) else "postgres"
    return [parse_claim(line.text, engine, line.location) for line in found.claims]


def pick(claims: Sequence[Claim], text: str | None, subject: str) -> list[Claim]:
    """All claims, or the one that `text` names: as it stands there, or a beginning that only one has.

    Raises QueryFileError.
    """
    if not claims:
        raise QueryFileError(f"{subject} makes no claim", next="add a -- claim: line (on MongoDB @claim)")
    if text is None:
        return list(claims)
    wanted = " ".join(text.split())
    found = [c for c in claims if c.text == wanted] or [c for c in claims if c.text.startswith(wanted)]
    if len(found) != 1:
        texts = [c.text for c in claims]
        close = nearest(wanted, texts)
        step = f"did you mean {close!r}?" if close and not found else f"its claims: {'; '.join(texts)}"
        what = "several claims begin" if found else "no claim begins"
        raise QueryFileError(f"{subject}: {what} with {wanted!r}", next=step)
    return found


def _postgres(
    request: Request, project: Project, query: Query, claims: Sequence[Claim], url: str | None
) -> Why:
    from dbtrust.claims.cases import Parsed
    from dbtrust.claims.why_postgres import Case, explain_claims
    from dbtrust.stage.postgres import open_postgres

    with ExitStack() as stack:
        stage = stack.enter_context(open_postgres(project, _lazy(stack), url, request.progress))
        _usable(stage.data, stage.errors)
        catalog = stage.catalog()
        names = known_names(catalog.objects if catalog else (), "postgres")
        bound = project.bound.get(query.subject)
        item = Parsed(query, tuple(parse_all(query)), bound is not None and bound.iterates)
        case = Case(project, stage, item, claims, names, request.bounds, request.progress)
        explanations = explain_claims(case, only_refuted=request.claim is None)
        server = ServerInfo(stage.version, stage.embedded)
        return Why(
            project.config.name, "postgres", query.subject, server, tuple(explanations), stage.evidence
        )


def _mongo(
    request: Request, project: Project, method: MongoMethod, claims: Sequence[Claim], url: str | None
) -> Why:
    from dbtrust.claims.why_mongo import Case, explain_claims
    from dbtrust.stage.mongo import Scratch, open_mongo

    with ExitStack() as stack:
        stage = stack.enter_context(open_mongo(project, _lazy(stack), url, request.progress))
        _usable(stage.data, stage.errors)
        catalog = stage.catalog()
        names = known_names(catalog.objects if catalog else (), "mongo")
        with Scratch(stage) as scratch:
            case = Case(
                project,
                stage,
                scratch,
                method,
                parse_all(method),
                claims,
                names,
                request.bounds,
                request.progress,
            )
            explanations = explain_claims(case, only_refuted=request.claim is None)
        server = ServerInfo(stage.version, stage.embedded)
        return Why(project.config.name, "mongo", method.subject, server, tuple(explanations), stage.evidence)


def _lazy(stack: ExitStack) -> Callable[[], Run]:
    """Makes the folder of this run's servers when the first one is started."""
    return lambda: stack.enter_context(Run())


def _usable(data: str | None, errors: Sequence[DbtrustError]) -> None:
    """Raises what kept the project's data from being built."""
    if errors:
        raise errors[0]
    if data is None:
        raise ConfigError("the project's data could not be built", next="run dbtrust check")
