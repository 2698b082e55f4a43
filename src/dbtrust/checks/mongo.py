"""MongoDB's half of `check`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager

import pymongo.errors

from dbtrust.checks.half import DECLARED, Half
from dbtrust.checks.mutants import Lab
from dbtrust.claims.mongo import ParsedMethod, judge_methods
from dbtrust.claims.mongo_contracts import judge_contracts
from dbtrust.engine.mongo.urls import with_database
from dbtrust.judge.claims import Names
from dbtrust.judge.mongo_indexes import redundant_indexes
from dbtrust.judge.outcomes import known_names
from dbtrust.migrate.mongo import prove_mongo
from dbtrust.model.catalog import Catalog
from dbtrust.model.plan import Engine
from dbtrust.model.report import ServerInfo, Verdict
from dbtrust.schema.declared_mongo import judge_collections
from dbtrust.schema.proofs_mongo import ParsedMongoProof, judge_proofs
from dbtrust.source.find import located
from dbtrust.source.objects import MongoMethod, MongoProof
from dbtrust.stage.mongo import MongoStage, Scratch, open_mongo


class MongoHalf(Half):
    """Collections, history, query methods and proofs on MongoDB."""

    engine: Engine = "mongo"
    stage: MongoStage
    _catalog: Catalog | None = None
    _names = Names()

    def open(self) -> None:
        self.stage = self.keep(open_mongo(self.project, self._run, self._url, self.progress))
        self.info = ServerInfo(self.stage.version, self.stage.embedded)
        self._catalog = self.stage.catalog()
        if self._catalog is not None:
            self._names = known_names(self._catalog.objects, "mongo")
        if self.stage.data is not None:
            self.errors += self.stage.errors

    def parts(self) -> list[Callable[[], None]]:
        return [self._collections, self._migrations, self._rules, self._queries_and_proofs]

    def connection_errors(self) -> tuple[type[Exception], ...]:
        return (pymongo.errors.ConnectionFailure,)

    def _collections(self) -> None:
        if self.project.collections and self.selection.wants(*DECLARED):
            self.progress("creating the declared collections")
            migrated = self._catalog if self.project.history is not None else None
            self.verdicts += judge_collections(
                self.stage.empty, self.project.collections, migrated, history=self.project.history is not None
            )

    def _migrations(self) -> None:
        if self.project.history is not None and self.selection.wants("migrate."):
            self.progress("proving MongoDB migrations")
            self.verdicts += prove_mongo(self.stage.empty, self.project.history, self.project.config.root)

    def _rules(self) -> None:
        if self._catalog is not None:
            self.findings += [located(finding, self.project) for finding in redundant_indexes(self._catalog)]

    def _queries_and_proofs(self) -> None:
        methods = (
            self.project.methods if self.selection.wants("query.prepares", "claim.", "contract.") else []
        )
        proofs = self.project.mongo_proofs if self.selection.wants("proof.") else []
        if self.stage.data is None:
            why = "; ".join(str(error) for error in self.stage.errors)
            message = f"the collections could not be built: {why}"
            self.verdicts += self.unjudged("query.", message, "missing_object") if methods else []
            self.verdicts += self.unjudged("contract.", message, "missing_object") if methods else []
            self.verdicts += self.unjudged("proof.", message, "missing_object") if proofs else []
        elif methods or proofs:
            with Scratch(self.stage) as scratch:
                self.verdicts += self._on(scratch, methods, proofs)

    def _on(
        self, scratch: Scratch, methods: Sequence[MongoMethod], proofs: Sequence[MongoProof]
    ) -> list[Verdict]:
        parsed = [ParsedMethod(m, self.claims.of(m.subject)) for m in methods]
        verdicts = judge_methods(self.stage, scratch, parsed, self._names, self.progress)
        if parsed and self.selection.wants("contract."):
            verdicts += judge_contracts(self.stage, scratch, parsed, self.project.collections)
        judged = [ParsedMongoProof(p, c) for p in proofs for c in self.claims.of(f"proof:{p.name}")]
        if judged:
            self.progress("running MongoDB proofs")
        return verdicts + judge_proofs(self.stage, scratch, judged, self._names)

    def tests_url(self) -> AbstractContextManager[str]:
        return self._tests_url()

    @contextmanager
    def _tests_url(self) -> Generator[str]:
        with self.stage.copy() as (url, name):
            yield with_database(url, name)

    @property
    def trouble(self) -> str:
        if self.info is None:
            return "there is no server"
        return f"the collections could not be built: {'; '.join(str(error) for error in self.stage.errors)}"

    def lab(self) -> Lab | None:
        from dbtrust.checks.mutants_mongo import MongoLab

        if self._catalog is None:
            return None
        return MongoLab(self.stage, self.project, self.claims, self._catalog, self._names)

    @property
    def ready(self) -> bool:
        return self.info is not None and self.stage.data is not None
