"""The command `dbtrust`. This module imports nothing that costs time: `dbtrust --version` needs no more."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main() -> None:
    """The console script: ends the process with the exit code of the run."""
    import gc

    gc.set_threshold(50_000, 20, 20)  # imports leave no rubbish; looking for it took a tenth of a start
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Runs one command line (without the program's name) and gives its exit code; never raises."""
    if list(arguments) == ["--version"]:
        from dbtrust import __version__

        print(f"dbtrust {__version__}")
        return 0
    from dbtrust.cli.frame import run_verb

    return run_verb(arguments)
