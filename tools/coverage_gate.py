"""Fails where fewer than 90% of the lines or 85% of the branches were run. Reads the data of `make test`."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

LINES, BRANCHES = 90.0, 85.0


def main() -> int:
    """Prints both shares, and the files that lack most where a gate fails; the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        command = [sys.executable, "-m", "coverage", "json", "-q", "-o", str(report)]
        subprocess.run(command, check=True)
        found = json.loads(report.read_text(encoding="utf-8"))
    totals = found["totals"]
    lines = 100 * totals["covered_lines"] / max(1, totals["num_statements"])
    branches = 100 * totals["covered_branches"] / max(1, totals["num_branches"])
    print(
        f"coverage: {lines:.1f}% of lines (at least {LINES:g}), {branches:.1f}% of branches (at least {BRANCHES:g})"
    )
    if lines >= LINES and branches >= BRANCHES:
        return 0
    files = sorted(found["files"].items(), key=lambda item: -item[1]["summary"]["missing_lines"])
    for name, data in files[:15]:
        summary = data["summary"]
        print(f"  {name}: {summary['missing_lines']} lines, {summary['missing_branches']} branches")
    return 1


if __name__ == "__main__":
    sys.exit(main())
