"""schema.drift: a target's own database, read only, against what the project builds on an embedded server."""

from __future__ import annotations

from collections.abc import Sequence

from dbtrust.checks.live import LiveHalf
from dbtrust.checks.select import Selection
from dbtrust.model.engine import Engine
from dbtrust.model.errors import ConfigError, DbtrustError
from dbtrust.model.report import Verdict
from dbtrust.schema.drift import CHECK, Live, whole

NAMES: dict[Engine, str] = {"postgres": "PostgreSQL", "mongo": "MongoDB"}


class DriftHalf(LiveHalf):
    """One engine's drift: `_url` names the live database, which nothing is written to."""

    column_order: bool = True

    @property
    def live(self) -> Live:
        """What is known before the database is reached."""
        return Live(self.engine, self.project.config.name)

    def judge(self) -> None:
        """Judges, or says why it cannot be judged: there is always a verdict."""
        if self._url is None:
            self.verdicts = [self._unreached(f"no {NAMES[self.engine]} target is named")]
        elif not self.is_declared():
            step = "declare it (schema files, collections, migrations), or leave schema.drift out"
            said = "the project declares nothing for this engine"
            self.verdicts = [whole(self.live, "not_applicable", said, next=step)]
        else:
            super().judge()
            self.verdicts = self.verdicts or [self._unreached("it could not be judged: see the error")]

    def _lost(self, error: DbtrustError) -> None:
        """There is one verdict alone, and `judge` gives it."""
        self.errors.append(error)
        self.lost = True

    def _unreached(self, message: str) -> Verdict:
        step = f"name it: --target NAME or --{self.engine} URL"
        return whole(self.live, "unproved", message, reason="no_server", next=step)

    def unbuilt(self, live: Live, version: str, errors: Sequence[DbtrustError]) -> None:
        """The declared side could not be built: nothing can be compared."""
        self.errors += errors
        said = f"what is declared cannot be built on {NAMES[self.engine]} {version}: see the error"
        verdict = whole(live, "unproved", said, reason="missing_object", next="mend what check tells")
        self.verdicts.append(verdict)

    def is_declared(self) -> bool:
        """Does the project declare anything for this engine?"""
        history = self.project.history
        declared = self.project.schema if self.engine == "postgres" else self.project.collections
        return bool(declared) or (
            history is not None and any(m.engine == self.engine for m in history.migrations)
        )


def drift_half(engine: Engine) -> type[DriftHalf]:
    """Imports an engine's driver only when that engine is judged."""
    if engine == "postgres":
        from dbtrust.checks.drift_postgres import PostgresDrift as Chosen
    else:
        from dbtrust.checks.drift_mongo import MongoDrift as Chosen
    return Chosen


def refuse_without_target(selection: Selection, postgres: str | None, mongo: str | None) -> None:
    """Raises ConfigError where drift is asked for and no database is named to compare with."""
    if selection.names(CHECK) and postgres is None and mongo is None:
        raise ConfigError(
            f"{CHECK} compares with a live database, and none is named",
            next="add --target NAME, --postgres URL or --mongo URL",
        )
