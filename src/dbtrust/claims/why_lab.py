"""A copy of a project's data on PostgreSQL where things are changed, explained and rolled back."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from dbtrust.claims.cases import Parsed
from dbtrust.engine.postgres import whatif
from dbtrust.engine.postgres.hiding import is_superuser
from dbtrust.judge.claims import Judged, Names, judge
from dbtrust.judge.grammar import Claim
from dbtrust.model.plan import Plan
from dbtrust.model.whatif import Index, Table
from dbtrust.queries.placeholders import BoundSql, bind_params
from dbtrust.stage.postgres import STATEMENT_TIMEOUT_MS, PostgresStage

#: Claims that only an executed plan can be judged by.
_EXECUTED = frozenset({"index_only", "examines", "reads"})


@dataclass(frozen=True, slots=True)
class Asked:
    """One example of the query (with one of its choices in place) as the server gets it."""

    label: str
    bound: BoundSql
    text: str
    values: tuple[Any, ...]

    def cast(self, number: int, type_name: str) -> Asked:
        """The same with `::type` behind the placeholder $number."""
        text = self.bound.text
        for at, length, _, _ in reversed(self.bound.edits):
            if text[at : at + length] == f"${number}":
                text = f"{text[: at + length]}::{type_name}{text[at + length :]}"
        return replace(self, text=self.text.replace(self.bound.text, text))


def asked_of(item: Parsed) -> list[Asked]:
    """Every example of a query that could be run."""
    found: list[Asked] = []
    for case in item.cases:
        if case.failure is None:
            bound = bind_params((case.query or item.query).sql)
            text = f"DECLARE dbtrust CURSOR FOR {bound.text}" if item.iterates else bound.text
            found.append(Asked(case.label, bound, text, case.values))
    return found


def needs_execution(claim: Claim) -> bool:
    """Is it about what a plan did and not only about its shape?"""
    return claim.kind in _EXECUTED or claim.index_only


class Lab:
    """Plans on one database that nobody else uses. Without `superuser` no index of a constraint can be hidden."""

    def __init__(
        self, stage: PostgresStage, database: str, names: Names, over: Callable[[], bool] = lambda: False
    ) -> None:
        self.database = database
        #: Is the time over that the whole run may take?
        self.over = over
        #: Names of indexes that were made here.
        self.made: set[str] = set()
        self._stage, self._names = stage, names
        self.connection = stage.scratch.admin(database)
        # Building an index may take longer than a query.
        self.connection.execute(
            "SELECT set_config('statement_timeout', %s, false)", [str(STATEMENT_TIMEOUT_MS * 10)]
        )
        admin = whatif.owner_of(stage.scratch.host.admin_url(database))
        owner = whatif.owner_of(stage.scratch.host.owner_url(database))
        self._role = owner if owner != admin else None
        self.superuser = is_superuser(self.connection)

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    @contextmanager
    def changed(
        self, statements: Sequence[str] = (), *, analyze: Iterable[whatif.Relation] = (),
        settings: Mapping[str, str] | None = None, hidden: Sequence[Index] = (),
    ) -> Generator[None]:  # fmt: skip
        """See engine.postgres.whatif.changed."""
        with whatif.changed(
            self.connection, statements=statements, analyze=analyze, settings=settings, hidden=hidden
        ):
            yield

    def plan(self, asked: Asked, *, analyze: bool = True, warm: bool = False) -> Plan:
        """The plan of one example; `warm` runs it once before, so that times and blocks compare."""
        if warm and analyze:
            self._plan(asked, analyze)
        return self._plan(asked, analyze)

    def _plan(self, asked: Asked, analyze: bool) -> Plan:
        return whatif.plan_as(
            self.connection, self._role, asked.text, asked.values,
            analyze=analyze, timeout_ms=STATEMENT_TIMEOUT_MS,
        )  # fmt: skip

    def judged(self, claim: Claim, asked: Asked) -> tuple[Judged, Plan]:
        """The claim over the plan of one example, executed only where the claim needs it."""
        plan = self.plan(asked, analyze=needs_execution(claim), warm=claim.kind == "reads")
        return self.judge(claim, plan), plan

    def judge(self, claim: Claim, plan: Plan) -> Judged:
        """The claim over a plan of this database, whose rows are those that it is about."""
        return judge(replace(claim, at=None), plan, self._known(claim))

    def _known(self, claim: Claim) -> Names:
        """The names of the project, and the index of the claim where it was made here."""
        if claim.index is None or claim.index.name not in self.made:
            return self._names
        made = (claim.index.schema or "", claim.index.name)
        return replace(self._names, indexes=self._names.indexes | {made})

    def relation_tables(self, plans: Iterable[Plan]) -> list[Table]:
        """The tables that plans read, partitions as their root."""
        found = {
            (n.root_schema or n.schema or "", n.root_relation or n.relation or "")
            for plan in plans
            for n in plan.nodes
            if n.relation and n.schema
        }
        return list(whatif.tables(self.connection, found).values())
