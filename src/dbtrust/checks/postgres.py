"""PostgreSQL's half of `check`."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager

import psycopg

from dbtrust.checks.half import DECLARED, Half
from dbtrust.checks.mutants import Lab
from dbtrust.claims.contracts import judge_contracts
from dbtrust.claims.postgres import Parsed, judge_queries
from dbtrust.judge.claims import Names
from dbtrust.judge.findings import postgres_findings
from dbtrust.judge.outcomes import known_names
from dbtrust.migrate.postgres import prove_postgres
from dbtrust.model.catalog import Catalog
from dbtrust.model.plan import Engine
from dbtrust.model.project import Query
from dbtrust.model.report import Finding, ServerInfo, Verdict
from dbtrust.schema.declared import judge_declared_postgres
from dbtrust.schema.proofs_postgres import ParsedProof, judge_proofs
from dbtrust.source.find import located
from dbtrust.stage.postgres import PostgresStage, open_postgres


class PostgresHalf(Half):
    """Schema, history, queries and proofs on PostgreSQL."""

    engine: Engine = "postgres"
    stage: PostgresStage
    _catalog: Catalog | None = None
    _names = Names()

    def open(self) -> None:
        self.stage = self.keep(open_postgres(self.project, self._run, self._url, self.progress))
        self.info = ServerInfo(self.stage.version, self.stage.embedded)
        self._catalog = self.stage.catalog()
        if self._catalog is not None:
            self._names = known_names(self._catalog.objects, "postgres")
        if self.stage.state is not None:
            self.errors += self.stage.errors

    def parts(self) -> list[Callable[[], None]]:
        return [self._schema, self._migrations, self._rules, self._contracts, self._queries, self._proofs]

    def connection_errors(self) -> tuple[type[Exception], ...]:
        return (psycopg.OperationalError,)

    def _schema(self) -> None:
        if self.project.schema and self.selection.wants(*DECLARED):
            self.progress("applying the declared schema")
            files = [(s.file, s.text) for s in self.project.schema]
            migrated = self._catalog if self.project.history is not None else None
            self.verdicts += judge_declared_postgres(
                self.stage.empty, files, migrated, history=self.project.history is not None
            )

    def _migrations(self) -> None:
        if self.project.history is not None and self.selection.wants("migrate."):
            self.progress("proving PostgreSQL migrations")
            self.verdicts += prove_postgres(self.stage, self.project.history, self.project.config.root)

    def _rules(self) -> None:
        self.findings += [_unbound(query) for query in self.project.unbound]
        if self._catalog is not None:
            found = postgres_findings(self._catalog)
            self.findings += [located(finding, self.project) for finding in found]

    def _queries(self) -> None:
        if not self.project.queries or not self.selection.wants("query.prepares", "claim."):
            return
        if self.stage.state is None:
            self.verdicts += self._without_state("query.")
            return
        parsed = [
            Parsed(q, self.claims.of(q.subject), self._iterates(q.subject)) for q in self.project.queries
        ]
        self.verdicts += judge_queries(self.stage, parsed, self._names, self.progress)

    def _contracts(self) -> None:
        if not self.project.bound or not self.selection.wants("contract."):
            return
        if self.stage.state is None:
            self.verdicts += self._without_state("contract.")
            return
        self.verdicts += judge_contracts(self.stage, self.project.queries, self.project.bound, self.progress)

    def _iterates(self, subject: str) -> bool:
        bound = self.project.bound.get(subject)
        return bound is not None and bound.iterates

    def _proofs(self) -> None:
        if not self.project.proofs or not self.selection.wants("proof."):
            return
        if self.stage.state is None:
            self.verdicts += self._without_state("proof.")
            return
        self.progress("running PostgreSQL proofs")
        proofs = [ParsedProof(q, self.claims.of(f"proof:{q.name}")) for q in self.project.proofs]
        self.verdicts += judge_proofs(self.stage, proofs, self._names)

    def _without_state(self, prefix: str) -> list[Verdict]:
        why = "; ".join(str(error) for error in self.stage.errors)
        return self.unjudged(prefix, f"the schema could not be built: {why}", "missing_object")

    def tests_url(self) -> AbstractContextManager[str]:
        return self._tests_url()

    @contextmanager
    def _tests_url(self) -> Generator[str]:
        source = self.stage.data or self.stage.state
        assert source is not None
        with self.stage.copy(source) as name:
            yield self.stage.url(name)

    @property
    def trouble(self) -> str:
        if self.info is None:
            return "there is no server"
        return f"the schema could not be built: {'; '.join(str(error) for error in self.stage.errors)}"

    def lab(self) -> Lab | None:
        from dbtrust.checks.mutants_postgres import PostgresLab

        if self._catalog is None:
            return None
        return PostgresLab(self.stage, self.project, self.claims, self._catalog, self._names)

    @property
    def ready(self) -> bool:
        return self.info is not None and self.stage.state is not None


def _unbound(query: Query) -> Finding:
    message = f"no method of a contract class runs {query.name}"
    fix = f"add def {query.name}(self, …) -> …: ... to the class, or remove the query"
    return Finding(
        "query.unbound", "info", "postgres", query.subject, message, fix=fix, location=query.location
    )
