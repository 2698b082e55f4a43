"""One engine's half of a run: its server, what was judged there, and what could not be."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import TypeVar

from dbtrust.checks.absent import absent_verdicts
from dbtrust.checks.mutants import Lab
from dbtrust.checks.parse import Claims
from dbtrust.checks.select import Selection
from dbtrust.claims.baseline import Observed
from dbtrust.engine.runs import Run
from dbtrust.judge.claims import Names
from dbtrust.model.engine import Engine
from dbtrust.model.errors import DbtrustError, ServerError
from dbtrust.model.progress import Progress
from dbtrust.model.report import Finding, NotExamined, ServerInfo, Verdict
from dbtrust.source.project import Project

_T = TypeVar("_T")
#: What is judged of the declared files.
DECLARED = ("schema.applies", "schema.reapplies", "schema.matches_migrations")


class Half(ABC):
    """`judge` never raises a DbtrustError: what went wrong is in `errors`, what was judged in `verdicts`."""

    engine: Engine
    #: May EXPLAIN execute on a database that is not ours?
    analyze: bool = False

    def __init__(
        self, project: Project, claims: Claims, selection: Selection, url: str | None, run: Callable[[], Run],
        stack: ExitStack, progress: Progress,
    ) -> None:  # fmt: skip
        self.project, self.claims, self.selection = project, claims, selection
        self.progress = progress
        self._url, self._run, self._stack = url, run, stack
        self.info: ServerInfo | None = None
        self.lost = False
        self.verdicts: list[Verdict] = []
        self.findings: list[Finding] = []
        self.observed: list[Observed] = []
        self.names = Names()
        self.not_examined: list[NotExamined] = []
        self.errors: list[DbtrustError] = []

    def judge(self) -> None:
        """Starts the server, keeps it until the run's end, and judges this engine's part of the project."""
        self._with_server(self.parts)

    def take(self, wanted: Callable[[str], bool]) -> None:
        """Fills `observed` with the queries that are wanted (by subject), for their baselines; judges nothing."""
        self._with_server(lambda: [lambda: self.observed.extend(self.sample(wanted))])

    def _with_server(self, parts: Callable[[], Sequence[Callable[[], None]]]) -> None:
        try:
            self.open()
            for part in parts():
                part()
        except DbtrustError as error:
            self._lost(error)
        except self.connection_errors() as error:
            message = f"the connection to the server was lost: {' '.join(str(error).split())[:200]}"
            self._lost(ServerError(message, next="look at the server's log and run again"))

    def _lost(self, error: DbtrustError) -> None:
        """Keeps what was judged before; the rest is unproved. A server that was never there is none (`info`)."""
        self.errors.append(error)
        self.lost, self.observed = True, []
        if self.info is None:
            return
        judged = {(v.check, v.subject, v.claim) for v in self.verdicts}
        missing = absent_verdicts(
            self.project, self.claims, self.engine, message="the server was lost", reason="no_server"
        )
        self.verdicts += [v for v in missing if (v.check, v.subject, v.claim) not in judged]

    def unjudged(self, prefix: str, message: str, reason: str) -> list[Verdict]:
        """Everything of this engine whose check begins with `prefix` (claims count as query.), unproved."""
        prefixes = (prefix, "claim.") if prefix == "query." else (prefix,)
        verdicts = absent_verdicts(self.project, self.claims, self.engine, message=message, reason=reason)
        return [verdict for verdict in verdicts if verdict.check.startswith(prefixes)]

    def keep(self, context: AbstractContextManager[_T]) -> _T:
        """Enters a context that stays open until the end of the run (the tests still use the server)."""
        return self._stack.enter_context(context)

    def abandon(self) -> None:
        """Ctrl-C, from another thread: what waits for a server that outlives the run is to stop soon."""
        self.lost = True

    @abstractmethod
    def open(self) -> None:
        """Starts or reaches the server and puts the project on it; sets `info`. Raises ServerError."""

    @abstractmethod
    def parts(self) -> list[Callable[[], None]]:
        """What is judged, in order; each adds to `verdicts` and `findings`."""

    @abstractmethod
    def sample(self, wanted: Callable[[str], bool]) -> list[Observed]:
        """What the wanted queries do, over as many samples as a baseline needs."""

    @abstractmethod
    def connection_errors(self) -> tuple[type[Exception], ...]:
        """The driver's errors that mean a lost server."""

    @property
    def trouble(self) -> str:
        """Why the half is not ready."""
        return "nothing is written to a database that is not ours"

    def lab(self) -> Lab | None:
        """The mutants of this engine's schema, None where there is no schema; only of a half that is ready."""
        return None

    @property
    @abstractmethod
    def ready(self) -> bool:
        """Is there a database with the history to run the project's tests on?"""

    @abstractmethod
    def tests_url(self) -> AbstractContextManager[str]:
        """The URL of a scratch copy with history and data for the project's own tests."""
