"""What dbtrust costs before it does anything: CPU beside `python -c pass` and bare imports of the drivers.

Budgets: `dbtrust --version` at most 0.1 s of CPU above `python -c pass`; a command that does nothing (`check` of a
project without engines) at most 1.3 times importing the drivers.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from common import cpu_of, interleaved, options, show


def main() -> None:
    """Measures and prints."""
    asked = options(__doc__)
    python = sys.executable
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "dbtrust.toml").write_text('[project]\nname = "nothing"\n', encoding="utf-8")
        cases = {
            "python -c pass": [python, "-c", "pass"],
            "dbtrust --version": [python, "-m", "dbtrust", "--version"],
            "import psycopg, pymongo": [python, "-c", "import psycopg, pymongo, pydantic"],
            "dbtrust check (nothing)": [python, "-m", "dbtrust", "check", folder],
        }
        medians = interleaved(
            {name: lambda c=c: cpu_of(c) for name, c in cases.items()}, 5 if asked.quick else 15
        )
    above = medians["dbtrust --version"] - medians["python -c pass"]
    medians["dbtrust --version above python -c pass"] = above
    ratio = medians["dbtrust check (nothing)"] / medians["import psycopg, pymongo"]
    ratios = {"check (nothing)": {"dbtrust / import of the drivers and pydantic": ratio}}
    show("startup", {"python": sys.version.split()[0]}, medians, "s", ratios, as_json=asked.json)


if __name__ == "__main__":
    main()
