"""Claims `at N rows in T`: which scales a project names, and the verdicts where one cannot be built."""

from __future__ import annotations

from dbtrust.checks.parse import Claims
from dbtrust.judge.claims import Judged, Names, missing_object
from dbtrust.judge.grammar import Claim, Name
from dbtrust.model.engine import Engine
from dbtrust.model.errors import DbtrustError
from dbtrust.model.report import Verdict
from dbtrust.source.project import Project

Scale = tuple[int, Name]


def scales(claims: Claims, engine: Engine, project: Project) -> list[Scale]:
    """Every stated scale of an engine's queries once, in the order of the files."""
    subjects = [q.subject for q in (project.queries if engine == "postgres" else project.methods)]
    return list(dict.fromkeys(c.at for subject in subjects for c in claims.of(subject) if c.at is not None))


def unbuilt(engine: Engine, subject: str, claim: Claim, names: Names, error: DbtrustError | None) -> Verdict:
    """The verdict of a claim whose scale could not be built: by `error`, or for want of a generator.

    A name that does not exist is refuted all the same.
    """
    assert claim.at is not None
    judged = missing_object(claim, names)
    if judged is None and error is not None:
        judged = Judged(
            "unproved", f"no such scale could be built: {error.message}", "no_data", next=error.next
        )
    if judged is None:
        message = f"nothing makes rows of {claim.at[1]}"
        judged = Judged("unproved", message, "no_data", next=f"add [data.{claim.at[1]}] with a generator")
    return Verdict(
        claim.check, engine, subject, judged.outcome, judged.message, claim=claim.text, reason=judged.reason,
        next=judged.next, location=claim.location,
    )  # fmt: skip
