"""What every benchmark shares: interleaved runs, medians, a table or one JSON object."""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

SRC = Path(__file__).resolve().parents[1] / "src"


def options(description: str | None, **flags: str) -> argparse.Namespace:
    """--quick ends within a minute, --json prints one object; `flags` are a bench's own, with their help."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    for name, said in flags.items():
        parser.add_argument(f"--{name}", action="store_true", help=said)
    return parser.parse_args()


def compiled(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a user whose Python keeps compiled modules: else every start would compile dbtrust anew."""
    return {name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}


def cpu_of(command: Sequence[str]) -> float:
    """Seconds of CPU (user and system) that a command and its children take."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**compiled(os.environ), "PYTHONPATH": str(SRC)}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


class Cost(NamedTuple):
    """What one command took: CPU of its process and its children, wall time, and the largest resident size in MB."""

    cpu: float
    wall: float
    memory: float


#: Runs the command and tells its usage: a small process between, for a fork begins with its parent's memory.
_BETWEEN = """
import os, sys, time
started = time.perf_counter()
_, status, used = os.wait4(os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ), 0)
with open(sys.argv[1], "w") as out:
    print(used.ru_utime + used.ru_stime, time.perf_counter() - started, used.ru_maxrss / 1024, file=out)
sys.exit(os.waitstatus_to_exitcode(status))
"""


class Ran(NamedTuple):
    """A command that ended: its cost, its exit code, and what it wrote to standard output and standard error."""

    cost: Cost
    code: int
    output: str
    errors: str


def ran(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, seconds: float | None = None
) -> Ran | None:
    """Runs a command, whatever its exit code; None where it took longer than `seconds`: all of it is ended then."""
    with tempfile.NamedTemporaryFile() as told:
        between = [sys.executable, "-I", "-S", "-c", _BETWEEN, told.name, *command]
        process = subprocess.Popen(
            between, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=compiled(environment),
            cwd=folder, start_new_session=True,
        )  # fmt: skip
        try:
            output, errors = process.communicate(timeout=seconds)
        except BaseException as error:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            if isinstance(error, subprocess.TimeoutExpired):
                return None
            raise
        return Ran(Cost(*map(float, told.read().split())), process.returncode, output, errors)


def cost_of(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Cost:
    """Runs a command that must succeed. Raises CalledProcessError with what it said."""
    found = ran(command, environment, folder)
    assert found is not None
    if found.code:
        raise subprocess.CalledProcessError(found.code, command, found.output + found.errors)
    return found.cost


def interleaved(cases: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The median of each case; the cases take turns, so that a slow moment meets all of them."""
    found: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, measure in cases.items():
            found[name].append(measure())
    return {name: statistics.median(values) for name, values in found.items()}


def show(
    bench: str,
    versions: Mapping[str, str],
    medians: Mapping[str, float],
    unit: str,
    ratios: Mapping[str, Mapping[str, float]],
    *,
    as_json: bool,
) -> None:
    """Prints the result. `medians` has "tool: case", `ratios` maps a case to {"dbtrust / peer": ratio}."""
    rows = [
        Row(name.partition(": ")[2] or name, name.partition(": ")[0], v, unit) for name, v in medians.items()
    ]
    show_rows(bench, versions, rows, ratios, as_json=as_json)


class Row(NamedTuple):
    """One figure of one tool in one case."""

    case: str
    tool: str
    median: float
    unit: str


def show_rows(
    bench: str,
    versions: Mapping[str, str],
    rows: Sequence[Row],
    ratios: Mapping[str, Mapping[str, float]],
    *,
    as_json: bool,
    more: Mapping[str, Any] = {},
) -> None:
    """`show` where the rows have units of their own. `ratios` maps a case to {"dbtrust / peer": ratio}.

    `more` goes into the JSON only.
    """
    if as_json:
        peers = {
            case: {pair.removeprefix("dbtrust / "): ratio for pair, ratio in pairs.items()}
            for case, pairs in ratios.items()
        }
        found = [row._asdict() for row in rows]
        json.dump(
            {"bench": bench, "versions": dict(versions), "rows": found, "ratios": peers, **more}, sys.stdout
        )
        return
    print(f"{bench} ({', '.join(f'{k} {v}' for k, v in versions.items())})")
    for row in rows:
        name = row.case if row.case == row.tool else f"{row.tool}: {row.case}"
        print(f"  {name:44} {row.median:9.4f} {row.unit}")
    for case, pairs in ratios.items():
        for pair, ratio in pairs.items():
            print(f"  {case}: {pair} {ratio:.2f}")
