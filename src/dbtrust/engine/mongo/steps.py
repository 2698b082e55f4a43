"""Applies and reverts the steps of a MongoDB migration; never in a transaction (DDL fails in one, code 263).

`apply` returns an undo document, plain data that a ledger can hold: {"applied": False} says that the object
was there already, exactly as wanted, and then `revert` leaves it. The server's errors are PyMongoErrors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from pymongo.database import Database
from pymongo.errors import OperationFailure

from dbtrust.engine.mongo.batches import revert_update, update_in_batches
from dbtrust.engine.mongo.catalog import (
    collection_definition,
    collections,
    index_definition,
    indexes,
)
from dbtrust.engine.mongo.copy import index_command
from dbtrust.engine.mongo.errors import describe
from dbtrust.model.errors import DriftError, QueryFileError
from dbtrust.model.steps import (
    CreateCollection,
    CreateIndex,
    CustomStep,
    DropCollection,
    DropIndex,
    RenameCollection,
    SetValidator,
    Step,
    UpdateInBatches,
)

Undo = dict[str, Any]
Document = Mapping[str, Any]
#: 85: same keys under another name or other options; 86: same name with another specification.
_CONFLICTS = (85, 86)
#: Options that createIndexes does not compare when an index of that name and key exists.
_UNCOMPARED = ("hidden", "prepareUnique", "unique", "sparse", "expireAfterSeconds")


def apply(db: Database[Any], step: Step) -> Undo:
    """Applies one step; what `revert` needs.

    Raises DriftError where another object is in the way, or the one to change is not there.
    """
    if type(step) not in _APPLY:
        raise QueryFileError(f"{step!r} is no migration step", next="use the functions of dbtrust.migrations")
    return _APPLY[type(step)](db, step)


def revert(db: Database[Any], step: Step, undo: Document) -> None:
    """Undoes one applied step. Raises QueryFileError where the step has no inverse."""
    if not inverse_of(step):
        raise QueryFileError(
            f"{step.describe()} needs revert= to be undone", next="add revert=, or write down(db)"
        )
    if undo.get("applied", True):
        _REVERT[type(step)](db, step, undo)


def inverse_of(step: Step) -> bool:
    """Can the step be undone? Data changes and custom steps only with `revert`."""
    return not isinstance(step, (UpdateInBatches, CustomStep)) or step.revert is not None


# --- collections


def _create_collection(db: Database[Any], step: CreateCollection) -> Undo:
    options: dict[str, Any] = {"validationLevel": step.level, "validationAction": step.action}
    if step.validator is not None:
        options["validator"] = dict(step.validator)
    found = _info(db, step.name)
    if found is not None:
        wanted = collection_definition({"type": "collection", "options": options})
        _refuse_other(f"collection {step.name}", wanted, collection_definition(found))
        return {"applied": False}
    db.command(
        {"create": step.name, **(options if step.validator is not None or options != _DEFAULTS else {})}
    )
    return {"applied": True}


_DEFAULTS = {"validationLevel": "strict", "validationAction": "error"}


def _drop_created(db: Database[Any], step: CreateCollection, undo: Document) -> None:
    del undo
    db.command({"drop": _existing(db, step.name)["name"]})


def _drop_collection(db: Database[Any], step: DropCollection) -> Undo:
    info = _existing(db, step.name)
    specs = [] if info.get("type") == "view" else [index_command(spec) for spec in indexes(db, step.name)]
    undo: Undo = {"applied": True, "options": dict(info.get("options", {})), "indexes": specs}
    db.command({"drop": step.name})
    return undo


def _recreate(db: Database[Any], step: DropCollection, undo: Document) -> None:
    """Options and indexes as they were; the documents are gone."""
    _absent(db, step.name)
    db.command({"create": step.name, **undo["options"]})
    there = {spec["name"] for spec in (indexes(db, step.name) if undo["indexes"] else [])}
    if specs := [spec for spec in undo["indexes"] if spec["name"] not in there]:
        db.command({"createIndexes": step.name, "indexes": specs})


def _rename(db: Database[Any], step: RenameCollection) -> Undo:
    _move(db, step.old, step.new)
    return {"applied": True}


def _rename_back(db: Database[Any], step: RenameCollection, undo: Document) -> None:
    del undo
    _move(db, step.new, step.old)


def _move(db: Database[Any], old: str, new: str) -> None:
    _existing(db, old)
    _absent(db, new)
    db[old].rename(new)


# --- validators


def _set_validator(db: Database[Any], step: SetValidator) -> Undo:
    options = dict(_existing(db, step.collection).get("options", {}))
    undo: Undo = {"applied": True, "validator": options.get("validator")}
    undo |= {key: options.get(key, default) for key, default in _DEFAULTS.items()}
    level, action = ("strict", "error") if step.validator is None else (step.level, step.action)
    _collmod(db, step.collection, step.validator, level, action)
    return undo


def _restore_validator(db: Database[Any], step: SetValidator, undo: Document) -> None:
    _existing(db, step.collection)
    _collmod(db, step.collection, undo["validator"], undo["validationLevel"], undo["validationAction"])


def _collmod(db: Database[Any], name: str, validator: Document | None, level: str, action: str) -> None:
    """An empty validator removes the one that is there."""
    changes = {"validator": dict(validator or {}), "validationLevel": level, "validationAction": action}
    db.command({"collMod": name, **changes})


# --- indexes


def _create_index(db: Database[Any], step: CreateIndex) -> Undo:
    spec: dict[str, Any] = {"key": dict(step.keys), "name": step.name, **step.options}
    label = f"index {step.collection}.{step.name}"
    try:
        reply = db.command({"createIndexes": step.collection, "indexes": [spec]})
    except OperationFailure as error:
        if error.code in _CONFLICTS:
            raise _conflict(db, step, error) from error
        raise
    if reply.get("numIndexesBefore") == reply.get("numIndexesAfter"):
        found = next((known for known in indexes(db, step.collection) if known["name"] == step.name), None)
        if found is not None:
            _refuse_other(label, index_definition(spec), index_definition(found), asked=True)
        return {"applied": False}
    return {"applied": True, "created_collection": bool(reply.get("createdCollectionAutomatically"))}


def _conflict(db: Database[Any], step: CreateIndex, error: OperationFailure) -> DriftError:
    """What stands in the way: an index of that name, else one with the same keys."""
    wanted = index_definition({"key": dict(step.keys), **step.options})
    label, known = f"index {step.collection}.{step.name}", indexes(db, step.collection)
    for found in known:
        if found["name"] == step.name:
            return _drift(label, wanted, index_definition(found), asked=True, detail=describe(error))
    twin = next((found["name"] for found in known if index_definition(found)["key"] == wanted["key"]), "?")
    hint = "use its name, or drop it first"
    return DriftError(f"{label} exists under another name, {twin}: {describe(error)}", next=hint)


def _drop_created_index(db: Database[Any], step: CreateIndex, undo: Document) -> None:
    """Also drops a collection that only came into being with the index and holds nothing else."""
    _index_spec(db, step.collection, step.name)
    db[step.collection].drop_index(step.name)
    empty = undo.get("created_collection") and db[step.collection].find_one({}, {"_id": 1}) is None
    if empty and len(indexes(db, step.collection)) <= 1:
        db.command({"drop": step.collection})


def _drop_index(db: Database[Any], step: DropIndex) -> Undo:
    spec = index_command(_index_spec(db, step.collection, step.name))
    db[step.collection].drop_index(step.name)
    return {"applied": True, "index": spec}


def _rebuild_index(db: Database[Any], step: DropIndex, undo: Document) -> None:
    _existing(db, step.collection)
    db.command({"createIndexes": step.collection, "indexes": [undo["index"]]})


def _index_spec(db: Database[Any], collection: str, name: str) -> dict[str, Any]:
    _existing(db, collection)
    known = {spec["name"]: spec for spec in indexes(db, collection)}
    if name not in known:
        raise _missing(f"index {collection}.{name}", name, known)
    return known[name]


# --- data and your own code


def _update(db: Database[Any], step: UpdateInBatches) -> Undo:
    _existing(db, step.collection)
    return update_in_batches(db, step)


def _custom(db: Database[Any], step: CustomStep) -> Undo:
    if step.probe is not None and step.probe(db):
        return {"applied": False}
    step.apply(db)
    return {"applied": True}


def _revert_custom(db: Database[Any], step: CustomStep, undo: Document) -> None:
    del undo
    assert step.revert is not None
    step.revert(db)


# --- what is there


def _info(db: Database[Any], name: str) -> Document | None:
    return next((info for info in collections(db) if info["name"] == name), None)


def _existing(db: Database[Any], name: str) -> Document:
    known = {str(info["name"]): info for info in collections(db)}
    if name not in known:
        raise _missing(f"collection {name}", name, known)
    return known[name]


def _absent(db: Database[Any], name: str) -> None:
    if _info(db, name) is not None:
        raise DriftError(f"collection {name} exists already", next="drop it, or choose another name")


def _missing(what: str, name: str, known: Iterable[str]) -> DriftError:
    near = get_close_matches(name, sorted(known), n=1)
    return DriftError(
        f"there is no {what}", next=f"did you mean {near[0]}?" if near else "was it made before this step?"
    )


def _refuse_other(label: str, wanted: Document, found: Document, *, asked: bool = False) -> None:
    if _differing(wanted, found, asked):
        raise _drift(label, wanted, found, asked=asked)


def _drift(label: str, wanted: Document, found: Document, *, asked: bool, detail: str = "") -> DriftError:
    names = _differing(wanted, found, asked)
    told = "; ".join(f"{name} is {found.get(name)!r}, wanted {wanted.get(name)!r}" for name in names)
    return DriftError(
        f"{label} exists and differs: {told or detail}",
        next="drop it in a step of its own, or mend the migration",
    )


def _differing(wanted: Document, found: Document, asked: bool) -> list[str]:
    """`asked`: the server fills in collation, weights and versions; what was asked for is compared."""
    names = set(wanted) | (set(_UNCOMPARED) & set(found) if asked else set(found))
    return sorted(name for name in names if wanted.get(name) != found.get(name))


_APPLY: dict[type, Callable[[Database[Any], Any], Undo]] = {
    CreateCollection: _create_collection, DropCollection: _drop_collection, CreateIndex: _create_index,
    DropIndex: _drop_index, SetValidator: _set_validator, RenameCollection: _rename,
    UpdateInBatches: _update, CustomStep: _custom,
}  # fmt: skip
_REVERT: dict[type, Callable[[Database[Any], Any, Document], None]] = {
    CreateCollection: _drop_created, DropCollection: _recreate, CreateIndex: _drop_created_index,
    DropIndex: _rebuild_index, SetValidator: _restore_validator, RenameCollection: _rename_back,
    UpdateInBatches: revert_update, CustomStep: _revert_custom,
}  # fmt: skip
