"""Strangers on MongoDB: a collection or an index of the same name with another definition."""

from __future__ import annotations

from typing import Any

from dbtrust.model.catalog import Catalog

_FIELD = "dbtrust_decoy"


def make_decoy(db: Any, kind: str, name: str, before: Catalog) -> None:
    """Creates another object of that name. Raises PyMongoError where the server does not let it."""
    if kind != "index":
        db.create_collection(name, validator={_FIELD: {"$exists": False}}, validationAction="warn")
        return
    collections = sorted((o.name for o in before.objects if o.kind == "collection"), key=len, reverse=True)
    owner = next((c for c in collections if name.startswith(f"{c}.")), None)
    if owner is not None:
        db[owner].create_index([(_FIELD, 1)], name=name[len(owner) + 1 :])
        return
    # The migration also creates the collection: a stranger with an index of that name stands in its place.
    collection, _, index = name.partition(".")
    db[collection].create_index([(_FIELD, 1)], name=index)
