"""Fills a collection with generated documents."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import pymongo.errors
from pymongo.collection import Collection
from pymongo.write_concern import WriteConcern

from dbtrust.engine.mongo.errors import describe
from dbtrust.model.errors import QueryFileError
from dbtrust.model.location import NOWHERE, Location

#: Documents a batch: large enough that the round trip does not count, small enough to hold in memory.
BATCH = 5_000


def load_documents(
    collection: Collection[Any], documents: Iterable[Mapping[str, Any]], location: Location = NOWHERE
) -> int:
    """Inserts the documents in unordered batches; how many there were.

    Raises QueryFileError where the server refuses one (a validator, a duplicate key).
    """
    unjournaled = collection.with_options(write_concern=WriteConcern(w=1, j=False))
    iterator, count = iter(documents), 0
    while batch := [dict(document) for document in itertools.islice(iterator, BATCH)]:
        try:
            unjournaled.insert_many(batch, ordered=False)
        except pymongo.errors.PyMongoError as error:
            step = "mend the generator"
            raise QueryFileError(
                f"loading {collection.name}: {describe(error)}", location=location, next=step
            ) from error
        count += len(batch)
    return count
