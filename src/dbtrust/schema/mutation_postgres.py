"""Mutants on PostgreSQL against the project's proofs: each is made and undone in a transaction on a copy of the data.

DDL is transactional there, so a copy serves many mutants; nothing but the mutation and the proofs happens on it.
"""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg

from dbtrust.engine.postgres.errors import describe
from dbtrust.engine.postgres.mutate import apply_changes, state, state_test, touched
from dbtrust.judge.claims import Names
from dbtrust.judge.grammar import parse_claim
from dbtrust.judge.mutants.postgres import reach
from dbtrust.judge.statements import SqlSyntaxError, split
from dbtrust.model.catalog import Catalog
from dbtrust.model.location import NOWHERE
from dbtrust.model.mutants import Mutant, Relation
from dbtrust.model.project import Query
from dbtrust.schema.mutation import NoEffect, Ready, Refused
from dbtrust.schema.mutation_drafts import Draft, drafts
from dbtrust.schema.proofs_postgres import ParsedProof, judge_proof
from dbtrust.stage.postgres import PostgresStage

Connection = psycopg.Connection[Any]
Group = int | Relation


@dataclass(frozen=True, slots=True)
class _Killer:
    """A claim of a proof that holds on the schema as it is; `groups` None: it may touch anything."""

    proof: ParsedProof
    groups: frozenset[Group] | None


class PostgresProofs:
    """The proofs as killers. Thread-safe: every call works on a copy of its own, taken from a pool."""

    def __init__(
        self, stage: PostgresStage, catalog: Catalog, proofs: Sequence[ParsedProof], names: Names, taken: Iterable[str]
    ) -> None:  # fmt: skip
        self._stage, self._names, self._proofs = stage, names, proofs
        self._groups = reach(catalog)
        self._functions = {
            re.split(r"[.(]", o.name)[-2].strip('"') for o in catalog.objects if o.kind == "function"
        }
        self._benches: queue.LifoQueue[tuple[str, Connection]] = queue.LifoQueue()
        self._killers: list[_Killer] = []
        self._taken, self._lock = set(taken), threading.Lock()

    def baseline(self) -> None:
        """Judges every proof on the schema as it is: only what holds can kill."""
        with self._bench() as connection, connection.transaction(force_rollback=True):
            for proof in self._proofs:
                held = [
                    claim for claim, verdict in zip(proof.claims, self._judge(connection, proof), strict=True)
                    if verdict == "holds"
                ]  # fmt: skip
                if held:
                    kept = ParsedProof(proof.query, tuple(held))
                    self._killers.append(_Killer(kept, self._touches(connection, kept)))

    def _judge(self, connection: Connection, proof: ParsedProof) -> list[str]:
        return [verdict.verdict for verdict in judge_proof(self._stage, connection, proof, self._names)]

    def _touches(self, connection: Connection, proof: ParsedProof) -> frozenset[Group] | None:
        """The groups of tables that a proof touches, as the server's locks say."""
        try:
            statements = [statement.text for statement in split(proof.query.sql)]
        except SqlSyntaxError:
            return None
        refused = any(claim.kind == "refused" for claim in proof.claims)
        if refused and self._functions & set(re.findall(r"\w+", proof.query.sql)):
            return None
        found = touched(connection, statements, refused=refused)
        return None if found is None else frozenset(self._group(relation) for relation in found)

    def _group(self, relation: Relation) -> Group:
        return self._groups.get(relation, relation)

    def groups(self, mutant: Mutant) -> frozenset[Group]:
        """The groups of tables that a mutant may be noticed in; none: in all."""
        return frozenset(self._group(relation) for relation in mutant.relations)

    def kill(self, mutant: Mutant) -> str:
        """The proof that no longer holds, "" where all still do. Raises Refused and NoEffect."""
        mine = self.groups(mutant)
        with self._bench() as connection, self._mutated(connection, mutant):
            for killer in self._killers:
                if (killer.groups is None or not mine or mine & killer.groups) and any(
                    verdict != "holds" for verdict in self._judge(connection, killer.proof)
                ):
                    return f"proof:{killer.proof.query.name}"
        return ""

    @contextmanager
    def _mutated(self, connection: Connection, mutant: Mutant) -> Generator[None]:
        """The mutant inside a transaction that is rolled back."""
        with connection.transaction(force_rollback=True):
            before = state(connection, mutant.probe) if mutant.probe else None
            try:
                with connection.transaction():
                    apply_changes(connection, mutant.changes)
            except psycopg.Error as error:
                if connection.closed:
                    raise
                raise Refused(describe(error)) from error
            if mutant.probe is not None and state(connection, mutant.probe) == before:
                raise NoEffect
            yield

    def ready(self, mutant: Mutant, *, rows: bool) -> Ready:
        """A proof that holds on the schema as it is and not on the mutant; rows first, else the catalog's own words."""
        with self._bench() as connection:
            with connection.transaction(force_rollback=True):
                tried = drafts(connection, mutant.aim) if rows else []
                found = [*tried, *self._of_catalog(connection, mutant)]
                good = [draft for draft in found if self._holds(connection, draft)]
            with self._mutated(connection, mutant):
                best = next((draft for draft in good if not self._holds(connection, draft)), None)
        return Ready() if best is None else self._named(mutant, best)

    def _of_catalog(self, connection: Connection, mutant: Mutant) -> list[Draft]:
        if mutant.probe is None:
            return []
        test = state_test(connection, mutant.probe, state(connection, mutant.probe))
        return [Draft("true", (test,))]

    def _holds(self, connection: Connection, draft: Draft) -> bool:
        claim = parse_claim(draft.claim, "postgres", NOWHERE, proof=True)
        text = ";\n".join(draft.statements)
        proof = ParsedProof(Query("postgres", "proof:draft", "draft", text, "", NOWHERE), (claim,))
        return self._judge(connection, proof) == ["holds"]

    def _named(self, mutant: Mutant, draft: Draft) -> Ready:
        words = re.sub(r"\W+", "_", mutant.subject.partition(":")[2]).strip("_").lower()
        with self._lock:
            name = base = f"{words}_{mutant.operator}"
            number = 1
            while name in self._taken:
                number += 1
                name = f"{base}_{number}"
            self._taken.add(name)
        body = ";\n".join(draft.statements)
        return Ready(
            name,
            f"-- name: {name}\n-- {mutant.what}\n-- claim: {draft.claim}\n{body};\n".replace("\n\n", "\n"),
        )

    @contextmanager
    def _bench(self) -> Generator[Connection]:
        """A copy of the data with an open connection; it goes back to the pool unless the connection broke."""
        try:
            bench = self._benches.get_nowait()
        except queue.Empty:
            source = self._stage.data or self._stage.state
            assert source is not None
            copy = self._stage.scratch.copy(source, "mutant")
            bench = (copy, self._stage.owner(copy))
        try:
            yield bench[1]
        finally:
            if bench[1].closed:
                with suppress(psycopg.Error):
                    self._stage.scratch.drop(bench[0])
            else:
                self._benches.put(bench)

    def close(self) -> None:
        """Drops the copies."""
        while not self._benches.empty():
            name, connection = self._benches.get_nowait()
            connection.close()
            with suppress(psycopg.Error):
                self._stage.scratch.drop(name)
