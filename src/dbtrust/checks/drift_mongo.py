"""Drift of a live MongoDB database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pymongo.errors

from dbtrust.checks.drift import DriftHalf
from dbtrust.engine.mongo.catalog import UNAUTHORIZED, specifications
from dbtrust.engine.mongo.connect import connect
from dbtrust.engine.mongo.errors import describe
from dbtrust.engine.mongo.urls import database_of
from dbtrust.engine.mongo.violations import duplicates, violators
from dbtrust.model.engine import Engine
from dbtrust.model.errors import ConfigError
from dbtrust.model.location import Location
from dbtrust.model.report import NotExamined, ServerInfo
from dbtrust.schema.drift import Live, whole
from dbtrust.schema.drift_mongo import Asking, judge_drift
from dbtrust.schema.repairs_mongo import Specifications
from dbtrust.source.find import Places
from dbtrust.stage.mongo import open_mongo


class MongoDrift(DriftHalf):
    """The live database is asked with reading commands alone; the declared one is built on an embedded server."""

    engine: Engine = "mongo"
    _live: Live
    _database: Any
    _found: Specifications | None = None

    def open(self) -> None:
        assert self._url is not None
        name = database_of(self._url)
        if not name:
            step = "write it behind the address (mongodb://HOST:PORT/NAME), or add --database NAME"
            raise ConfigError("the MongoDB URL names no database to compare with", next=step)
        self.progress("reading the live collections")
        client = self.keep(connect(self._url))
        version = str(client.server_info()["version"])
        self._live = replace(self.live, database=name, version=version)
        self.info = ServerInfo(version, embedded=False)
        self._database = client[name]
        try:
            self._found = specifications(self._database, lenient=True)
        except pymongo.errors.OperationFailure as error:
            self._unread(error)

    def _unread(self, error: pymongo.errors.OperationFailure) -> None:
        if error.code == UNAUTHORIZED:
            needs = f"needs the role read on {self._live.database}: {describe(error)}"
            self.not_examined.append(NotExamined(f"{self._live.database}: collections", needs))
        message = f"the collections cannot be listed: {describe(error)}"
        step = f"grant the role read on {self._live.database}"
        self.verdicts.append(whole(self._live, "unproved", message, reason="server_error", next=step))

    def parts(self) -> list[Callable[[], None]]:
        return [self._drift] if self._found is not None else []

    def connection_errors(self) -> tuple[type[Exception], ...]:
        return (pymongo.errors.ConnectionFailure,)

    def _drift(self) -> None:
        assert self._found is not None
        declared = self._declared()
        if declared is None:
            return
        self.progress("comparing the collections")
        asking = Asking(partial(violators, self._database), partial(duplicates, self._database))
        verdicts, left_out = judge_drift(self._live, declared, self._found, self._places(), asking)
        self.verdicts += verdicts
        self.not_examined += left_out

    def _declared(self) -> Specifications | None:
        project = replace(self.project, config=replace(self.project.config, data=()))
        with open_mongo(project, self._run, None, self.progress) as stage:
            if stage.data is None:
                self.unbuilt(self._live, stage.version, stage.errors)
                return None
            self._live = replace(self._live, declared_on=stage.version)
            return specifications(stage.reading())

    def _places(self) -> Callable[[str, str], Location]:
        """A declared collection stands where the configuration names it, anything else where a file speaks of it."""
        places = Places(self.project)
        declared = {item.collection.name: item.location for item in self.project.collections}

        def where(collection: str, index: str) -> Location:
            if self.project.history is None and collection in declared:
                return declared[collection]
            return places.of(*([index] if index else []), collection)

        return where
