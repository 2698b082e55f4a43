"""Queries and claims on databases that are not ours, named by an option of `claims`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from dbtrust.checks.half import Half
from dbtrust.checks.mutants import Lab
from dbtrust.claims.baseline import Observed
from dbtrust.model.report import NotExamined, Verdict


class LiveHalf(Half):
    """With `analyze` statements that read are executed by EXPLAIN; else nothing of the project runs there."""

    def parts(self) -> list[Callable[[], None]]:
        return [self._queries, self._left_out]

    def _queries(self) -> None:
        if self.selection.wants("query.prepares", "claim."):
            self.progress("explaining the queries on the target")
            self.verdicts += self.judged()

    def judged(self) -> list[Verdict]:
        """query.prepares and claim.* of every query."""
        raise NotImplementedError

    def sample(self, wanted: Callable[[str], bool]) -> list[Observed]:
        """A baseline is of the project's own data."""
        return []

    def _left_out(self) -> None:
        label = "PostgreSQL" if self.engine == "postgres" else "MongoDB"
        if self.project.baselines.get(self.engine) and self.selection.wants("claim.baseline"):
            needs = f"the project's own data: dbtrust claims without --{self.engine}, or dbtrust check"
            self.not_examined.append(NotExamined(f"baselines of the {label} queries", needs))
        if self.selection.wants("contract."):
            what = f"contracts of the {label} queries"
            needs = f"a copy to try rows on: dbtrust claims without --{self.engine}, or dbtrust check"
            self.not_examined.append(NotExamined(what, needs))

    @property
    def ready(self) -> bool:
        return False

    @property
    def trouble(self) -> str:
        return "it is a database that is not ours"

    def lab(self) -> Lab | None:
        """Nothing is mutated on a database that is not ours."""
        return None

    def tests_url(self) -> AbstractContextManager[str]:
        """The project's tests never run on a database that is not ours: `ready` is never true."""
        return nullcontext("")
