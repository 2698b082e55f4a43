"""The project's own tests, run against scratch copies with history and data."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import IO, Any

from dbtrust.checks.half import Half
from dbtrust.model.location import Location
from dbtrust.model.progress import Progress
from dbtrust.model.project import Config
from dbtrust.model.report import Problem, Verdict
from dbtrust.stage.command import start_command, wait_command

TIMEOUT_S = 900
_TAIL = 4_000


def judge_tests(config: Config, halves: Sequence[Half], progress: Progress) -> tuple[Verdict, Problem | None]:
    """tests.pass, and the problem where the command could not be started.

    The command runs in the project's folder with DBTRUST_POSTGRES and DBTRUST_MONGO; its exit code decides.
    """
    location = config.locations.get("project.tests", Location(config.file, 1, 1))
    absent = [half.engine for half in halves if not half.ready]
    if absent:
        said = f"no {absent[0]} to run the tests on"
        return _verdict(config, location, "unproved", said, "no_server"), None
    progress("running the project's tests")
    with ExitStack() as stack:
        urls = {f"DBTRUST_{half.engine.upper()}": stack.enter_context(half.tests_url()) for half in halves}
        return run_tests(config, urls)


def run_tests(
    config: Config, urls: dict[str, str], *, arguments: Sequence[str] = (), limit_s: float = TIMEOUT_S,
    started: Callable[[subprocess.Popen[bytes]], None] = lambda _: None,
) -> tuple[Verdict, Problem | None]:  # fmt: skip
    """The command with more arguments over these URLs by variable; `started` gets the process, which leads its group."""
    location = config.locations.get("project.tests", Location(config.file, 1, 1))
    config = replace(config, tests=(*config.tests, *arguments))
    with tempfile.TemporaryFile() as output:
        return _run(config, urls, output, location, limit_s, started)


def _run(
    config: Config, urls: dict[str, str], output: IO[bytes], location: Location, limit_s: float,
    started: Callable[[subprocess.Popen[bytes]], None],
) -> tuple[Verdict, Problem | None]:  # fmt: skip
    try:
        process = start_command(config, config.tests, urls, stdout=output, stderr=subprocess.STDOUT)
    except OSError as error:
        message = f"the tests command {config.tests[0]!r} does not start: {error.strerror}"
        problem = Problem(2, message, location, "mend [project] tests")
        return _verdict(config, location, "unproved", message, "missing_object"), problem
    began = time.monotonic()
    started(process)
    code = wait_command(process, limit_s)
    return _judge(config, location, code, _tail(output), time.monotonic() - began, limit_s), None


def _tail(output: IO[bytes]) -> str:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - _TAIL))
    return output.read().decode(errors="replace").strip()


def _judge(
    config: Config, location: Location, code: int | None, tail: str, seconds: float, limit_s: float
) -> Verdict:
    last = tail.splitlines()[-1].strip() if tail else "no output"
    evidence: dict[str, Any] = {"exit code": code, "seconds": round(seconds, 2), "output": tail}
    if code is None:
        return _verdict(
            config, location, "unproved", f"stopped after {limit_s:.0f} s: {last}", "timeout", evidence
        )
    if code == 0:
        return _verdict(config, location, "holds", last, "", evidence)
    return _verdict(config, location, "refuted", f"exit code {code}: {last}", "", evidence)


def _verdict(
    config: Config,
    location: Location,
    outcome: Any,
    message: str,
    reason: str,
    evidence: dict[str, Any] | None = None,
) -> Verdict:
    step = "" if outcome == "holds" else "see the output in the evidence" if evidence else "see the errors"
    return Verdict(
        "tests.pass", None, f"file:{config.file}", outcome, message, claim=" ".join(config.tests), reason=reason,
        next=step, evidence=evidence or {}, location=location,
    )  # fmt: skip
