"""MongoDB's half of `check`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager

import pymongo.errors

from dbtrust.checks.half import DECLARED, Half
from dbtrust.checks.mutants import Lab
from dbtrust.checks.scale import Scale, scales, unbuilt
from dbtrust.claims.baseline import Observed, judge_baselines
from dbtrust.claims.baseline_mongo import observed_mongo, sampled_mongo
from dbtrust.claims.mongo import ParsedMethod, judge_claims, judge_methods
from dbtrust.claims.mongo_contracts import judge_contracts
from dbtrust.claims.verdicts import drawn_findings
from dbtrust.claims.warnings import Judgement, no_rows_findings, relations_of
from dbtrust.engine.mongo.catalog import empty_of
from dbtrust.engine.mongo.urls import with_database
from dbtrust.judge.grammar import Claim
from dbtrust.judge.mongo_indexes import redundant_indexes
from dbtrust.judge.outcomes import known_names
from dbtrust.migrate.mongo import prove_mongo
from dbtrust.model.catalog import Catalog
from dbtrust.model.engine import Engine
from dbtrust.model.errors import DbtrustError
from dbtrust.model.report import ServerInfo, Verdict
from dbtrust.monitor.in_check import mongo_in_check
from dbtrust.schema.constraints_mongo import judge_validators
from dbtrust.schema.declared_mongo import judge_collections
from dbtrust.schema.proofs_mongo import ParsedMongoProof, judge_proofs
from dbtrust.source.find import Places, located, placed
from dbtrust.source.objects import MongoMethod, MongoProof
from dbtrust.stage.mongo import MongoStage, Scratch, open_mongo
from dbtrust.stage.scale import generator_of, scaled
from dbtrust.stage.scale_mongo import check_counts


class MongoHalf(Half):
    """Collections, history, query methods and proofs on MongoDB."""

    engine: Engine = "mongo"
    stage: MongoStage
    _catalog: Catalog | None = None
    _scratch: Scratch | None = None

    def abandon(self) -> None:
        super().abandon()
        if self._scratch is not None:
            self._scratch.abandon()

    def open(self) -> None:
        self.stage = self.keep(open_mongo(self.project, self._run, self._url, self.progress))
        self.info = ServerInfo(self.stage.version, self.stage.embedded)
        self._catalog = self.stage.catalog()
        if self._catalog is not None:
            self.names = known_names(self._catalog.objects, "mongo")
        if self.stage.data is not None:
            self.errors += self.stage.errors

    def parts(self) -> list[Callable[[], None]]:
        return [self._collections, self._validators, self._migrations, self._rules, self._queries_and_proofs]

    def connection_errors(self) -> tuple[type[Exception], ...]:
        return (pymongo.errors.ConnectionFailure,)

    def _collections(self) -> None:
        if self.project.collections and self.selection.wants(*DECLARED):
            self.progress("creating the declared collections")
            migrated = self._catalog if self.project.history is not None else None
            self.verdicts += judge_collections(
                self.stage.empty, self.project.collections, migrated, history=self.project.history is not None
            )

    def _validators(self) -> None:
        if not self.selection.wants("schema.constraint"):
            return
        if self.stage.data is None:
            why = "; ".join(str(error) for error in self.stage.errors)
            message = f"the collections could not be built: {why}"
            self.verdicts += self.unjudged("schema.constraint", message, "missing_object")
            return
        self.progress("breaking every clause on purpose")
        places = Places(self.project)
        judged = judge_validators(self.stage.reading(), self.stage.empty)
        self.verdicts += [placed(verdict, places) for verdict in judged]

    def _migrations(self) -> None:
        if self.project.history is not None and self.selection.wants("migrate."):
            self.progress("proving MongoDB migrations")
            self.verdicts += prove_mongo(
                self.stage.empty, self.project.history, self.project.config.root, self.stage.capture
            )

    def _rules(self) -> None:
        if self._catalog is not None:
            found = [*redundant_indexes(self._catalog), *mongo_in_check(self.stage.reading())]
            self.findings += [located(finding, self.project) for finding in found]

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
                self._scratch = scratch
                self.verdicts += self._on(scratch, methods, proofs)

    def _on(
        self, scratch: Scratch, methods: Sequence[MongoMethod], proofs: Sequence[MongoProof]
    ) -> list[Verdict]:
        parsed = [ParsedMethod(m, self._claims_of(m)) for m in methods]
        verdicts = judge_methods(self.stage, scratch, parsed, self.names, self.progress)
        self._warn(self.stage, parsed, verdicts)
        if methods and (baselines := self.project.baselines.get("mongo")):
            verdicts += judge_baselines(observed_mongo(self.stage, parsed, self.names), baselines, self.names)
        for scale in scales(self.claims, "mongo", self.project) if methods else ():
            verdicts += self._at_scale(scale)
        self.findings += drawn_findings(verdicts)
        if parsed and self.selection.wants("contract."):
            verdicts += judge_contracts(self.stage, scratch, parsed, self.project.collections)
        judged = [ParsedMongoProof(p, c) for p in proofs for c in self.claims.of(f"proof:{p.name}")]
        if judged:
            self.progress("running MongoDB proofs")
        return verdicts + judge_proofs(self.stage, scratch, judged, self.names)

    def _warn(self, stage: MongoStage, parsed: Sequence[ParsedMethod], verdicts: Sequence[Verdict]) -> None:
        """claim.no_rows, by what the judged copy counts."""
        judged = [Judgement("mongo", p.method.subject, p.method.location, p.claims, p.cases) for p in parsed]
        empty = {("", name): False for name in empty_of(stage.reading(), relations_of(judged))}
        generated = {item.name for item in self.project.config.data}
        self.findings += no_rows_findings(judged, verdicts, empty, generated)

    def sample(self, wanted: Callable[[str], bool]) -> list[Observed]:
        if self.stage.data is None:
            self.errors += self.stage.errors
            return []
        parsed = [ParsedMethod(m, ()) for m in self.project.methods if wanted(m.subject)]
        with Scratch(self.stage) as scratch:
            judge_methods(self.stage, scratch, parsed, self.names, self.progress)
            return sampled_mongo(self.stage, parsed, self.names, self.progress)

    def _claims_of(self, method: MongoMethod, at: Scale | None = None) -> tuple[Claim, ...]:
        return tuple(claim for claim in self.claims.of(method.subject) if claim.at == at)

    def _at_scale(self, at: Scale) -> list[Verdict]:
        """The claims at one stated number of documents, on a server with that many."""
        methods = [(m, claims) for m in self.project.methods if (claims := self._claims_of(m, at))]
        parsed = [ParsedMethod(method, claims) for method, claims in methods]
        count, relation = at
        generator = generator_of(self.project, "mongo", relation.name)
        if generator is None:
            return self._unbuilt(parsed, None)
        rows = {generator.name: count}
        self.progress(f"the project at {count:,} documents in {relation}")
        with open_mongo(scaled(self.project, rows), self._run, self._url, self.progress) as stage:
            if stage.data is None or stage.errors:
                return self._unbuilt(parsed, stage.errors[0] if stage.errors else None)
            try:
                check_counts(self.project, stage.reading(), rows)
            except DbtrustError as error:
                return self._unbuilt(parsed, error)
            with Scratch(stage) as scratch:
                found = judge_claims(stage, scratch, parsed, self.names, self.progress)
            self._warn(stage, parsed, found)
            return found

    def _unbuilt(self, parsed: Sequence[ParsedMethod], error: DbtrustError | None) -> list[Verdict]:
        return [unbuilt("mongo", p.method.subject, c, self.names, error) for p in parsed for c in p.claims]

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
        return MongoLab(self.stage, self.project, self.claims, self._catalog, self.names)

    @property
    def ready(self) -> bool:
        return self.info is not None and not self.lost and self.stage.data is not None
