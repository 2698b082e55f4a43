"""A MongoDB migration tried step by step, with the commands that each was seen to send."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dbtrust.engine.mongo.connect import connect
from dbtrust.engine.mongo.measure import SentCommands
from dbtrust.engine.mongo.migrate import call, run_steps
from dbtrust.engine.mongo.steps import inverse_of
from dbtrust.engine.runs import Run
from dbtrust.model.progress import Progress
from dbtrust.model.project import Config, Migration
from dbtrust.model.report import Finding, ServerInfo
from dbtrust.model.steps import CustomStep
from dbtrust.source.migrations import load_python
from dbtrust.stage.bare import bare_mongo
from dbtrust.stage.history import apply_mongo, has_down


@contextmanager
def open_trial(
    config: Config, run: Callable[[], Run], url: str | None, progress: Progress, findings: list[Finding]
) -> Generator[MongoTrial]:
    """An empty database, embedded or on the server of `url`; nothing is added to `findings`. Raises ServerError."""
    del findings
    with bare_mongo(config, run, url, progress) as stage:
        sent = SentCommands()
        client = connect(stage.url, listeners=[sent])
        try:
            info = ServerInfo(stage.version, stage.embedded)
            yield MongoTrial(client[stage.new_name("plan")], sent, config.root, info)
        finally:
            client.close()


class MongoTrial:
    def __init__(self, db: Any, sent: SentCommands, root: Path, info: ServerInfo) -> None:
        self._db, self._sent, self._root, self.info = db, sent, root, info

    def build(self, migration: Migration) -> None:
        apply_mongo(self._db, migration, load_python(migration, self._root))

    def can_undo(self, migration: Migration) -> bool:
        loaded = load_python(migration, self._root)
        if loaded.steps is None:
            return has_down(migration, loaded)
        return all(inverse_of(step) for step in loaded.steps)

    def steps(self, migration: Migration, found: list[Mapping[str, Any]]) -> None:
        loaded = load_python(migration, self._root)
        self._sent.take()
        if loaded.up is not None:
            call(self._db, loaded.up, migration)
            found.append(self._told(migration, "up(db)", loaded.down is not None, unsure=True))
            return
        for step in loaded.steps or ():
            run_steps(self._db, [step], migration)
            unsure = isinstance(step, CustomStep) and step.probe is None
            found.append(self._told(migration, step.describe(), inverse_of(step), unsure=unsure))

    def _told(self, migration: Migration, text: str, undo: bool, *, unsure: bool) -> Mapping[str, Any]:
        sent = self._sent.take()
        notes = [f"sends {', '.join(sent)}" if sent else "sends no command that changes anything"]
        notes += [] if undo else ["cannot be undone"]
        if unsure:
            notes.append("at least once: it has no probe, so after a crash nobody can say whether it ran")
        return {
            "text": text, "location": migration.location.to_dict(), "transaction": False, "at_least_once": unsure,
            "locks": [], "rewrites": [], "commands": sent, "can_undo": undo, "notes": notes,
        }  # fmt: skip
