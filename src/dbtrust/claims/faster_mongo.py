"""Pairs of executions on MongoDB: a method's commands sent again, with an index and with it hidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pymongo.errors
from pymongo.database import Database

from dbtrust.claims.faster import NotMeasured, Timed
from dbtrust.engine.mongo.errors import describe
from dbtrust.engine.mongo.explain import explain
from dbtrust.engine.mongo.hiding import collections_with, hidden, run_all
from dbtrust.model.plan import Plan

LIMIT_MS = 15_000
#: Server codes: no text index; a hint that no visible index fits.
_WHY = {27: "the command needs the index", 2: "the command hints at the index or needs it"}


@dataclass(slots=True)
class Pairs:
    """The commands of one example on a database that is ours to change."""

    db: Database[Any]
    index: str
    commands: Sequence[Mapping[str, Any]]
    _reads: tuple[tuple[Mapping[str, float], Plan | None], ...] = field(default=())

    def pair(self) -> tuple[Timed, Timed]:
        """With the index, then with it hidden. Raises NotMeasured."""
        if self.index == "_id_":
            raise NotMeasured(
                "server_error", "the index on _id cannot be hidden", "claim `id lookup` instead"
            )
        try:
            return self._pair()
        except pymongo.errors.ExecutionTimeout as error:
            step = "claim on fewer documents, or make the command cheaper"
            raise NotMeasured("timeout", describe(error), step) from error
        except pymongo.errors.OperationFailure as error:
            said = f"{_WHY[error.code]} ({describe(error)})" if error.code in _WHY else describe(error)
            raise NotMeasured("server_error", said, "claim what the plan shows instead") from error

    def _pair(self) -> tuple[Timed, Timed]:
        where = collections_with(self.db, self.index, self.commands)
        if not where:
            raise NotMeasured("missing_object", "no collection that the commands read has it")
        seen = run_all(self.db, self.commands, limit_ms=LIMIT_MS)
        first = self._counted() if not self._reads else None
        with hidden(self.db, where, self.index):
            without = run_all(self.db, self.commands, limit_ms=LIMIT_MS)
            if first is not None:
                self._reads = (first, self._counted())
        return Timed(seen, self._reads[0][0]), Timed(without, *self._reads[1])

    def _counted(self) -> tuple[Mapping[str, float], Plan | None]:
        """Keys and documents that the commands examine now."""
        plans: list[Plan] = []
        for command in self.commands:
            with suppress(pymongo.errors.PyMongoError):
                plans += explain(self.db, command)
        reads = {unit: float(sum(p.totals.get(unit) or 0 for p in plans)) for unit in ("keys", "documents")}
        return reads, plans[0] if plans else None
