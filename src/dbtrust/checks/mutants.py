"""What a mutation run asks of an engine: its mutants, and who of the project notices one."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from dbtrust.judge.grammar import Claim
from dbtrust.model.engine import Engine
from dbtrust.model.mutants import Mutant
from dbtrust.model.report import Verdict
from dbtrust.schema.mutation import Ready


class Lab(Protocol):
    """Copies of one engine's data to mutate. `kill`, `ready` and `tests_url` may be called from several threads."""

    engine: Engine

    @property
    def mutants(self) -> Sequence[Mutant]: ...

    def baseline(self) -> None:
        """Judges claims and proofs on the schema as it is: what does not hold there cannot kill."""
        ...

    def kill(self, mutant: Mutant) -> str:
        """The subject whose claim no longer holds, "" where all still do. Raises Refused and NoEffect."""
        ...

    def ready(self, mutant: Mutant, *, rows: bool) -> Ready:
        """What would kill a survivor, shown to do so; without `rows` by the catalog's own words alone."""
        ...

    def lane(self, mutant: Mutant) -> tuple[str, frozenset[Hashable]]:
        """Which mutants the tests may meet at once: those of the same lane that share none of these things.

        One with no such thing is tested alone.
        """
        ...

    def tests_url(self, mutants: Sequence[Mutant]) -> AbstractContextManager[str]:
        """The URL of a copy with these mutants, for the project's tests."""
        ...

    def close(self) -> None:
        """Removes the copies."""
        ...


def held(verdicts: Sequence[Verdict]) -> frozenset[tuple[str, str, str]]:
    """What holds, by check, subject and claim."""
    return frozenset((v.check, v.subject, v.claim) for v in verdicts if v.verdict == "holds")


def lost(verdicts: Sequence[Verdict], before: frozenset[tuple[str, str, str]]) -> str:
    """The first that held and holds no longer, as "query:users.by_name (no sort)"; "" for none."""
    for verdict in verdicts:
        if verdict.verdict != "holds" and (verdict.check, verdict.subject, verdict.claim) in before:
            return f"{verdict.subject} ({verdict.claim or verdict.check})"
    return ""


def judged_here(claims: Sequence[Claim], mutant: Mutant | None) -> tuple[Claim, ...]:
    """The claims that a mutant is judged by: a measured time only where it is about the very index."""
    if mutant is None:
        return tuple(claims)
    return tuple(c for c in claims if c.kind != "faster" or (c.index and c.index.name == mutant.index))
