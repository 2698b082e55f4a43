"""One engine's half of a run: its server, what was judged there, and what could not be."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import TypeVar

from dbtrust.checks.absent import absent_verdicts
from dbtrust.checks.mutants import Lab
from dbtrust.checks.parse import Claims
from dbtrust.checks.select import Selection
from dbtrust.engine.runs import Run
from dbtrust.model.errors import DbtrustError, ServerError
from dbtrust.model.plan import Engine
from dbtrust.model.progress import Progress
from dbtrust.model.report import Finding, NotExamined, ServerInfo, Verdict
from dbtrust.source.project import Project

_T = TypeVar("_T")
#: What is judged of the declared files.
DECLARED = ("schema.applies", "schema.reapplies", "schema.matches_migrations")


class Half(ABC):
    """`judge` never raises a DbtrustError: what went wrong is in `errors`, what was judged in `verdicts`."""

    engine: Engine

    def __init__(
        self, project: Project, claims: Claims, selection: Selection, url: str | None, run: Callable[[], Run],
        stack: ExitStack, progress: Progress,
    ) -> None:  # fmt: skip
        self.project, self.claims, self.selection = project, claims, selection
        self.progress = progress
        self._url, self._run, self._stack = url, run, stack
        self.info: ServerInfo | None = None
        self.verdicts: list[Verdict] = []
        self.findings: list[Finding] = []
        self.not_examined: list[NotExamined] = []
        self.errors: list[DbtrustError] = []

    def judge(self) -> None:
        """Starts the server, keeps it until the run's end, and judges this engine's part of the project."""
        try:
            self.open()
            for part in self.parts():
                part()
        except DbtrustError as error:
            self._lost(error)
        except self.connection_errors() as error:
            message = f"the connection to the server was lost: {' '.join(str(error).split())[:200]}"
            self._lost(ServerError(message, next="look at the server's log and run again"))

    def _lost(self, error: DbtrustError) -> None:
        self.errors.append(error)
        self.info, self.verdicts, self.findings = None, [], []

    def unjudged(self, prefix: str, message: str, reason: str) -> list[Verdict]:
        """Everything of this engine whose check begins with `prefix` (claims count as query.), unproved."""
        prefixes = (prefix, "claim.") if prefix == "query." else (prefix,)
        verdicts = absent_verdicts(self.project, self.claims, self.engine, message=message, reason=reason)
        return [verdict for verdict in verdicts if verdict.check.startswith(prefixes)]

    def keep(self, context: AbstractContextManager[_T]) -> _T:
        """Enters a context that stays open until the end of the run (the tests still use the server)."""
        return self._stack.enter_context(context)

    @abstractmethod
    def open(self) -> None:
        """Starts or reaches the server and puts the project on it; sets `info`. Raises ServerError."""

    @abstractmethod
    def parts(self) -> list[Callable[[], None]]:
        """What is judged, in order; each adds to `verdicts` and `findings`."""

    @abstractmethod
    def connection_errors(self) -> tuple[type[Exception], ...]:
        """The driver's errors that mean a lost server."""

    @property
    @abstractmethod
    def trouble(self) -> str:
        """Why the half is not ready."""

    @abstractmethod
    def lab(self) -> Lab | None:
        """The mutants of this engine's schema, None where there is no schema; only of a half that is ready."""

    @property
    @abstractmethod
    def ready(self) -> bool:
        """Is there a database with the history to run the project's tests on?"""

    @abstractmethod
    def tests_url(self) -> AbstractContextManager[str]:
        """The URL of a scratch copy with history and data for the project's own tests."""
