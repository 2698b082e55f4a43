"""Writes docs/benchmarks.md from the JSON of the benches: `python bench/pages.py [--quick] [--resume] [NAME ...]`.

Each bench is run with --json and its object kept in bench/results/NAME.json; the page is made of all that is there,
so a bench can be run again by itself. Nothing on the page is written by hand.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
PAGE = HERE.parent / "docs" / "benchmarks.md"
BENCHES = (
    "startup", "migrate", "prove", "queries", "claims", "loading", "baseline_stability", "mutation", "snapshot",
    "snapshot_mongo",
)  # fmt: skip
RESUMABLE = ("prove",)
HEAD = """# Benchmarks

Made by `python bench/pages.py`; do not edit. The figures of a section are from one run, on the day that it names, of the
command that it names; `bench/results` keeps them as JSON. Tools take turns, figures are medians, and only the ratios
travel to another machine. "CPU" is that of the client. A ratio is dbtrust over the other tool: below 1 dbtrust took less.
A load above the number of CPUs says that the machine was busy with other work: then wall times say little.
"""


def run(name: str, *, quick: bool, resume: bool) -> None:
    """Runs one bench and keeps its object."""
    argv = [sys.executable, str(HERE / f"{name}.py"), "--json", *(["--quick"] if quick else [])]
    argv += ["--resume"] if resume and name in RESUMABLE else []
    started, load = time.perf_counter(), os.getloadavg()[0]
    done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True)
    found = {
        "command": f"python bench/{name}.py{' --quick' if quick else ''}",
        "date": datetime.now(UTC).date().isoformat(),
        "seconds": round(time.perf_counter() - started),
        "load": round(load, 1),
        "cpus": os.cpu_count(),
        **json.loads(done.stdout),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for name in BENCHES:
        file = RESULTS / f"{name}.json"
        if file.exists():
            parts.append("\n".join(section(json.loads(file.read_text(encoding="utf-8")))))
    return "\n".join(parts)


def section(found: Mapping[str, Any]) -> Iterator[str]:
    """One bench: its docstring's first paragraph, the versions, the figures, the ratios, what is told of single cases."""
    yield f"## {found['bench']}\n"
    yield f"{_about(found['bench'])}\n"
    when = f"{found['date']}, {found['seconds']} s, {found['cpus']} CPUs with a load of {found['load']} before it"
    versions = ", ".join(f"{k} {v}" for k, v in found["versions"].items())
    yield f"`{found['command']}` ({when}): {versions}\n"
    yield from _figures(found["rows"])
    if found["ratios"]:
        yield "\n| case | against | ratio |\n|---|---|---:|"
        for case, pairs in found["ratios"].items():
            yield from (f"| {case} | {peer} | {ratio:.2f} |" for peer, ratio in pairs.items())
    if notes := found.get("notes"):
        yield ""
        yield from (f"- {note}" for note in notes)
    yield ""


def _figures(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A line for each case and a column for each tool; lines without tools where each case is a tool's own."""
    tools = list(dict.fromkeys(row["tool"] for row in rows))
    cases = list(dict.fromkeys((row["case"], row["unit"]) for row in rows))
    if len(cases) == len(rows):
        yield "| case | tool | figure |\n|---|---|---:|"
        yield from (f"| {row['case']} | {row['tool']} | {_figure(row)} |" for row in rows)
        return
    found = {(row["case"], row["unit"], row["tool"]): row for row in rows}
    yield f"| case | {' | '.join(tools)} |\n|---|{'---:|' * len(tools)}"
    for case, unit in cases:
        cells = (found.get((case, unit, tool)) for tool in tools)
        yield f"| {case} | {' | '.join(_figure(row) if row else '' for row in cells)} |"


def _figure(row: Mapping[str, Any]) -> str:
    """Four digits, or all of them where a number is whole."""
    value = row["median"]
    return f"{f'{value:,.0f}' if value >= 1000 or value == int(value) else f'{value:.4g}'} {row['unit']}"


def _about(name: str) -> str:
    source = (HERE / f"{name}.py").read_text(encoding="utf-8")
    return source.split('"""')[1].split("\n\n")[0].replace("\n", " ").strip()


def main() -> None:
    """Runs what is asked for, and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--keep", action="store_true", help="run nothing: only write the page again")
    parser.add_argument("--resume", action="store_true", help="prove: go on with a run that was interrupted")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"default: {' '.join(BENCHES)}")
    asked = parser.parse_args()
    for name in [] if asked.keep else asked.names or BENCHES:
        run(name, quick=asked.quick, resume=asked.resume)
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
