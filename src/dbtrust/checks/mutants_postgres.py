"""Mutants on PostgreSQL: proofs in transactions, claims and tests on copies that carry the mutant."""

from __future__ import annotations

from collections.abc import Generator, Hashable, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg

from dbtrust.checks.mutants import held, judged_here, lost
from dbtrust.checks.parse import Claims
from dbtrust.claims.postgres import Parsed, judge_queries
from dbtrust.engine.postgres.errors import describe
from dbtrust.engine.postgres.mutate import apply_changes
from dbtrust.judge.claims import Names
from dbtrust.judge.grammar import Claim, parse_claim
from dbtrust.judge.mutants.postgres import kind_of, postgres_mutants
from dbtrust.model.catalog import Catalog
from dbtrust.model.engine import Engine
from dbtrust.model.location import NOWHERE
from dbtrust.model.mutants import Mutant
from dbtrust.model.progress import silent
from dbtrust.model.project import Query
from dbtrust.model.report import Verdict
from dbtrust.schema.mutation import Ready, Refused
from dbtrust.schema.mutation_postgres import PostgresProofs
from dbtrust.schema.proofs_postgres import ParsedProof
from dbtrust.source.project import Project
from dbtrust.stage.postgres import PostgresStage


class PostgresLab:
    """Implements `Lab`."""

    engine: Engine = "postgres"

    def __init__(
        self, stage: PostgresStage, project: Project, claims: Claims, catalog: Catalog, names: Names
    ) -> None:
        self._stage, self._project, self._claims, self._names = stage, project, claims, names
        self.mutants: Sequence[Mutant] = postgres_mutants(catalog)
        proofs = [ParsedProof(q, claims.of(f"proof:{q.name}")) for q in project.proofs]
        taken = [proof.name for proof in (*project.proofs, *project.mongo_proofs)]
        self._proofs = PostgresProofs(stage, catalog, proofs, names, taken)
        self._held: frozenset[tuple[str, str, str]] = frozenset()
        self._relations: dict[str, frozenset[str]] = {}

    def baseline(self) -> None:
        self._proofs.baseline()
        if self._project.queries:
            verdicts = self._judge(self._stage, self._parsed(self._project.queries))
            self._held = held(verdicts)
            self._relations = _relations(verdicts)

    def _parsed(self, queries: Sequence[Query], mutant: Mutant | None = None) -> list[Parsed]:
        bound = self._project.bound
        return [
            Parsed(
                q, judged_here(self._claims.of(q.subject), mutant), q.subject in bound and bound[q.subject].iterates
            )
            for q in queries
        ]  # fmt: skip

    def _judge(self, stage: PostgresStage, parsed: Sequence[Parsed]) -> list[Verdict]:
        # One sample: the statistics are the template's own, the same for every mutant.
        return judge_queries(stage, parsed, self._names, silent, generic=False, rounds=1)

    def kill(self, mutant: Mutant) -> str:
        first, second = self._proofs.kill, self._by_claims
        if mutant.subject.startswith("index:"):
            first, second = second, first
        return first(mutant) or second(mutant)

    def _by_claims(self, mutant: Mutant) -> str:
        queries = [q for q in self._project.queries if self._touches(q, mutant)]
        naming = [q for q in queries if mutant.index in _indexes(self._claims.of(q.subject))]
        batches = [batch for batch in (naming, [q for q in queries if q not in naming]) if batch]
        if not batches:
            return ""
        with self._carrying([mutant]) as stage:
            for batch in batches:
                if by := lost(self._judge(stage, self._parsed(batch, mutant)), self._held):
                    return by
        return ""

    def _touches(self, query: Query, mutant: Mutant) -> bool:
        if not any(subject == query.subject for _, subject, _ in self._held):
            return False
        there = self._relations.get(query.subject)
        return there is None or not mutant.relations or any(name in there for _, name in mutant.relations)

    @contextmanager
    def _carrying(self, mutants: Sequence[Mutant]) -> Generator[PostgresStage]:
        """The stage over a copy with these mutants. Raises Refused."""
        source = self._stage.data or self._stage.state
        assert source is not None
        with self._stage.copy(source) as name:
            try:
                with self._stage.owner(name, slow=True) as connection:
                    for mutant in mutants:
                        apply_changes(connection, mutant.changes)
            except psycopg.Error as error:
                if error.sqlstate is None:
                    raise
                raise Refused(describe(error)) from error
            yield replace(self._stage, state=name, data=name if self._stage.data else None)

    def ready(self, mutant: Mutant, *, rows: bool) -> Ready:
        proof = self._proofs.ready(mutant, rows=rows)
        return (
            replace(proof, claim=found[1], at=found[0]) if rows and (found := self._claim(mutant)) else proof
        )

    def _claim(self, mutant: Mutant) -> tuple[str, str] | None:
        """A query and a claim about an index that holds there and not on the mutant."""
        if not mutant.subject.startswith("index:"):
            return None
        queries = [q for q in self._project.queries if self._touches(q, mutant)]
        for text in (f"uses {mutant.index}", f"uses {mutant.index} index only"):
            claim = parse_claim(text, "postgres", NOWHERE)
            good = [v.subject for v in self._judge(self._stage, _with(queries, claim)) if _says(v, claim)]
            here = [q for q in queries if q.subject in good]
            if here:
                with self._carrying([mutant]) as stage:
                    left = [v.subject for v in self._judge(stage, _with(here, claim)) if _says(v, claim)]
                if gone := [q.subject for q in here if q.subject not in left]:
                    return gone[0], text
        return None

    def lane(self, mutant: Mutant) -> tuple[str, frozenset[Hashable]]:
        kind = kind_of(mutant)
        return kind, frozenset({mutant.subject} if kind else self._proofs.groups(mutant))

    @contextmanager
    def tests_url(self, mutants: Sequence[Mutant]) -> Generator[str]:
        with self._carrying(mutants) as stage:
            assert stage.state is not None
            yield stage.url(stage.state)

    def close(self) -> None:
        self._proofs.close()


def _with(queries: Sequence[Query], claim: Claim) -> list[Parsed]:
    return [Parsed(query, (claim,)) for query in queries]


def _says(verdict: Verdict, claim: Claim) -> bool:
    return verdict.claim == claim.text and verdict.verdict == "holds"


def _indexes(claims: Sequence[Claim]) -> set[str]:
    return {claim.index.name for claim in claims if claim.index is not None}


def _relations(verdicts: Sequence[Verdict]) -> dict[str, frozenset[str]]:
    """Query -> the relations of its plans; a query without a plan is not in it."""
    found: dict[str, set[str]] = {}
    for verdict in verdicts:
        plan: Any = verdict.evidence.get("plan")
        if plan is not None:
            names = {str(node["relation"]) for node in plan["nodes"] if node.get("relation")}
            found.setdefault(verdict.subject, set()).update(names)
    return {subject: frozenset(names) for subject, names in found.items()}
