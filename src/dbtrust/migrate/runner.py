"""What the order over both engines needs of one engine's database."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from dbtrust.model.engine import Engine
from dbtrust.model.ledger import Entry, Origin
from dbtrust.model.ledger import MigrationStopped as MigrationStopped
from dbtrust.model.progress import Progress
from dbtrust.model.project import Migration


class Runner(Protocol):
    """One target database with its ledger. Reading needs no lock; every other call is made inside `locked`."""

    engine: Engine

    @property
    def version(self) -> str:
        """The server's version, for example "17.10"."""
        ...

    def entries(self) -> dict[int, Entry]:
        """The ledger by number; empty where there is none yet, and none is made.

        Raises MigrationStopped for a ledger of a newer dbtrust, ServerError for a lost server.
        """
        ...

    def locked(self, progress: Progress) -> AbstractContextManager[None]:
        """Waits until no other runner works on this database, and keeps others out; the ledger is made here.

        Raises MigrationStopped where the wait took longer than was asked for, naming the holder.
        """
        ...

    def check(self, migration: Migration) -> None:
        """Raises QueryFileError for a file that cannot be read as code; nothing of it is run."""
        ...

    def up(self, migration: Migration, entry: Entry | None, progress: Progress) -> Entry:
        """Applies a migration, its `verify` lines included; with `entry` (state running) it goes on where that stopped.

        Raises MigrationStopped, with the database as the message says.
        """
        ...

    def down(self, migration: Migration, entry: Entry, progress: Progress) -> None:
        """Undoes a migration and takes it out of the ledger; with state reverting it goes on. Raises MigrationStopped."""
        ...

    def record(self, migration: Migration, origin: Origin) -> None:
        """Writes a migration down as done without running it, in place of what the ledger had."""
        ...

    def forget(self, migration: Migration) -> None:
        """Takes a migration out of the ledger without running anything."""
        ...

    def settle(self, migration: Migration, entry: Entry, *, done: bool) -> None:
        """Says of the interrupted step of a half-run migration that it is done, or that it has not begun."""
        ...

    def can_undo(self, migration: Migration) -> bool:
        """Is there a down? A MongoDB file is executed for the answer, once for a run. Raises QueryFileError."""
        ...

    def close(self) -> None: ...
