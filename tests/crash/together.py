"""Many runners at once on one database, and a runner that sleeps past its lease."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress

from tests.crash.lab import Lab, State
from tests.crash.rounds import ROOT, SECONDS, command, differences, finish, start

from dbtrust.engine.waiting import await_true
from dbtrust.model.plan import Engine

#: As far as the runs go that only one of many may do.
PART = 12
#: A runner of PostgreSQL that holds a lease, as behind a pooler, and one of so many seconds.
LEASED = """
import sys
from pathlib import Path
from dbtrust.migrate.flow import up
from dbtrust.migrate.runner_postgres import PostgresRunner
from dbtrust.migrate.session import Asked, opened
from dbtrust.source.config import load_config

url, folder = sys.argv[1], Path(sys.argv[2])
with opened(load_config(folder), Asked({"postgres": url})) as session:
    runner = PostgresRunner(url, root=folder, lock_wait=60, mode="lease", lease_seconds=2)
    session.runners["postgres"] = runner
    up(session)
    runner.close()
report = session.report()
print([v.message for v in report.verdicts if v.verdict != "holds"], [p.message for p in report.errors])
sys.exit(report.exit_code)
"""


def alone(lab: Lab) -> State:
    """What one runner leaves."""
    name = f"alone_{lab.engine}"
    lab.drop(name)
    url = lab.fresh(name)
    problem = finish(start(command(lab, url, "up", "--to", str(PART))), [0])
    assert not problem, problem
    state = lab.state(name)
    lab.drop(name)
    return state


def together(lab: Lab, expected: State, runners: int, turn: int) -> Iterator[str]:
    """What is wrong after so many runners began at the same moment."""
    name = f"together_{lab.engine}_{turn}"
    url = lab.fresh(name)
    argv = [*command(lab, url, "up", "--to", str(PART)), "--format", "json"]
    processes = [start(argv) for _ in range(runners)]
    applied: list[str] = []
    for process in processes:
        said, _ = process.communicate(timeout=SECONDS * 2)
        if process.returncode != 0:
            yield f"exit {process.returncode}: {said}"
        else:
            applied += [v["subject"] for v in json.loads(said)["verdicts"] if v["verdict"] == "holds"]
    if len(applied) != PART or len(set(applied)) != PART:
        yield f"applied, over all runners: {sorted(applied)}"
    yield from differences(expected, lab.state(name))
    lab.drop(name)


def paused(lab: Lab, expire: Callable[[str], None], expected: State) -> Iterator[str]:
    """What is wrong when a runner is stopped in its work, another takes over, and the first one wakes up."""
    name = f"paused_{lab.engine}"
    url = lab.fresh(name)
    first = _slow(lab.engine, lab, url)
    try:
        assert await_true(lambda: len(_entries(lab, name)) >= 2 or first.poll() is not None, SECONDS)
        os.kill(first.pid, signal.SIGSTOP)
        if len(_entries(lab, name)) >= PART:
            yield "it was too fast to be paused"
        expire(name)
        if problem := finish(_slow(lab.engine, lab, url), [0]):
            yield f"the second runner: {problem}"
    finally:
        os.kill(first.pid, signal.SIGCONT)
    said, _ = first.communicate(timeout=SECONDS)
    if first.returncode != 1 or not ("took over" in said or "lost the lock" in said):
        yield f"the first runner did not lose: exit {first.returncode}: {said}"
    yield from differences(expected, lab.state(name))
    lab.drop(name)


def _slow(engine: Engine, lab: Lab, url: str) -> subprocess.Popen[str]:
    if engine == "mongo":
        return start(command(lab, url, "up", "--to", str(PART)))
    return start(
        [
            sys.executable,
            "-c",
            LEASED.replace("up(session)", f'up(session, to="{PART}")'),
            url,
            str(lab.folder),
        ]
    )


def _entries(lab: Lab, name: str) -> dict[int, object]:
    with suppress(Exception):  # the database of a run that has just begun
        return dict(lab.entries(name))
    return {}


__all__ = ["PART", "ROOT", "alone", "paused", "together"]
