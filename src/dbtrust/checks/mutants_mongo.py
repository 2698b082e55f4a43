"""Mutants on MongoDB: each on a copy of the data, against proofs and the methods that touch the collection."""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Generator, Hashable, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import pymongo.errors
from pymongo.database import Database

from dbtrust.checks.mutants import held, judged_here, lost
from dbtrust.checks.parse import Claims
from dbtrust.claims.mongo import ParsedMethod, judge_methods
from dbtrust.engine.mongo.connect import connect
from dbtrust.engine.mongo.errors import describe
from dbtrust.engine.mongo.mutate import apply_changes, specifications, undo_changes
from dbtrust.engine.mongo.urls import with_database
from dbtrust.judge.claims import Names
from dbtrust.judge.grammar import Claim, parse_claim
from dbtrust.judge.mutants.mongo import Held, mongo_mutants
from dbtrust.model.catalog import Catalog
from dbtrust.model.engine import Engine
from dbtrust.model.location import NOWHERE
from dbtrust.model.mutants import Mutant
from dbtrust.model.progress import silent
from dbtrust.schema.mutation import Ready, Refused
from dbtrust.schema.mutation_mongo import as_proof, drafts
from dbtrust.schema.proofs_mongo import ParsedMongoProof, judge_proofs
from dbtrust.source.objects import MongoMethod
from dbtrust.source.project import Project
from dbtrust.stage.mongo import Copies, MongoStage, Scratch


@dataclass(slots=True)
class _Stage(MongoStage):
    """A stage whose plans are those of the copy that carries the mutant."""

    scratch: Scratch | None = None

    def reading(self) -> Database[Any]:
        assert self.scratch is not None
        return self.scratch.database()


@dataclass(frozen=True, slots=True)
class _Touch:
    """What a proof or method does at the baseline: the collections that its commands name, and whether it writes."""

    collections: frozenset[str]
    writes: bool


class MongoLab:
    """Implements `Lab`. A mutant of a validator is undone again, so its copy serves the next one."""

    engine: Engine = "mongo"

    def __init__(
        self, stage: MongoStage, project: Project, claims: Claims, catalog: Catalog, names: Names
    ) -> None:
        self._stage, self._project, self._claims, self._names = stage, project, claims, names
        self._collections = {
            name: Held(name, options, specs) for name, options, specs in specifications(stage.reading())
        }
        self.mutants: Sequence[Mutant] = mongo_mutants(catalog, list(self._collections.values()))
        self._proofs = [
            ParsedMongoProof(p, c) for p in project.mongo_proofs for c in claims.of(f"proof:{p.name}")
        ]
        self._clean: queue.LifoQueue[tuple[str, str]] = queue.LifoQueue()
        self._held: frozenset[tuple[str, str, str]] = frozenset()
        self._touch: dict[str, _Touch] = {}
        self._taken = {p.name for p in (*project.proofs, *project.mongo_proofs)}
        self._lock = threading.Lock()

    def baseline(self) -> None:
        with self._carrying([]) as (stage, scratch):
            for method in self._project.methods:
                with scratch.capture.recording() as commands:
                    verdicts = judge_methods(stage, scratch, self._parsed([method]), self._names, silent)
                self._touch[method.subject] = self._touched(commands)
                self._held |= held(verdicts)
            for item in self._proofs:
                with scratch.capture.recording() as commands:
                    verdicts = judge_proofs(stage, scratch, [item], self._names)
                self._touch[f"proof:{item.proof.name}"] = self._touched(commands)
                self._held |= held(verdicts)

    def _parsed(self, methods: Iterable[MongoMethod], mutant: Mutant | None = None) -> list[ParsedMethod]:
        return [ParsedMethod(m, judged_here(self._claims.of(m.subject), mutant)) for m in methods]

    def _touched(self, commands: Sequence[Any]) -> _Touch:
        words = {word for command in commands for word in _words(command.command)}
        return _Touch(frozenset(words & self._collections.keys()), any(command.wrote for command in commands))

    def kill(self, mutant: Mutant) -> str:
        first, second = self._by_proofs, self._by_methods
        if mutant.index:
            first, second = second, first
        with self._carrying([mutant]) as (stage, scratch):
            return first(mutant, stage, scratch) or second(mutant, stage, scratch)

    def _by_proofs(self, mutant: Mutant, stage: MongoStage, scratch: Scratch) -> str:
        mine = [p for p in self._proofs if self._may_notice(f"proof:{p.proof.name}", mutant)]
        # A refusal at the very place of the clause is the likeliest, and one that is still refused leaves no trace.
        for item in sorted(mine, key=lambda p: (p.claim.path != mutant.aim.name, p.claim.kind != "refused")):
            if lost(judge_proofs(stage, scratch, [item], self._names), self._held):
                return f"proof:{item.proof.name}"
        return ""

    def _by_methods(self, mutant: Mutant, stage: MongoStage, scratch: Scratch) -> str:
        mine = [m for m in self._project.methods if self._may_notice(m.subject, mutant)]
        if not mutant.index:
            mine = [m for m in mine if self._touch[m.subject].writes]
        for method in sorted(mine, key=lambda m: mutant.index not in _indexes(self._claims.of(m.subject))):
            verdicts = judge_methods(stage, scratch, self._parsed([method], mutant), self._names, silent)
            if by := lost(verdicts, self._held):
                return by
        return ""

    def _may_notice(self, subject: str, mutant: Mutant) -> bool:
        if not any(name == subject for _, name, _ in self._held):
            return False
        there = self._touch[subject].collections
        return not there or any(name in there for _, name in mutant.relations)

    @contextmanager
    def _carrying(self, mutants: Sequence[Mutant]) -> Generator[tuple[MongoStage, Scratch]]:
        """A stage and a scratch whose copies carry these mutants. Raises Refused."""
        old = self._stage
        stage = _Stage(
            client=old.client, url=old.url, version=old.version, embedded=old.embedded, data=old.data,
            copies=Copies(lambda: self._mutated(mutants), self._free), evidence=old.evidence, errors=old.errors,
        )  # fmt: skip
        scratch = stage.scratch = Scratch(stage)
        try:
            yield stage, scratch
            if (copy := scratch.release()) is not None:
                self._give_back(copy, mutants)
        finally:
            scratch.spoil()

    def _mutated(self, mutants: Sequence[Mutant]) -> tuple[str, str]:
        url, name = self._fresh()
        try:
            with connect(url) as client:
                for mutant in mutants:
                    apply_changes(client[name], mutant.changes)
        except pymongo.errors.OperationFailure as error:
            self._free(url, name)
            raise Refused(describe(error)) from error
        return url, name

    def _fresh(self) -> tuple[str, str]:
        try:
            return self._clean.get_nowait()
        except queue.Empty:
            assert self._stage.copies is not None
            return self._stage.copies.fresh()

    def _free(self, url: str, name: str) -> None:
        assert self._stage.copies is not None
        self._stage.copies.free(url, name)

    def _give_back(self, copy: tuple[str, str], mutants: Sequence[Mutant]) -> None:
        """Undoes the mutants of a copy that nothing wrote to and keeps it for the next one."""
        with connect(copy[0]) as client:
            kept = all(undo_changes(client[copy[1]], mutant.changes) for mutant in reversed(mutants))
        if kept:
            self._clean.put(copy)
        else:
            self._free(*copy)

    def ready(self, mutant: Mutant, *, rows: bool) -> Ready:
        proof = self._proof(mutant, rows)
        claim = self._claim(mutant) if rows and mutant.index else None
        return Ready(proof.name, proof.text, claim[1], claim[0]) if claim else proof

    def _proof(self, mutant: Mutant, rows: bool) -> Ready:
        collection = self._collections[mutant.aim.table]
        example = self._stage.reading()[collection.name].find_one()
        with self._stage.empty() as empty:
            found = drafts(empty, collection, mutant, example)
        name = self._name(mutant)
        for draft in (found[:3] if rows else []) + found[-1:]:
            text = draft.source(name, mutant.what)
            item = ParsedMongoProof(
                as_proof(text, name, draft.claim), parse_claim(draft.claim, "mongo", NOWHERE, proof=True)
            )
            if self._holds([], item) and not self._holds([mutant], item):
                return Ready(name, text)
        return Ready()

    def _holds(self, mutants: Sequence[Mutant], item: ParsedMongoProof) -> bool:
        with self._carrying(mutants) as (stage, scratch):
            return judge_proofs(stage, scratch, [item], self._names)[0].verdict == "holds"

    def _name(self, mutant: Mutant) -> str:
        words = f"{mutant.subject.partition(':')[2]}_{mutant.aim.name if not mutant.index else ''}_{mutant.operator}"
        base = name = re.sub(r"\W+|__+", "_", words).strip("_").lower()
        with self._lock:
            number = 1
            while name in self._taken:
                number += 1
                name = f"{base}_{number}"
            self._taken.add(name)
        return name

    def _claim(self, mutant: Mutant) -> tuple[str, str] | None:
        """A method and a claim about the index that holds there and not on the mutant."""
        text = f"uses {mutant.index}"
        claim = parse_claim(text, "mongo", NOWHERE)
        methods = [m for m in self._project.methods if self._may_notice(m.subject, mutant)]
        here = [m for m in methods if m.subject in self._saying([], methods, claim)]
        left = self._saying([mutant], here, claim) if here else set[str]()
        return next(((m.subject, text) for m in here if m.subject not in left), None)

    def _saying(self, mutants: Sequence[Mutant], methods: Sequence[MongoMethod], claim: Claim) -> set[str]:
        with self._carrying(mutants) as (stage, scratch):
            verdicts = judge_methods(
                stage, scratch, [ParsedMethod(m, (claim,)) for m in methods], self._names, silent
            )
        return {v.subject for v in verdicts if v.claim == claim.text and v.verdict == "holds"}

    def lane(self, mutant: Mutant) -> tuple[str, frozenset[Hashable]]:
        return "", frozenset(mutant.relations)

    @contextmanager
    def tests_url(self, mutants: Sequence[Mutant]) -> Generator[str]:
        # Tests may write: their copy is never given back.
        assert self._stage.copies is not None
        url, name = self._mutated(mutants)
        try:
            yield with_database(url, name)
        finally:
            self._free(url, name)

    def close(self) -> None:
        while not self._clean.empty():
            self._free(*self._clean.get_nowait())


def _indexes(claims: Sequence[Claim]) -> set[str]:
    return {claim.index.name for claim in claims if claim.index is not None}


def _words(value: Any) -> Generator[str]:
    """Every text in a command: the collections that it names are among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in cast("dict[str, Any]", value).values():
            yield from _words(inner)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from _words(inner)
