"""python -m tests.monitor.workload [postgres|mongo]: every fault, the control after each, and a table for each engine."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.monitor.workload import mongo, postgres
from tests.monitor.workload.asking import Outcome, table

from dbtrust.engine.runs import Run

_ENGINES: dict[str, tuple[str, Any]] = {"postgres": ("PostgreSQL", postgres), "mongo": ("MongoDB", mongo)}


def _run(name: str, engine: Any, folder: Path) -> tuple[list[Outcome], list[str]]:
    """Every fault of an engine, and what was flagged on the control before, between and after them."""
    outcomes: list[Outcome] = []
    with Run() as run, engine.control(run, folder) as server:
        flagged = _control(server, name)
        for fault in engine.FAULTS:
            outcomes.append(engine.outcome(server, fault))
            print(f"{fault.name}: {outcomes[-1].place or outcomes[-1].told.text}", file=sys.stderr)
            flagged += _control(server, f"after: {fault.name}")
    return outcomes, flagged


def _control(server: Any, when: str) -> list[str]:
    """What is flagged on the healthy server, counted from now on."""
    since = server.before()
    server.work(400)
    told = server.ask(since=since)
    return [f"{when}: {rule} {subject}" for rule, subject in {*told.live, *told.text}]


def main(chosen: Sequence[str]) -> int:
    """1 where a fault is not found first or second, or something is flagged on a control."""
    bad = False
    for key in chosen or _ENGINES:
        name, engine = _ENGINES[key]
        with tempfile.TemporaryDirectory() as folder:
            outcomes, flagged = _run(name, engine, Path(folder))
        print(
            table(name, outcomes),
            f"\nflagged on the healthy control in {len(outcomes) + 1} looks: {flagged or 'nothing'}\n",
        )
        bad = bad or bool(flagged) or not all(outcome.fine for outcome in outcomes)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
