"""MongoDB's half of `claims` on a database that is not ours.

A method is ordinary code and may do anything, so it runs on a scratch copy of the project's own data; the commands
that it sent there are explained on the live database.
"""

from __future__ import annotations

from collections.abc import Sequence

import pymongo.errors

from dbtrust.checks.live import LiveHalf
from dbtrust.claims.mongo import ParsedMethod, judge_methods
from dbtrust.engine.mongo.catalog import snapshot
from dbtrust.engine.mongo.errors import describe
from dbtrust.judge.outcomes import known_names
from dbtrust.model.catalog import CatalogObject
from dbtrust.model.engine import Engine
from dbtrust.model.errors import ServerError
from dbtrust.model.report import ServerInfo, Verdict
from dbtrust.stage.mongo import MongoStage, Scratch, open_live_mongo


class LiveMongoHalf(LiveHalf):
    """explain with queryPlanner; with `analyze` executionStats, which runs what reads and writes nothing."""

    engine: Engine = "mongo"
    _stage: MongoStage

    def open(self) -> None:
        assert self._url is not None
        self._stage = self.keep(
            open_live_mongo(self.project, self._run, self._url, self.progress, executes=self.analyze)
        )
        version = str(self._stage.evidence["server"])
        self.info = ServerInfo(version, embedded=False)

    def _objects(self) -> Sequence[CatalogObject]:
        try:
            return snapshot(self._stage.reading()).objects
        except pymongo.errors.OperationFailure as error:
            step = "the user needs to list collections and indexes: the role read on that database"
            raise ServerError(
                f"the target's collections cannot be listed: {describe(error)}", next=step
            ) from error

    def connection_errors(self) -> tuple[type[Exception], ...]:
        return (pymongo.errors.ConnectionFailure,)

    def judged(self) -> list[Verdict]:
        names = known_names(self._objects(), "mongo")
        parsed = [ParsedMethod(m, self.claims.of(m.subject)) for m in self.project.methods]
        with Scratch(self._stage) as scratch:
            return judge_methods(self._stage, scratch, parsed, names, self.progress)
