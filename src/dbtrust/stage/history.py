"""Applies migrations of both engines, up and down."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import psycopg

from dbtrust.engine.postgres.footprints import Footprint
from dbtrust.engine.postgres.owners import owning
from dbtrust.engine.postgres.programs import end_program_sessions, parameters
from dbtrust.engine.postgres.scripts import OnSkip
from dbtrust.engine.postgres.timeouts import timeouts
from dbtrust.model.errors import QueryFileError
from dbtrust.model.progress import Progress, silent
from dbtrust.model.project import Migration, Script
from dbtrust.source.migrations import History, PythonMigration, load_python
from dbtrust.stage.lent_server import may_join, seen
from dbtrust.stage.scripts import run_text

Direction = Literal["up", "down"]


def apply_postgres(
    connection: psycopg.Connection[Any],
    migration: Migration,
    *,
    direction: Direction = "up",
    on_skip: OnSkip | None = None,
    footprint: Footprint | None = None,
) -> None:
    """Runs one half of a PostgreSQL migration on a throw-away database.

    `on_skip` hears of statements that IF NOT EXISTS skipped. `footprint` is the database's on a server of the user's.

    Raises ScriptFailed with the place of the failing statement, and QueryFileError where there is no such half.
    """
    script = migration.up if direction == "up" else migration.down
    if script is None:
        raise QueryFileError(
            f"migration {migration.number} has no {direction}",
            location=migration.location,
            next=f"write {migration.number}_{migration.name}.{direction}.sql",
        )
    if script.run is not None:
        try:
            script.run(parameters(connection))
        finally:
            end_program_sessions(connection)
        return
    with timeouts(connection, script.options):
        run_text(
            connection, script.sql, script.file, transaction=in_transaction(script), on_skip=on_skip,
            around=lambda piece: owning(connection, piece.text, lambda role: may_join(footprint, role)),
        )  # fmt: skip


def in_transaction(script: Script) -> bool:
    """False only for `transaction:false`."""
    return script.options.get("transaction", "true") != "false"


def apply_mongo(
    db: Any,
    migration: Migration,
    loaded: PythonMigration,
    *,
    undo: Sequence[Any] = (),
    direction: Direction = "up",
) -> list[Any]:
    """Runs one half of a MongoDB migration; `up` returns what `down` needs as `undo`.

    Raises DbtrustError with the migration's place.
    """
    from dbtrust.engine.mongo.migrate import call, run_steps, undo_steps

    if loaded.steps is None:
        function = loaded.up if direction == "up" else loaded.down
        if function is None:
            raise QueryFileError(
                f"migration {migration.number} has no down(db)", location=migration.location, next="write it"
            )
        call(db, function, migration)
        return []
    if direction == "up":
        return run_steps(db, loaded.steps, migration)
    undo_steps(db, loaded.steps, undo, migration)
    return []


def has_down(migration: Migration, loaded: PythonMigration | None) -> bool:
    """Can the migration be undone at all?"""
    if migration.engine == "postgres":
        return migration.down is not None
    assert loaded is not None
    return loaded.steps is not None or loaded.down is not None


def apply_history(
    connection: psycopg.Connection[Any] | None,
    db: Any,
    history: History,
    root: Path,
    *,
    progress: Progress = silent,
    footprint: Footprint | None = None,
) -> None:
    """Applies every migration of the engine whose connection is given, in order. Raises DbtrustError."""
    for migration in history.migrations:
        if migration.engine == "postgres" and connection is not None:
            progress(f"applying {migration.location.file}")
            with seen(connection, migration, migration.up, footprint):
                apply_postgres(connection, migration, footprint=footprint)
        elif migration.engine == "mongo" and db is not None:
            progress(f"applying {migration.location.file}")
            apply_mongo(db, migration, load_python(migration, root))
