"""What every benchmark shares: interleaved runs, medians, a table or one JSON object."""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

SRC = Path(__file__).resolve().parents[1] / "src"


def options(description: str | None) -> argparse.Namespace:
    """--quick ends within a minute, --json prints one object."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def cpu_of(command: Sequence[str]) -> float:
    """Seconds of CPU (user and system) that a command and its children take."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PYTHONPATH": str(SRC)}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


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
    if as_json:
        rows = [
            {
                "case": name.partition(": ")[2] or name,
                "tool": name.partition(": ")[0],
                "median": value,
                "unit": unit,
            }
            for name, value in medians.items()
        ]
        peers = {
            case: {pair.removeprefix("dbtrust / "): ratio for pair, ratio in pairs.items()}
            for case, pairs in ratios.items()
        }
        json.dump({"bench": bench, "versions": dict(versions), "rows": rows, "ratios": peers}, sys.stdout)
        return
    print(f"{bench} ({', '.join(f'{k} {v}' for k, v in versions.items())})")
    for name, value in medians.items():
        print(f"  {name:44} {value:9.4f} {unit}")
    for case, pairs in ratios.items():
        for pair, ratio in pairs.items():
            print(f"  {case}: {pair} {ratio:.2f}")
