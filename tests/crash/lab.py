"""What a crash test needs of an engine: a server that can be killed, databases to migrate, and a look inside."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from dbtrust.engine import watchdog
from dbtrust.engine.waiting import await_true
from dbtrust.migrate.session import open_runner
from dbtrust.model.catalog import Catalog
from dbtrust.model.ledger import Entry
from dbtrust.model.plan import Engine

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class State:
    """A database: its catalog without the ledger, a digest of the rows of each table, and what must not be left."""

    catalog: Catalog
    rows: Mapping[str, str]
    #: Invalid indexes, constraints that are not validated, builds that have not ended.
    unfinished: Sequence[str]


class Lab(Protocol):
    """One server of an engine, with the history of 30 migrations that is run on it."""

    engine: Engine
    folder: Path

    def fresh(self, name: str) -> str:
        """A database that the history starts on; its URL."""
        ...

    def drop(self, name: str) -> None: ...

    def state(self, name: str) -> State: ...

    def entries(self, name: str) -> dict[int, Entry]:
        """The ledger, as dbtrust reads it."""
        ...

    def doing(self, name: str) -> str:
        """What the server is doing for the runner at this moment, in a few words."""
        ...

    def crash(self) -> None:
        """SIGKILL to every process of the server; then it is started again on its data."""
        ...

    def close(self) -> None: ...


def kill_server(folder: Path, first: subprocess.Popen[bytes] | None) -> None:
    """SIGKILL to what runs in a server's folder, the first process first, and waits until nothing does."""
    assert first is not None, "the server does not run"
    first.kill()
    first.wait()  # a zombie would still own the pid file
    for pid in sorted(watchdog.processes(str(folder))):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert await_true(lambda: not watchdog.processes(str(folder)), 30), "the server does not die"


def ledger(engine: Engine, url: str) -> dict[int, Entry]:
    """The ledger of a database as a runner reads it: without a lock."""
    runner = open_runner(engine, url, HERE, 0.0)
    try:
        return runner.entries()
    finally:
        runner.close()


def words(statement: str) -> str:
    """A statement in a few words, so that equal ones count as one."""
    text = " ".join(re.sub(r"--[^\n]*", "", statement).split())
    text = re.sub(r"^(BEGIN;|SET (LOCAL )?\w+ = '[^']*';|RESET \w+;| )+", "", text)
    if "dbtrust_migration" in text.split(";")[0]:
        return f"ledger {text.split(' ', 1)[0].upper()}"
    if "advisory" in text:
        return "lock"
    kept = re.findall(
        r"CONCURRENTLY|NOT VALID|VALIDATE CONSTRAINT|ATTACH|DETACH|ADD VALUE", text, re.IGNORECASE
    )
    head = text.split(" ")[:2]
    return " ".join([*head, *(word for word in kept if word not in head)]).upper()


def command_words(operation: Mapping[str, Any]) -> str:
    """An operation of $currentOp in a few words."""
    if "dbtrust_migration" in str(operation.get("ns", "")):
        return f"ledger {operation.get('op', '')}"
    name = str(next(iter(operation.get("command") or {}), "q"))
    return str(operation.get("op", "?")) if name == "q" else name
