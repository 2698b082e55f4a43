"""One round of a crash test: a history is run to its end and back again, and killed on the way, seed by seed."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.crash.lab import Lab, State

from dbtrust.engine.waiting import await_true
from dbtrust.judge.catalog import diff
from dbtrust.model.ledger import Entry

Mode = Literal["runner", "server"]
ROOT = Path(__file__).resolve().parents[2]
#: A command that takes longer hangs, however busy the machine is.
SECONDS = 600.0
#: The number that `down --to` leaves: what it made stays.
FIRST = 1
#: A run is killed within this share of the whole time, so that one round holds several kills.
_STRETCH = 0.3
#: How often the command after a kill is left to end; else it is killed as well.
_MENDED = 0.7
#: What a server does for a runner that is surely at work: it changes something. Questions may belong to the start.
_IN_WORK = re.compile(
    r"after .*, in the transaction|in (?!(?:lock|ledger|select|show|set|list\w+|find|query|aggregate|hello|ping)\b)",
    re.I,
)


@dataclass(frozen=True)
class Kill:
    """Where a SIGKILL hit: the direction, the migration that was next or at work, its step, what the server did."""

    mode: Mode
    verb: str
    migration: int
    step: int
    doing: str
    #: Had the run begun a migration or a step, and was there something left to do? Not so where it hit the start, the
    #: wait for the lock, the first look at the ledger, or what comes after the last migration.
    inside: bool


@dataclass(frozen=True)
class Reference:
    """What uninterrupted runs leave, and how long they take."""

    top: State
    bottom: State
    #: Seconds of work, Python's start not counted.
    up_seconds: float
    down_seconds: float
    count: int


@dataclass
class Outcome:
    """All that happened in one round. `problems` is empty where dbtrust kept its word."""

    seed: int
    kills: list[Kill] = field(default_factory=list[Kill])
    #: A kill that came too late: the run had ended.
    missed: int = 0
    #: Commands after a kill that were left to end.
    finished: int = 0
    problems: list[str] = field(default_factory=list[str])


def command(lab: Lab, url: str, *words: str) -> list[str]:
    option = "--postgres" if lab.engine == "postgres" else "--mongo"
    return [sys.executable, "-m", "dbtrust", "migrate", *words, str(lab.folder), option, url, "-q"]


def start(argv: Sequence[str]) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DBTRUST_") or k == "DBTRUST_HOME"}
    return subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=ROOT
    )


def connected(process: subprocess.Popen[str]) -> bool:
    """Has the process opened a socket, or ended?"""
    try:
        links = Path(f"/proc/{process.pid}/fd").iterdir()
        return any(str(link.readlink()).startswith("socket:") for link in links)
    except FileNotFoundError:  # a descriptor that was closed meanwhile, or the process is gone
        return process.poll() is not None


def finish(process: subprocess.Popen[str], codes: Sequence[int]) -> str:
    """What is wrong with how a command ended; empty where nothing is."""
    try:
        said, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        said, _ = process.communicate()
        return f"hung for {SECONDS:.0f} s: {said}"
    if process.returncode not in codes:
        return f"exit {process.returncode}: {said}"
    return f"a traceback: {said}" if "Traceback" in said else ""


def timed(lab: Lab, url: str, *words: str) -> float:
    """Seconds of a command that must succeed."""
    started = time.perf_counter()
    problem = finish(start(command(lab, url, *words)), [0])
    assert not problem, problem
    return time.perf_counter() - started


def reference(lab: Lab) -> Reference:
    """Runs the history without interruption. The downs of the history must themselves be right."""
    name = f"reference_{lab.engine}"
    url = lab.fresh(name)
    start_up = timed(lab, url, "up", "--to", str(FIRST))
    first = lab.state(name)
    up = timed(lab, url, "up")
    top, count = lab.state(name), len(lab.entries(name))
    down = timed(lab, url, "down", "--to", str(FIRST))
    bottom = lab.state(name)
    lab.drop(name)
    assert not list(differences(first, bottom)), "the history's own downs are wrong"
    return Reference(top, bottom, max(0.1, up - start_up), max(0.1, down - start_up), count)


def differences(expected: State, found: State) -> Iterator[str]:
    """What of a state is not as it must be."""
    yield from (f"catalog: {d}" for d in diff(expected.catalog, found.catalog))
    for table in sorted({*expected.rows, *found.rows}):
        if expected.rows.get(table) != found.rows.get(table):
            yield f"rows of {table}: {found.rows.get(table)}, must be {expected.rows.get(table)}"
    yield from found.unfinished


class Round:
    """A database of its own; `chance` is that of another kill after each one, and the modes take turns."""

    def __init__(
        self, lab: Lab, known: Reference, seed: int, modes: Sequence[Mode], chance: float = 0.8
    ) -> None:
        self.lab, self.known, self.modes, self.chance = lab, known, modes, chance
        self.random = random.Random(seed)
        self.name = f"round_{lab.engine}_{seed}"
        self.outcome = Outcome(seed)

    def run(self) -> Outcome:
        url = self.lab.fresh(self.name)
        try:
            self._whole(url, "up", self.known.up_seconds, self.known.top, ["up"])
            if not self.outcome.problems:
                back = ["down", "--to", str(FIRST)]
                self._whole(url, "down", self.known.down_seconds, self.known.bottom, back)
        finally:
            self.lab.drop(self.name)
        return self.outcome

    def _whole(self, url: str, verb: str, seconds: float, expected: State, words: list[str]) -> None:
        """Kills until the dice say no more. After most kills the next command goes a little further, and must end."""
        while self._killed(url, verb, seconds, words) and self.random.random() < self.chance:
            if self.random.random() < _MENDED:
                self._check(url, verb, [verb, "--to", str(self._a_little_further(verb))])
        self._check(url, verb, words)
        if self.outcome.problems:
            return
        self.outcome.problems += [f"{verb}: {d}" for d in differences(expected, self.lab.state(self.name))]
        entries = self.lab.entries(self.name).values()
        wanted = self.known.count if verb == "up" else FIRST
        if len(entries) != wanted or any(entry.state != "done" for entry in entries):
            told = [(entry.written, entry.state) for entry in entries if entry.state != "done"]
            self.outcome.problems.append(f"{verb}: the ledger has {len(entries)} entries, not done: {told}")

    def _check(self, url: str, verb: str, words: list[str]) -> None:
        """The command after a kill simply ends well: no force, no unlock."""
        self.outcome.finished += 1
        if problem := finish(start(command(self.lab, url, *words)), [0]):
            last = self.outcome.kills[-1] if self.outcome.kills else None
            self.outcome.problems.append(f"{verb} after {last}: {problem}")

    def _a_little_further(self, verb: str) -> int:
        last = self.outcome.kills[-1].migration
        return min(last + 1, self.known.count) if verb == "up" else max(last - 2, FIRST)

    def _killed(self, url: str, verb: str, seconds: float, words: list[str]) -> bool:
        """One run with a kill in it; False where the run was over before, or something was wrong."""
        before = self.lab.entries(self.name)
        delay = self.random.random() * seconds * min(_STRETCH, self._left(before, verb))
        process = start(command(self.lab, url, *words))
        await_true(lambda: connected(process), SECONDS)
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            self._strike(process, verb, before)
            return not self.outcome.problems
        self.outcome.missed += 1
        if problem := finish(process, [0]):
            self.outcome.problems.append(f"{verb}: {problem}")
        return False

    def _left(self, entries: Mapping[int, Entry], verb: str) -> float:
        """The share of the history that is still to run."""
        done = sum(entry.state == "done" for entry in entries.values())
        share = done / self.known.count
        return 1 - share if verb == "up" else share

    def _strike(self, process: subprocess.Popen[str], verb: str, before: Mapping[int, Entry]) -> None:
        doing, mode = self.lab.doing(self.name), self.modes[len(self.outcome.kills) % len(self.modes)]
        if mode == "runner":
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
        else:
            self.lab.crash()
            # A driver may get over the restart and go on; else the server is lost, exit 3.
            if problem := finish(process, [0, 3]):
                self.outcome.problems.append(f"{verb} with its server killed in {doing}: {problem}")
        self.outcome.kills.append(self._kill(mode, verb, doing, before))

    def _kill(self, mode: Mode, verb: str, doing: str, before: Mapping[int, Entry]) -> Kill:
        entries = self.lab.entries(self.name)
        open_ones = [entry for entry in entries.values() if entry.state != "done"]
        begun = bool(_IN_WORK.match(doing)) or entries != before
        left = bool(open_ones) or len(entries) != (self.known.count if verb == "up" else FIRST)
        if open_ones:
            entry = open_ones[0]
            step = next((s.step for s in entry.steps if s.state != "done"), 0)
            return Kill(mode, verb, entry.number, step, doing, begun and left)
        last = max(entries, default=0)
        return Kill(mode, verb, last + 1 if verb == "up" else last, 0, doing, begun and left)


def histogram(kills: Sequence[Kill]) -> Iterator[str]:
    """Lines: where the kills hit, by migration and step, then by what the server was doing."""
    at_work = [kill for kill in kills if kill.inside]
    yield f"  {len(kills) - len(at_work)} kills hit no work (a start, the lock, the end); the others:"
    for title, key in (
        ("by migration", lambda k: f"{k.verb:4} {k.migration:04d}" + (f" step {k.step}" if k.step else "")),
        ("by what the server did", lambda k: f"{k.mode} killed, {k.doing}"),
    ):
        yield f"  kill points {title}:"
        counts = Counter(key(kill) for kill in at_work)
        yield from (f"    {count:4}  {'#' * count} {point}" for point, count in sorted(counts.items()))
