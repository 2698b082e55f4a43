"""Runs the hooks of a folder of migrations on the PostgreSQL target, each in a session of its own."""

from __future__ import annotations

from dbtrust.migrate.runner import MigrationStopped
from dbtrust.migrate.session import Session
from dbtrust.model.errors import FAILED, DbtrustError

#: What is true of the next run, by hook: what ran before it is applied, and is not applied again.
_AGAIN = "mend it and run again"
_BY_HAND = "mend it, then run it yourself (psql -f {file}): {why}"
_WHY = {
    "after_each": "its migration is applied, and no later run calls the hook for it",
    "after_up": "the migrations are applied, and a run with nothing to apply does not call it",
}


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
            step = _BY_HAND.format(file=script.file, why=_WHY[name]) if name in _WHY else _AGAIN
            raise MigrationStopped(message, location=error.location, next=step) from error
