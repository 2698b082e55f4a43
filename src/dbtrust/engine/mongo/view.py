"""What a database holds, remembered for a moment, so that not every step of 500 asks for all of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from pymongo.database import Database

from dbtrust.engine.mongo.catalog import collection_names, indexes
from dbtrust.engine.mongo.present import find

Document = Mapping[str, Any]
#: So long is an answer good: applications make collections as well.
_SECONDS = 1.0
#: An answer that took long to get is kept so many times that long.
_TIMES = 20
#: Known to be there, but not as what.
_STALE: Document = {}


class View:
    """Collections and indexes by name. Who changes something tells: `made`, `indexed` and the others."""

    def __init__(self, db: Database[Any]) -> None:
        self._db = db
        self._collections: dict[str, Document] = {}
        self._indexes: dict[str, tuple[float, dict[str, Document]]] = {}
        self._until = 0.0

    def names(self) -> list[str]:
        self._read()
        return sorted(self._collections)

    def collection(self, name: str) -> Document | None:
        """listCollections' document, None where there is no such collection."""
        self._read()
        if self._collections.get(name) is _STALE:
            found = find(self._db, name)
            if found is None:
                self.dropped(name)
            else:
                self._collections[name] = found
        return self._collections.get(name)

    def has(self, name: str) -> bool:
        self._read()
        return name in self._collections

    def index(self, collection: str, name: str) -> Document | None:
        """listIndexes' document, with `building` where it is being built; None where there is no such index."""
        if self._listed(collection).get(name) is _STALE:
            del self._indexes[collection]
        return self._listed(collection).get(name)

    def index_names(self, collection: str) -> list[str]:
        return sorted(self._listed(collection))

    def made(self, collection: str) -> None:
        self._collections[collection] = _STALE
        self._indexes[collection] = (time.monotonic() + _SECONDS, {"_id_": _STALE})

    def changed(self, collection: str) -> None:
        """Its options are others now."""
        self._collections[collection] = _STALE

    def indexed(self, collection: str, name: str) -> None:
        self._collections.setdefault(collection, _STALE)
        if collection in self._indexes:
            self._indexes[collection][1][name] = _STALE

    def dropped(self, collection: str) -> None:
        self._collections.pop(collection, None)
        self._indexes.pop(collection, None)

    def unindexed(self, collection: str, name: str) -> None:
        if collection in self._indexes:
            self._indexes[collection][1].pop(name, None)

    def forget(self) -> None:
        """The next question asks the server."""
        self._until = 0.0
        self._indexes.clear()

    def _read(self) -> None:
        if time.monotonic() < self._until:
            return
        start = time.monotonic()
        self._collections = dict.fromkeys(collection_names(self._db), _STALE)
        now = time.monotonic()
        self._until = now + max(_SECONDS, _TIMES * (now - start))

    def _listed(self, collection: str) -> dict[str, Document]:
        until, found = self._indexes.get(collection, (0.0, {}))
        if time.monotonic() >= until:
            found = dict[str, Document]({str(spec["name"]): spec for spec in indexes(self._db, collection)})
            self._indexes[collection] = (time.monotonic() + _SECONDS, found)
        return found
