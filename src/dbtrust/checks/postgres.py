"""PostgreSQL's half of `check`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager

import psycopg

from dbtrust.checks.half import DECLARED, Half
from dbtrust.checks.mutants import Lab
from dbtrust.checks.scale import Scale, scales, unbuilt
from dbtrust.claims.baseline import Observed, judge_baselines
from dbtrust.claims.baseline_postgres import observed_postgres, sampled_postgres
from dbtrust.claims.contracts import judge_contracts
from dbtrust.claims.postgres import Parsed, judge_claims, judge_queries
from dbtrust.claims.together import Quiet, side_by_side
from dbtrust.claims.verdicts import drawn_findings
from dbtrust.claims.warnings import Judgement, no_rows_findings, row_security_findings
from dbtrust.engine.postgres.relations import empty_relations, row_security_not_bound
from dbtrust.judge.findings import postgres_findings
from dbtrust.judge.grammar import Claim
from dbtrust.judge.outcomes import known_names
from dbtrust.migrate.postgres import prove_postgres
from dbtrust.model.catalog import Catalog
from dbtrust.model.engine import Engine
from dbtrust.model.errors import DbtrustError
from dbtrust.model.project import Query
from dbtrust.model.report import Finding, ServerInfo, Verdict
from dbtrust.monitor.in_check import postgres_in_check
from dbtrust.schema.declared import judge_declared_postgres
from dbtrust.schema.promises_postgres import PROMISES, judge_promises
from dbtrust.schema.proofs_postgres import ParsedProof, judge_proofs
from dbtrust.source.find import Places, located, placed
from dbtrust.source.layouts.ways_back import Home
from dbtrust.stage.data import read_generators
from dbtrust.stage.postgres import PostgresStage, open_postgres
from dbtrust.stage.scale import generator_of, scaled
from dbtrust.stage.scale_postgres import check_counts


class PostgresHalf(Half):
    """Schema, history, queries and proofs on PostgreSQL."""

    engine: Engine = "postgres"
    stage: PostgresStage
    _catalog: Catalog | None = None

    def open(self) -> None:
        self.stage = self.keep(open_postgres(self.project, self._run, self._url, self.progress))
        self.info = ServerInfo(self.stage.version, self.stage.embedded)
        self._catalog = self.stage.catalog()
        if self._catalog is not None:
            self.names = known_names(self._catalog.objects, "postgres")
        if self.stage.state is not None:
            self.errors += self.stage.errors

    def parts(self) -> list[Callable[[], None]]:
        return [
            self._schema, self._constraints, self._migrations, self._rules, self._judged, self._proofs,
        ]  # fmt: skip

    def connection_errors(self) -> tuple[type[Exception], ...]:
        return (psycopg.OperationalError,)

    def _schema(self) -> None:
        if self.project.schema and self.selection.wants(*DECLARED):
            self.progress("applying the declared schema")
            files = [(s.file, s.text) for s in self.project.schema]
            migrated = self._catalog if self.project.history is not None else None
            self.verdicts += judge_declared_postgres(
                self.stage.empty, files, migrated, history=self.project.history is not None,
                footprint=self.stage.scratch.footprint,
            )  # fmt: skip

    def _constraints(self) -> None:
        if not self.selection.wants(*PROMISES):
            return
        if self.stage.state is None:
            self.verdicts += self._without_state("schema.constraint")
            return
        self.progress("breaking every rule on purpose")
        places = Places(self.project)
        self.verdicts += [placed(v, places) for v in judge_promises(self.stage, self.project.schema)]

    def _migrations(self) -> None:
        if self.project.history is not None and self.selection.wants("migrate."):
            self.progress("proving PostgreSQL migrations")
            generators, _ = read_generators(self.project, "postgres")
            history = self.project.history
            home = Home(self.project.config.root, migrations=history.migrations)
            self.verdicts += prove_postgres(
                self.stage, history, generators=generators, progress=self.progress, home=home
            )

    def _rules(self) -> None:
        self.findings += [_unbound(query) for query in self.project.unbound]
        if self._catalog is not None:
            found = postgres_findings(self._catalog)
            with self.stage.scratch.admin(self.stage.state or "") as connection:
                more, unseen = postgres_in_check(connection)
            self.findings += [located(finding, self.project) for finding in (*found, *more)]
            self.not_examined += unseen

    def _judged(self) -> None:
        side_by_side(self._contracts, self._queries)

    def _queries(self, quiet: Quiet) -> None:
        if not self.project.queries or not self.selection.wants("query.prepares", "claim."):
            return
        if self.stage.state is None:
            self.verdicts += self._without_state("query.")
            return
        parsed = [Parsed(q, self._claims_of(q), self._iterates(q.subject)) for q in self.project.queries]
        found = judge_queries(self.stage, parsed, self.names, self.progress, quiet=quiet)
        self._warn(self.stage, parsed, found)
        if baselines := self.project.baselines.get("postgres"):
            now = observed_postgres(self.stage, parsed, self.names)
            found += judge_baselines(now, baselines, self.names)
        for scale in scales(self.claims, "postgres", self.project):
            found += self._at_scale(scale)
        self.verdicts += found
        self.findings += drawn_findings(found)

    def _warn(self, stage: PostgresStage, parsed: Sequence[Parsed], verdicts: Sequence[Verdict]) -> None:
        """What the judged copy tells of the plans beside their verdicts."""
        if stage.data is None:
            return
        # Of a copy: nobody may be connected to what another thread copies.
        with stage.copy(stage.data) as name, stage.owner(name) as connection:
            empty, unbound = empty_relations(connection), row_security_not_bound(connection)
        judged = [Judgement("postgres", p.query.subject, p.query.location, p.claims, p.cases) for p in parsed]
        generated = {item.name for item in self.project.config.data}
        self.findings += no_rows_findings(judged, verdicts, empty, generated)
        self.findings += row_security_findings(judged, unbound)

    def sample(self, wanted: Callable[[str], bool]) -> list[Observed]:
        if self.stage.state is None:
            self.errors += self.stage.errors
            return []
        queries = [query for query in self.project.queries if wanted(query.subject)]
        parsed = [Parsed(query, (), self._iterates(query.subject)) for query in queries]
        judge_queries(self.stage, parsed, self.names, self.progress)
        return sampled_postgres(self.stage, parsed, self.names, self.progress)

    def _claims_of(self, query: Query, at: Scale | None = None) -> tuple[Claim, ...]:
        return tuple(claim for claim in self.claims.of(query.subject) if claim.at == at)

    def _at_scale(self, at: Scale) -> list[Verdict]:
        """The claims at one stated number of rows, on a server with that many."""
        parsed = [
            Parsed(q, claims, self._iterates(q.subject))
            for q in self.project.queries
            if (claims := self._claims_of(q, at))
        ]
        count, relation = at
        generator = generator_of(self.project, "postgres", relation.name, relation.schema)
        if generator is None:
            return self._unbuilt(parsed, None)
        rows = {generator.name: count}
        self.progress(f"the project at {count:,} rows in {relation}")
        with open_postgres(scaled(self.project, rows), self._run, self._url, self.progress) as stage:
            if stage.data is None or stage.errors:
                return self._unbuilt(parsed, stage.errors[0] if stage.errors else None)
            try:
                with stage.owner(stage.data, slow=True) as connection:
                    check_counts(self.project, connection, rows)
            except DbtrustError as error:
                return self._unbuilt(parsed, error)
            found = judge_claims(stage, parsed, self.names, self.progress, generic=False)
            self._warn(stage, parsed, found)
            return found

    def _unbuilt(self, parsed: Sequence[Parsed], error: DbtrustError | None) -> list[Verdict]:
        return [unbuilt("postgres", p.query.subject, c, self.names, error) for p in parsed for c in p.claims]

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
        self.verdicts += judge_proofs(self.stage, proofs, self.names)

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
        return PostgresLab(self.stage, self.project, self.claims, self._catalog, self.names)

    @property
    def ready(self) -> bool:
        return self.info is not None and not self.lost and self.stage.state is not None


def _unbound(query: Query) -> Finding:
    message = f"no method of a contract class runs {query.name}"
    fix = f"add def {query.name}(self, …) -> …: ... to the class, or remove the query"
    return Finding(
        "query.unbound", "info", "postgres", query.subject, message, fix=fix, location=query.location
    )
