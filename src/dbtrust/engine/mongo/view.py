"""What a database holds, remembered for a moment, so that not every step of 500 asks for all of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from pymongo.database import Database

from dbtrust.engine.mongo.catalog import collection_names, indexes
from dbtrust.engine.mongo.present import find

Document = Mapping[str, Any]
#: So long is an answer good, in seconds: applications make collections as well.
_SECONDS = 1.0
#: So long it is for what only decides whether the object is there already: the command that makes it tells that as well.
PATIENT = 5.0
#: An answer that took long to get is kept so many times that long.
_TIMES = 20
#: Known to be there, but not as what.
_STALE: Document = {}


class View:
    """Collections and indexes by name. Who changes something tells: `made`, `indexed` and the others."""

    def __init__(self, db: Database[Any]) -> None:
        self._db = db
        self._collections: dict[str, Document] = {}
        #: When each was listed, and the indexes by name.
        self._indexes: dict[str, tuple[float, dict[str, Document]]] = {}
        self._read_at, self._took = -1e9, 0.0

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

    def has(self, name: str, seconds: float = _SECONDS) -> bool:
        self._read(seconds)
        return name in self._collections

    def index(self, collection: str, name: str, seconds: float = _SECONDS) -> Document | None:
        """listIndexes' document, with `building` where it is being built; None where there is no such index."""
        if self._listed(collection, seconds).get(name) is _STALE:
            del self._indexes[collection]
        return self._listed(collection, seconds).get(name)

    def index_names(self, collection: str) -> list[str]:
        return sorted(self._listed(collection))

    def made(self, collection: str) -> None:
        self._collections[collection] = _STALE
        self._indexes[collection] = (time.monotonic(), {"_id_": _STALE})

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
        self._read_at = -1e9
        self._indexes.clear()

    def _read(self, seconds: float = _SECONDS) -> None:
        start = time.monotonic()
        if start < self._read_at + max(seconds, _TIMES * self._took):
            return
        self._collections = dict.fromkeys(collection_names(self._db), _STALE)
        self._read_at = time.monotonic()
        self._took = self._read_at - start

    def _listed(self, collection: str, seconds: float = _SECONDS) -> dict[str, Document]:
        at, found = self._indexes.get(collection, (-1e9, {}))
        if time.monotonic() >= at + seconds:
            found = dict[str, Document]({str(spec["name"]): spec for spec in indexes(self._db, collection)})
            self._indexes[collection] = (time.monotonic(), found)
        return found
