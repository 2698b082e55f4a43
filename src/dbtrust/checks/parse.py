"""Every claim and outcome of a project through the grammar, before any server is started."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from dbtrust.judge.grammar import Claim, parse_claim
from dbtrust.model.engine import Engine
from dbtrust.model.errors import DbtrustError
from dbtrust.model.project import ClaimLine
from dbtrust.model.report import Finding
from dbtrust.source.project import Project


@dataclass(slots=True)
class Claims:
    """Subject -> its claims ("query:…" or "proof:…"), and the claims that are not in the grammar."""

    by_subject: dict[str, tuple[Claim, ...]] = field(default_factory=dict[str, "tuple[Claim, ...]"])
    errors: list[DbtrustError] = field(default_factory=list[DbtrustError])

    def of(self, subject: str) -> tuple[Claim, ...]:
        return self.by_subject.get(subject, ())

    def add(self, subject: str, engine: Engine, lines: Iterable[ClaimLine], *, proof: bool) -> None:
        good: list[Claim] = []
        for line in lines:
            try:
                good.append(parse_claim(line.text, engine, line.location, proof=proof))
            except DbtrustError as error:
                self.errors.append(error)
        self.by_subject[subject] = (*self.of(subject), *good)


def claim_like(project: Project) -> list[Finding]:
    """query.claim_like: comments that are claims but for the colon, so that nothing judges them."""
    found: list[Finding] = []
    for query, proof in [(q, False) for q in project.queries] + [(q, True) for q in project.proofs]:
        subject = f"proof:{query.name}" if proof else query.subject
        found += [_claim_like(subject, line) for line in query.unmarked if _parses(line, proof=proof)]
    return found


def _parses(line: ClaimLine, *, proof: bool) -> bool:
    try:
        parse_claim(line.text, "postgres", line.location, proof=proof)
    except DbtrustError:
        return False
    return True


def _claim_like(subject: str, line: ClaimLine) -> Finding:
    return Finding(
        "query.claim_like", "warning", "postgres", subject,
        f"a comment says `{line.text}` as a claim would, but without the colon nothing judges it",
        fix=f"write -- claim: {line.text}, or begin the comment with another word", location=line.location,
    )  # fmt: skip


def parse_claims(project: Project) -> Claims:
    """The claims of every query, method and proof of the project."""
    claims = Claims()
    for query in project.queries:
        claims.add(query.subject, "postgres", query.claims, proof=False)
    for proof in project.proofs:
        claims.add(f"proof:{proof.name}", "postgres", proof.claims, proof=True)
    for method in project.methods:
        claims.add(method.subject, "mongo", method.claims, proof=False)
    for proof in project.mongo_proofs:
        claims.add(f"proof:{proof.name}", "mongo", [proof.claim], proof=True)
    return claims
