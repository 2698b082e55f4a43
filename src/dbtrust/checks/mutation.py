"""schema.mutation: every mutant against claims and proofs, what is left against the tests, and what would kill the rest."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Collection, Generator, Hashable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TypeVar

from dbtrust.checks.half import Half
from dbtrust.checks.mutants import Lab
from dbtrust.checks.tests import run_tests
from dbtrust.model.engine import Engine
from dbtrust.model.location import NOWHERE, Location
from dbtrust.model.mutants import Mutant
from dbtrust.model.progress import Progress
from dbtrust.model.project import Config
from dbtrust.model.report import Verdict
from dbtrust.schema.mutation import CHECK, NoEffect, Refused, Result, score, verdicts

_A = TypeVar("_A")
_B = TypeVar("_B")
#: A mutant may make the tests this many times as slow before they are stopped.
_SLOWER, _LEAST_S = 10.0, 30.0
#: So many survivors get a proof of rows; nobody writes more at once, and each takes a search.
_DETAILED = 500
_NOTHING = "the catalog is the same afterwards"


def judge_mutations(
    config: Config, halves: Sequence[Half], engines: Collection[str], progress: Progress,
    at_end: Callable[[Callable[[], None]], None],
) -> list[Verdict]:  # fmt: skip
    """The verdicts of every mutated object and the score; `engines` are those that --only names.

    `at_end` is given what ends the tests that still run, for an interruption.

    Raises DbtrustError, and the drivers' errors where a server is lost.
    """
    absent = [half for half in halves if not half.ready]
    notes = [f"nothing of {_NAMES[half.engine]} was mutated: {half.trouble}" for half in absent]
    with ExitStack() as stack:
        labs = [lab for half in halves if half.ready and (lab := half.lab()) is not None]
        for lab in labs:
            stack.callback(lab.close)
        run = _Run(config, {lab.engine: lab for lab in labs}, progress)
        at_end(run.stop)
        stack.callback(run.stop)
        whole = len(halves) == (config.postgres is not None) + (config.mongo is not None)
        results = run.judge(tests=whole and not absent)
    # A verdict of no engine is left out of a report on one.
    engine: Engine | None = halves[0].engine if engines and halves else None
    location = config.locations.get("project.name", Location(config.file, 1, 1))
    total = score(results, engine, f"file:{config.file}", location, [*notes, *run.notes])
    return [*verdicts(results, {}), total]


_NAMES = {"postgres": "PostgreSQL", "mongo": "MongoDB"}


@dataclass(slots=True)
class _Run:
    """One run over the mutants of all engines, with as many at a time as there are processors."""

    config: Config
    labs: dict[Engine, Lab]
    progress: Progress
    notes: list[str] = field(default_factory=list[str])
    workers: int = max(1, len(os.sched_getaffinity(0)))
    #: How long the tests may take with a mutant.
    limit_s: float = 0.0
    _processes: set[subprocess.Popen[bytes]] = field(default_factory=set[subprocess.Popen[bytes]])
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _done: int = 0
    _stopped: bool = False

    def judge(self, *, tests: bool) -> list[Result]:
        """Every mutant's fate; `tests`: the project's tests may be run."""
        mutants = [mutant for lab in self.labs.values() for mutant in lab.mutants]
        self.progress("what holds without a mutant")
        self._each(lambda lab: lab.baseline(), list(self.labs.values()))
        results = self._each(self._counted(self._kill, len(mutants), "mutant"), mutants)
        open_ = [r for r in results if r.fate == "survived"]
        if open_ and self.config.tests:
            results = _merged(results, self._by_tests(open_) if tests else _undecided(open_, _PARTLY))
        open_ = [r for r in results if r.fate == "survived"]
        asked = list(enumerate(open_))
        return _merged(results, self._each(self._counted(self._ready, len(open_), "survivor"), asked))

    def _counted(self, job: Callable[[_A], _B], count: int, word: str) -> Callable[[_A], _B]:
        self._done = 0

        def told(item: _A) -> _B:
            with self._lock:
                self._done += 1
                self.progress(f"{word} {self._done} of {count}")
            return job(item)

        return told

    def _each(self, job: Callable[[_A], _B], items: Sequence[_A]) -> list[_B]:
        """The job's results in the order of the items; the first error ends the rest."""
        with ThreadPoolExecutor(self.workers, thread_name_prefix="mutant") as pool:
            futures = [pool.submit(job, item) for item in items]
            try:
                for future in as_completed(futures):
                    future.result()
            except BaseException:
                self.stop()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
            return [future.result() for future in futures]

    def _kill(self, mutant: Mutant) -> Result:
        if mutant.equivalent:
            return Result(mutant, "equivalent", mutant.equivalent)
        try:
            by = self.labs[mutant.engine].kill(mutant)
        except NoEffect:
            return Result(mutant, "equivalent", _NOTHING)
        except Refused as refused:
            return Result(mutant, "equivalent", f"the server does not allow it: {refused}")
        return Result(mutant, "killed", by) if by else Result(mutant, "survived")

    def _ready(self, asked: tuple[int, Result]) -> Result:
        place, result = asked
        lab = self.labs[result.mutant.engine]
        return replace(result, ready=lab.ready(result.mutant, rows=place < _DETAILED))

    def _by_tests(self, open_: Sequence[Result]) -> list[Result]:
        """Survivors of claims and proofs against the tests, those that cannot meet at once."""
        if problem := self._baseline_tests():
            self.notes.append(problem)
            return _undecided(open_, problem)
        groups = self._groups(open_)
        found: list[Result] = []
        while groups:
            self.progress(f"the tests on {sum(map(len, groups))} mutants that no claim or proof noticed")
            failed: list[list[Result]] = []
            for group, passed in zip(groups, self._each(self._passes, groups), strict=True):
                if passed is None:
                    found += group
                elif len(group) == 1:
                    found.append(replace(group[0], fate="killed", by=f"tests: {passed}"))
                else:
                    middle = len(group) // 2
                    failed += [group[:middle], group[middle:]]
            groups = failed
        return found

    def _groups(self, open_: Sequence[Result]) -> list[list[Result]]:
        """Mutants that cannot hide each other share a run of the tests."""
        groups: list[tuple[str, set[Hashable], list[Result]]] = []
        for result in open_:
            engine = result.mutant.engine
            kind, things = self.labs[engine].lane(result.mutant)
            lane = f"{engine} {kind}"
            free = next((g for g in groups if g[0] == lane and things and g[1] and not things & g[1]), None)
            if free is None:
                groups.append((lane, set(things), [result]))
            else:
                free[1].update(things)
                free[2].append(result)
        return [members for _, _, members in groups]

    def _baseline_tests(self) -> str:
        """Why the tests cannot kill, "" where they pass; where they fail side by side they run one after another."""
        self.progress("the tests without a mutant")
        began = time.monotonic()
        self.limit_s = 10 * 60
        if (failed := self._tests(())) is not None:
            return f"the tests do not pass without a mutant, so they show nothing: {failed}"
        self.limit_s = max(_LEAST_S, _SLOWER * (time.monotonic() - began))
        if self.workers > 1 and any(f is not None for f in self._each(self._tests, [()] * self.workers)):
            self.workers = 1
            self.notes.append("the tests fail side by side, so they ran one after another")
        return ""

    def _passes(self, group: Sequence[Result]) -> str | None:
        """What the tests say of all these mutants at once, None where they pass."""
        try:
            return self._tests([result.mutant for result in group])
        except Refused as refused:
            # Two changes may get into each other's way: a dropped key takes its foreign keys with it.
            return str(refused)

    def _tests(self, mutants: Sequence[Mutant]) -> str | None:
        """The last line of failed tests on copies with these mutants, None where they pass."""
        with ExitStack() as stack:
            urls = {
                f"DBTRUST_{engine.upper()}": stack.enter_context(lab.tests_url([m for m in mutants if m.engine == engine]))
                for engine, lab in self.labs.items()
            }  # fmt: skip
            with self._process() as started:
                verdict, _ = run_tests(
                    self.config, urls, arguments=_stop_early(self.config.tests), limit_s=self.limit_s, started=started
                )  # fmt: skip
        return None if verdict.verdict == "holds" else verdict.message

    @contextmanager
    def _process(self) -> Generator[Callable[[subprocess.Popen[bytes]], None]]:
        """Knows the process while it runs, so that `stop` can end it."""
        mine: list[subprocess.Popen[bytes]] = []

        def started(process: subprocess.Popen[bytes]) -> None:
            mine.append(process)
            with self._lock:
                self._processes.add(process)
            if self._stopped:
                self.stop()

        try:
            yield started
        finally:
            with self._lock:
                self._processes.difference_update(mine)

    def stop(self) -> None:
        """Ends the tests that run, and those that are about to."""
        with self._lock:
            self._stopped = True
            running = list(self._processes)
        for process in running:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)


_PARTLY = "claims and proofs do not notice it; the tests need every engine of the project"


def _stop_early(command: Sequence[str]) -> tuple[str, ...]:
    """The argument with which pytest stops at the first failure."""
    return ("-x",) if "pytest" in {word.rpartition("/")[2] for word in command} else ()


def _undecided(results: Iterable[Result], why: str) -> list[Result]:
    return [replace(result, fate="unproved", by=why, reason="undecided") for result in results]


def _merged(results: Sequence[Result], changed: Sequence[Result]) -> list[Result]:
    """The results with those that changed in place of their first form."""
    new = {id(result.mutant): result for result in changed}
    return [new.get(id(result.mutant), result) for result in results]


def unjudged(config: Config, why: str) -> Verdict:
    """The one verdict of a run that could not be made."""
    return Verdict(
        CHECK, None, f"file:{config.file}", "unproved", why, reason="no_server", next="see the error above",
        location=config.locations.get("project.name", NOWHERE),
    )  # fmt: skip
