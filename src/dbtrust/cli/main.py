"""The command `dbtrust`. This module imports nothing that costs time: `dbtrust --version` needs no more."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main() -> None:
    """The console script: ends the process with the exit code of the run."""
    import gc

    gc.set_threshold(100_000, 20, 20)  # imports leave no rubbish; looking for it took a tenth of a start
    code = run(sys.argv[1:])
    if sys.getprofile() is None and sys.gettrace() is None:
        _leave(code)
    sys.exit(code)


def _leave(code: int) -> None:
    """Ends the process as sys.exit does, without taking every module apart: that is a fifth of a short run.

    What was registered with atexit runs. Gives up, and returns, where a thread is left that has to be waited for.
    """
    import atexit
    import os
    import threading

    main_thread = threading.current_thread()
    if any(not thread.daemon for thread in threading.enumerate() if thread is not main_thread):
        return
    atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage]
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):  # closed by the caller or by the reader
            continue
    os._exit(code)


def run(arguments: Sequence[str]) -> int:
    """Runs one command line (without the program's name) and gives its exit code; never raises."""
    if list(arguments) == ["--version"]:
        from dbtrust import __version__

        print(f"dbtrust {__version__}")
        return 0
    from dbtrust.cli.frame import run_verb

    return run_verb(arguments)
