"""What a migration's step finds in the database, and the errors for what should not be there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from pymongo.database import Database
from pymongo.errors import OperationFailure

from dbtrust.engine.mongo.catalog import (
    as_asked,
    collection_definition,
    collections,
    index_definition,
    indexes,
)
from dbtrust.engine.mongo.errors import describe
from dbtrust.model.errors import DriftError
from dbtrust.model.steps import CreateIndex

Document = Mapping[str, Any]
#: Options that createIndexes does not compare when an index of that name and key exists.
_UNCOMPARED = ("hidden", "prepareUnique", "unique", "sparse", "expireAfterSeconds")


def find(db: Database[Any], name: str) -> Document | None:
    return next((info for info in db.list_collections(filter={"name": name})), None)


def existing(db: Database[Any], name: str) -> Document:
    known = {str(info["name"]): info for info in collections(db)}
    if name not in known:
        raise missing(f"collection {name}", name, known)
    return known[name]


def drift_of_options(name: str, options: Document, there: Document, again: bool) -> None:
    """A collection is to be made and is there: allowed where an interrupted run made it, with these options."""
    if not again:
        raise DriftError(f"collection {name} exists already", next="drop it, or choose another name")
    wanted = collection_definition({"type": there.get("type", "collection"), "options": options})
    refuse_other(f"collection {name}", wanted, collection_definition(there))


def missing(what: str, name: str, known: Iterable[str]) -> DriftError:
    near = get_close_matches(name, sorted(known), n=1)
    return DriftError(
        f"there is no {what}", next=f"did you mean {near[0]}?" if near else "was it made before this step?"
    )


def refuse_other(label: str, wanted: Document, found: Document, *, asked: bool = False) -> None:
    if differing(wanted, found, asked):
        raise drift(label, wanted, found, asked=asked)


def drift(label: str, wanted: Document, found: Document, *, asked: bool, detail: str = "") -> DriftError:
    names = differing(wanted, found, asked)
    told = "; ".join(f"{name} is {found.get(name)!r}, wanted {wanted.get(name)!r}" for name in names)
    return DriftError(
        f"{label} exists and differs: {told or detail}",
        next="drop it in a step of its own, or mend the migration",
    )


def differing(wanted: Document, found: Document, asked: bool) -> list[str]:
    """`asked`: the server fills in collation, weights and versions; what was asked for is compared."""
    names = set(wanted) | (set(_UNCOMPARED) & set(found) if asked else set(found))
    return sorted(name for name in names if wanted.get(name) != found.get(name))


def conflict(db: Database[Any], step: CreateIndex, error: OperationFailure) -> DriftError:
    """What stands in the way: an index of that name, else one with the same keys."""
    wanted = index_definition(as_asked({"key": dict(step.keys), **step.options}))
    label, known = f"index {step.collection}.{step.name}", indexes(db, step.collection)
    for found in known:
        if found["name"] == step.name:
            return drift(label, wanted, index_definition(as_asked(found)), asked=True, detail=describe(error))
    twin = next(
        (found["name"] for found in known if index_definition(as_asked(found))["key"] == wanted["key"]), "?"
    )
    hint = "use its name, or drop it first"
    return DriftError(f"{label} exists under another name, {twin}: {describe(error)}", next=hint)
