"""What `monitor` needs of one engine; monitor/postgres.py and monitor/mongo.py each have these functions."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Protocol, cast

from dbtrust.model.monitor import EngineView
from dbtrust.model.plan import Engine
from dbtrust.model.snapshot import ReadOptions, Snapshot


class Leaf(Protocol):
    """`Snapshot.server` holds "version" and "identity", a text that is the same for the same server and database."""

    def read(self, url: str, options: ReadOptions) -> Snapshot:
        """Reads a server, changing nothing there. Raises ConfigError and ServerError."""
        ...

    def redacted(self, snapshot: Snapshot) -> Snapshot:
        """The same without the literals of anybody's statements, comments and names of programs."""
        ...

    def literal(self, snapshot: Snapshot) -> Snapshot:
        """The same with literals, without the statements that may hold a password where none is recognised."""
        ...

    def view(self, now: Snapshot, earlier: Snapshot | None) -> EngineView:
        """The tables to show."""
        ...

    def sent(self, url: str, options: ReadOptions) -> Iterable[str]:
        """Everything that `read` would send, in its order, for the server's version; sends none of it."""
        ...


def leaf(engine: Engine) -> Leaf:
    """Imports an engine's half, and so its driver, when it is used."""
    return cast("Leaf", import_module(f"dbtrust.monitor.{engine}"))
