"""An Alembic project's revisions, run by its own Python on the database that the caller names."""

from __future__ import annotations

import json
import os
import select
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from dbtrust.engine.postgres.errors import condition
from dbtrust.engine.postgres.scripts import ScriptFailed
from dbtrust.model.errors import FAILED, DbtrustError
from dbtrust.model.location import Location
from dbtrust.model.project import Config, Script
from dbtrust.source.layouts.alembic import INI
from dbtrust.source.layouts.reading import Read, Reading
from dbtrust.stage.command import Command, start_command, wait_command

#: Seconds that one revision may take.
SECONDS = 150.0
_DRIVER = Path(__file__).parent / "programs" / "alembic_driver.py"


class EnvironmentFailed(DbtrustError):
    """The project's env.py, or what it needs, does not work here: nothing is said about its revisions."""

    code = FAILED
    #: In the middle of a run it is as little the revision's fault as a statement that took too long.
    timeout = True


class AlembicProgram:
    """One process for many revisions: imports are paid once. Used by one thread."""

    def __init__(self, root: Path, folder: str, python: str) -> None:
        self._root, self._folder, self._python = root, root / folder, python
        self._process: Command | None = None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 as long as the process

    def check(self, target: Mapping[str, str]) -> None:
        """Runs env.py without a revision. Raises EnvironmentFailed."""
        answer = self._ask({"target": dict(target), "revision": None, "half": "up", "file": ""})
        if (error := answer.get("error")) is not None:
            own = "dbtrust's own Python" if self._python == "python" else self._python
            step = f"it is run by {own}: install what it needs there, or set the variables that it reads"
            raise EnvironmentFailed(f"the project's env.py: {error['message']}", next=step)

    def run(
        self, revision: str, half: str, file: str, target: Mapping[str, str], *, text: str | None = None
    ) -> None:
        """One revision up or down, as its file or another `text` of it has it. Raises ScriptFailed at the line that failed."""
        path = os.path.realpath(self._root / file)
        asked = {"target": dict(target), "revision": revision, "half": half, "file": path, "text": text}
        answer = self._ask(asked)
        if (error := answer.get("error")) is not None:
            place = Location(file, error["line"] or 1, 1)
            timeout = error["sqlstate"] == "57014"
            raise ScriptFailed(
                _said(error), place, error["sqlstate"], timeout=timeout, raised=bool(error.get("raised"))
            )

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        if self._process is None:
            self._start()
        try:
            self._requests.write(json.dumps(request).encode() + b"\n")
            self._requests.flush()
            if not select.select([self._answers], [], [], SECONDS)[0]:
                self._stop()
                return {
                    "error": {"message": f"no answer in {SECONDS:.0f} s", "sqlstate": "57014", "line": None}
                }
            line = self._answers.readline()
        except OSError:
            line = b""
        if not line:
            raise EnvironmentFailed(
                f"the Alembic program ended: {self._tail()}", next="run alembic there by hand"
            )
        return json.loads(line)

    def _start(self) -> None:
        inner_requests, requests = os.pipe()
        answers, inner_answers = os.pipe()
        self._requests, self._answers = os.fdopen(requests, "wb"), os.fdopen(answers, "rb")
        file = INI if (self._folder / INI).is_file() else "pyproject.toml"
        arguments = [self._python, str(_DRIVER), str(inner_requests), str(inner_answers), file]
        try:
            self._process = start_command(
                Config(self._folder, "", ""), arguments, {}, stdout=self._log, stderr=self._log,
                pass_fds=(inner_requests, inner_answers),
            )  # fmt: skip
        except OSError as error:
            raise EnvironmentFailed(
                f"{self._python} cannot be run: {error.strerror}", next="mend the virtual environment"
            ) from error
        finally:
            os.close(inner_requests)
            os.close(inner_answers)

    def _tail(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def close(self) -> None:
        """Ends the process."""
        self._stop()
        self._log.close()

    def _stop(self) -> None:
        if self._process is not None:
            with suppress(OSError):  # a request that nobody read
                self._requests.close()
            self._answers.close()
            process, self._process = self._process, None
            wait_command(process, 2.0)


def _said(error: Mapping[str, Any]) -> str:
    code = error["sqlstate"]
    return f"{code} {condition(code)}".rstrip() + f": {error['message']}" if code else str(error["message"])


@contextmanager
def running(reading: Reading, root: Path) -> Generator[tuple[AlembicProgram, Reading]]:
    """The program of an Alembic history, and the history with scripts that run in it."""
    assert reading.program is not None
    program = AlembicProgram(root, reading.program, interpreter(root / reading.program, root))
    try:
        yield program, replace(reading, reads=[_bound(read, program) for read in reading.reads])
    finally:
        program.close()


def _bound(read: Read, program: AlembicProgram) -> Read:
    migration = read.migration

    def runs(script: Script | None, half: str) -> Script | None:
        run = partial(program.run, migration.number, half, read.files[0])
        return replace(script, run=run) if script is not None else None

    def other_down(text: str) -> Callable[[Mapping[str, str]], None]:
        return partial(program.run, migration.number, "down", read.files[0], text=text)

    up = runs(migration.up, "up")
    assert up is not None
    bound = replace(migration, up=replace(up, other_down=other_down), down=runs(migration.down, "down"))
    return replace(read, migration=bound)


def interpreter(folder: Path, root: Path) -> str:
    """The Python of the virtual environment beside the project, or above it up to `root`; else `python`, dbtrust's own."""
    place = folder
    while True:
        for name in (".venv", "venv", "env"):
            if (place / name / "pyvenv.cfg").is_file() and (
                python := place / name / "bin" / "python"
            ).exists():
                return str(python.absolute())
        if place == root or place == place.parent:
            return "python"
        place = place.parent
