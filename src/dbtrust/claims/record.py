"""`claims record`: run a command against embedded servers, collect what it sends, and draft claims about it."""

from __future__ import annotations

import difflib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from dbtrust.engine.runs import Run
from dbtrust.judge.toml_edit import add_table, add_to_list
from dbtrust.model.engine import Engine
from dbtrust.model.errors import ConfigError
from dbtrust.model.location import Location
from dbtrust.model.progress import Progress
from dbtrust.model.project import Config
from dbtrust.model.recorded import Drafted
from dbtrust.model.starter import Starter
from dbtrust.source.config import find_config
from dbtrust.source.modules import project_path
from dbtrust.source.project import Project, read_project
from dbtrust.source.text import read_text
from dbtrust.stage.command import start_command, wait_command

#: `with show() as progress:` around everything but the command itself, whose output has the terminal.
Show = Callable[[], AbstractContextManager[Progress]]
_MONGO_CLASS = "recorded.mongo:RecordedQueries"


class Recorder(Protocol):
    """One engine: a server that records (made by its constructor), and the file that comes of it."""

    engine: Engine
    file: str
    version: str

    def running(self) -> AbstractContextManager[str]: ...
    def starters(self, progress: Progress) -> list[Starter]: ...
    def keep_starters(self, keep: bool) -> None: ...
    def rehearsing(self) -> AbstractContextManager[str]: ...
    def draft(self, old: str, progress: Progress) -> Drafted: ...


@dataclass(frozen=True, slots=True)
class Change:
    """A file of the project (relative) as it is and as it should be; `old` is empty where it is not there."""

    file: str
    old: str
    new: str

    @property
    def diff(self) -> str:
        """A unified diff; empty where nothing changes."""
        before, after = self.old.splitlines(keepends=True), self.new.splitlines(keepends=True)
        start = f"a/{self.file}" if self.old else "/dev/null"
        lines = difflib.unified_diff(before, after, start, f"b/{self.file}")
        return "".join(
            line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines
        )


@dataclass(slots=True)
class Recorded:
    """What one run found. `exit_code` is the command's (negative: the signal that ended it)."""

    project: str
    command: tuple[str, ...]
    exit_code: int = 0
    servers: dict[str, str] = field(default_factory=dict[str, str])
    drafted: list[Drafted] = field(default_factory=list[Drafted])
    changes: list[Change] = field(default_factory=list[Change])
    starters: list[Starter] = field(default_factory=list[Starter])


def record(
    config: Config, command: Sequence[str], engines: Sequence[Engine], show: Show, *, rows: bool = True
) -> Recorded:
    """Runs the command (the project's tests where it is empty) and drafts the files; writes nothing.

    `rows`: tables that it reads and that have neither rows nor a generator get a starter.

    Raises ConfigError, ServerError, and the errors of the project's own files.
    """
    command = tuple(command) or config.tests
    wanted = _wanted(config, engines)
    if not command:
        step = "write `-- COMMAND` behind it, or set [project] tests"
        raise ConfigError("there is no command to record", location=Location(config.file, 1, 1), next=step)
    found = Recorded(config.name, command)
    with project_path(config), Run() as run, ExitStack() as stack:
        with show() as progress:
            project = _readable(config)
            recorders = [_recorder(engine, project, run, stack, progress) for engine in wanted]
        found.servers = {r.engine: r.version for r in recorders}
        found.exit_code = _run(config, command, [(r.engine, r.running()) for r in recorders])
        if rows and found.exit_code == 0:
            found.starters = _starters(config, command, recorders, show)
        with show() as progress:
            for recorder in recorders:
                old = _old(config, recorder.file)
                found.drafted.append(recorder.draft(old, progress))
                found.changes.append(Change(recorder.file, old, found.drafted[-1].text))
    found.changes += [Change(one.file, _old(config, one.file), one.text) for one in found.starters]
    found.changes = [change for change in found.changes if change.old != change.new]
    found.changes += _config_change(config, found)
    return found


def _wanted(config: Config, engines: Sequence[Engine]) -> list[Engine]:
    there: dict[Engine, bool] = {"postgres": config.postgres is not None, "mongo": config.mongo is not None}
    wanted: list[Engine] = [
        engine for engine, is_there in there.items() if is_there and (not engines or engine in engines)
    ]
    if not wanted:
        step = "add [postgres] or [mongo] with the schema, the migrations or the collections to start from"
        raise ConfigError(
            "the project names no database to record", location=Location(config.file, 1, 1), next=step
        )
    return wanted


def _readable(config: Config) -> Project:
    """The project; files that are about to be recorded for the first time may be missing. Raises its first error."""
    project = read_project(config)
    missing = {config.locations.get(key) for key in ("postgres.queries", "mongo.queries")}
    for error in project.errors:
        if not (isinstance(error, ConfigError) and error.location in missing):
            raise error
    return project


def _recorder(engine: Engine, project: Project, run: Run, stack: ExitStack, progress: Progress) -> Recorder:
    """Imports an engine's driver only when that engine is recorded."""
    if engine == "postgres":
        from dbtrust.claims.record_postgres import PostgresRecorder as Chosen
    else:
        from dbtrust.claims.record_mongo import MongoRecorder as Chosen
    return Chosen(project, run, stack, progress)


def _starters(
    config: Config, command: Sequence[str], recorders: Sequence[Recorder], show: Show
) -> list[Starter]:
    """Rows for empty tables, as long as the project's tests (else the command) succeed over them, too."""
    with show() as progress:
        found = [one for recorder in recorders for one in recorder.starters(progress)]
    if not found:
        return []
    again = config.tests or command
    keep = _run(config, again, [(r.engine, r.rehearsing()) for r in recorders]) == 0
    for recorder in recorders:
        recorder.keep_starters(keep)
    return found if keep else []


def _run(
    config: Config, command: Sequence[str], urls: Sequence[tuple[Engine, AbstractContextManager[str]]]
) -> int:
    """Its exit code. Everything that it prints goes to stderr: stdout is the diff's."""
    with ExitStack() as stack:
        variables = {f"DBTRUST_{engine.upper()}": stack.enter_context(url) for engine, url in urls}
        stream = (
            sys.__stderr__ if sys.__stderr__ is not None and not sys.__stderr__.closed else subprocess.DEVNULL
        )
        try:
            process = start_command(config, command, variables, stdout=stream, stderr=stream)
        except OSError as error:
            message = f"the command {command[0]!r} does not start: {error.strerror}"
            raise ConfigError(message, next="name a program that exists") from error
        code = wait_command(process)
    assert code is not None
    return code


def _old(config: Config, file: str) -> str:
    path = config.root / file
    return read_text(path, config.root) if path.is_file() else ""


def _config_change(config: Config, found: Recorded) -> Iterator[Change]:
    """dbtrust.toml must name the files that were recorded."""
    path, table = find_config(config.root)
    old = new = read_text(path, config.root)
    parents = table.split(".") if table else []
    for drafted in found.drafted:
        if drafted.text:
            for section, key, value in _entries(config, drafted.file):
                edited = add_to_list(new, [*parents, section], key, value)
                new = _edited(edited, path.name, f'"{value}" in {key} of [{section}]')
    for one in found.starters:
        entries = [("file", one.file), ("rows", one.rows)]
        new = _edited(add_table(new, [*parents, "data", one.name], entries), path.name, f"[data.{one.name}]")
    if new != old:
        yield Change(path.name, old, new)


def _edited(text: str | None, file: str, what: str) -> str:
    """Raises ConfigError where the edit was not possible."""
    if text is None:
        message = f"{what} cannot be added without changing the layout of the file"
        raise ConfigError(message, location=Location(file, 1, 1), next="add it by hand and record again")
    return text


def _entries(config: Config, file: str) -> Iterator[tuple[str, str, str]]:
    """(section, key, entry) that the configuration lacks to judge a recorded file."""
    if file.endswith(".sql"):
        assert config.postgres is not None
        if not any(_matches(pattern, file) for pattern in config.postgres.queries):
            yield "postgres", "queries", file
        return
    assert config.mongo is not None
    if _MONGO_CLASS not in config.mongo.queries:
        yield "mongo", "queries", _MONGO_CLASS
    if not any(Path(folder) == Path() for folder in config.python):
        yield "project", "python", "."


def _matches(pattern: str, file: str) -> bool:
    """A glob as pathlib reads it, for a file that may not be there yet."""
    parts = re.split(r"(\*\*/|\*|\?)", pattern.removeprefix("./"))
    known = {"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}
    return re.fullmatch("".join(known.get(part, re.escape(part)) for part in parts), file) is not None
