"""Fails where too few lines or too few branches were run: each is checked, where coverage's own limit mixes them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

#: Percent.
LINES, BRANCHES = 90.0, 85.0


def percent(totals: dict[str, Any], covered: str, all_of: str) -> float:
    """How much of it was run; 100 where there is nothing to run."""
    return 100.0 * totals[covered] / totals[all_of] if totals[all_of] else 100.0


def worst(files: dict[str, Any], count: int) -> list[str]:
    """The files with the most lines and branches that were not run."""
    missing = {f: d["summary"]["missing_lines"] + d["summary"].get("missing_branches", 0) for f, d in files.items()}
    names = sorted(missing, key=lambda name: -missing[name])[:count]
    return [f"  {missing[name]:4} {name}" for name in names if missing[name]]


def main(file: str) -> int:
    """Reads what `coverage json` wrote; 1 where a limit is not met."""
    report = json.loads(Path(file).read_text(encoding="utf-8"))
    totals = report["totals"]
    lines = percent(totals, "covered_lines", "num_statements")
    branches = percent(totals, "covered_branches", "num_branches")
    print(f"coverage: lines {lines:.1f}% (at least {LINES:g}), branches {branches:.1f}% (at least {BRANCHES:g})")
    if lines >= LINES and branches >= BRANCHES:
        return 0
    print("lines and branches not run, by file:", *worst(report["files"], 15), sep="\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
