"""Runs the hooks of a folder of migrations on the PostgreSQL target, each in a transaction of its own."""

from __future__ import annotations

from dbtrust.migrate.runner import MigrationStopped
from dbtrust.migrate.session import Session
from dbtrust.model.errors import FAILED, DbtrustError


def run_hook(session: Session, name: str) -> None:
    """Nothing where there is no such file or no PostgreSQL target. Raises MigrationStopped, ServerError."""
    script, url = session.hooks.get(name), session.asked.urls.get("postgres")
    if script is None or not url or "postgres" not in session.runners:
        return
    from dbtrust.engine.postgres.connect import connect
    from dbtrust.engine.postgres.timeouts import timeouts
    from dbtrust.stage.history import in_transaction
    from dbtrust.stage.scripts import run_text

    session.asked.progress(f"running {script.file}")
    with connect(url) as connection:
        try:
            with timeouts(connection, script.options):
                run_text(connection, script.sql, script.file, transaction=in_transaction(script))
        except DbtrustError as error:
            if error.code != FAILED:
                raise
            message = f"the hook {script.file} failed: {error.message}"
            raise MigrationStopped(message, location=error.location, next="mend it and run again") from error
