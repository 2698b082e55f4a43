"""The verdicts of an engine that has no server: each one unproved, none left out."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.checks.parse import Claims
from dbtrust.checks.select import CHECKS
from dbtrust.model.engine import Engine
from dbtrust.model.location import Location
from dbtrust.model.report import Verdict
from dbtrust.source.project import Project

CONTRACTS = tuple(check for check in CHECKS if check.startswith("contract."))


def absent_verdicts(
    project: Project, claims: Claims, engine: Engine, *, message: str = "", reason: str = "no_server"
) -> list[Verdict]:
    """Everything that would have been judged on a server of this engine, unproved for want of it."""
    said = message or f"no {'PostgreSQL' if engine == 'postgres' else 'MongoDB'} server"
    return [
        Verdict(
            check, engine, subject, "unproved", said, claim=claim, reason=reason,
            next="see the error above", location=location,
        )
        for check, subject, claim, location in _subjects(project, claims, engine)
    ]  # fmt: skip


def _subjects(project: Project, claims: Claims, engine: Engine) -> Iterator[tuple[str, str, str, Location]]:
    yield from _declared(project, engine)
    for migration in project.history.migrations if project.history else ():
        if migration.engine == engine:
            for check in ("migrate.up", "migrate.down", "migrate.up_again", "migrate.drifted"):
                yield check, migration.subject, "", migration.location
    if engine == "postgres":
        queries = [(q.subject, q.location) for q in project.queries]
        proofs = [f"proof:{q.name}" for q in project.proofs]
    else:
        queries = [(m.subject, m.location) for m in project.methods]
        proofs = [f"proof:{p.name}" for p in project.mongo_proofs]
    for subject, location in queries:
        yield "query.prepares", subject, "", location
    for subject, location in queries:
        if subject in project.baselines.get(engine, {}):
            yield "claim.baseline", subject, "", location
    for subject, location in queries:
        if engine == "mongo" or subject in project.bound:
            yield from ((check, subject, "", location) for check in CONTRACTS)
    for subject in [*(subject for subject, _ in queries), *proofs]:
        yield from ((claim.check, subject, claim.text, claim.location) for claim in claims.of(subject))


def _declared(project: Project, engine: Engine) -> Iterator[tuple[str, str, str, Location]]:
    checks = ["schema.applies"] + ["schema.matches_migrations"] * (project.history is not None)
    if engine == "postgres":
        subjects = [(f"file:{s.file}", Location(s.file, 1, 1)) for s in project.schema]
    else:
        subjects = [(f"collection:{d.collection.name}", d.location) for d in project.collections]
    for subject, location in subjects:
        yield from ((check, subject, "", location) for check in checks)
    # Which rules there are only the server knows: what would have made them stands for them.
    own = [m for m in project.history.migrations if m.engine == engine] if project.history else []
    for subject, location in subjects or [(m.subject, m.location) for m in own]:
        yield "schema.constraint", subject, "", location
