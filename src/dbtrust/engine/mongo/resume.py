"""The steps that change what MongoDB's catalog holds, so that a crash at any point can be finished.

`prepare` reads what undoing will need, and is stored before anything changes. `forward` and `backward` with
`again` come after a crash or a lost connection: they look at the database and do what is left. A collection is
known by its UUID, so one that an application made since under the same name is not taken for the old one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from uuid import UUID

from pymongo.database import Database
from pymongo.errors import OperationFailure

from dbtrust.engine.mongo.catalog import as_asked, collection_definition, index_definition, indexes
from dbtrust.engine.mongo.copy import index_command
from dbtrust.engine.mongo.present import conflict, drift_of_options, find, missing, refuse_other
from dbtrust.engine.mongo.view import PATIENT, View
from dbtrust.model.errors import DriftError
from dbtrust.model.steps import (
    CreateCollection,
    CreateIndex,
    DropCollection,
    DropIndex,
    RenameCollection,
    SetValidator,
    Step,
)

Document = Mapping[str, Any]
Stored = dict[str, Any]
#: Called with a collection's name; returns when no index of it is being built.
Settle = Callable[[str], None]
NO_COLLECTION, NO_INDEX, EXISTS = 26, 27, 48
#: 85: same keys under another name or other options; 86: same name with another specification.
_CONFLICTS = (85, 86)
_DEFAULTS = {"validationLevel": "strict", "validationAction": "error"}


class Catalogue:
    """Runs steps on one database. Errors: DriftError where something else is there, the server's PyMongoErrors."""

    def __init__(self, db: Database[Any], settle: Settle, fence: Callable[[], None] = lambda: None) -> None:
        """`fence` is called right before each command that changes something, and raises where it may not."""
        self.db, self.view, self._settle, self._fence = db, View(db), settle, fence

    def prepare(self, step: Step) -> Stored:
        """What undoing the step will need; {"applied": False} where it is in force already."""
        return self._PREPARE[type(step)](self, step)

    def forward(self, step: Step, stored: Stored, *, again: bool) -> None:
        """Puts the step in force. `stored` learns where somebody else was faster."""
        if again:
            self.view.forget()
        if stored.get("applied", True):
            self._FORWARD[type(step)](self, step, stored, again)

    def prepare_back(self, step: Step) -> Stored:
        """What finishing an interrupted undo will need, read before the undo begins."""
        if isinstance(step, CreateCollection):
            return {"drops": self._uuid(self._existing(step.name))}
        if isinstance(step, RenameCollection):
            # Not the one from the way up: undoing a drop makes a collection with another UUID.
            return {"uuid": self._uuid(self._existing(step.new))}
        return {}

    def backward(self, step: Step, stored: Stored, *, again: bool) -> None:
        """Undoes the step."""
        if again:
            self.view.forget()
        if stored.get("applied", True):
            self._BACKWARD[type(step)](self, step, stored, again)

    # --- collections

    def _prepare_create(self, step: CreateCollection) -> Stored:
        if not self.view.has(step.name):
            return {"applied": True}
        self._same_collection(step)
        return {"applied": False}

    def _same_collection(self, step: CreateCollection) -> None:
        wanted = collection_definition({"type": "collection", "options": _options(step)})
        refuse_other(f"collection {step.name}", wanted, collection_definition(self._existing(step.name)))

    def _create(self, step: CreateCollection, stored: Stored, again: bool) -> None:
        options = _options(step)
        try:
            self._change({"create": step.name, **({} if options == _DEFAULTS else options)})
        except OperationFailure as error:
            if error.code != EXISTS:
                raise
            self.view.forget()
            self._same_collection(step)
            stored["applied"] = again
        self.view.made(step.name)

    def _uncreate(self, step: CreateCollection, stored: Stored, again: bool) -> None:
        self._drop(step.name, stored.get("drops"), again)

    def _prepare_drop(self, step: DropCollection) -> Stored:
        self.view.forget()
        info = self._existing(step.name)
        view = info.get("type") == "view"
        specs = [] if view else [index_command(spec) for spec in indexes(self.db, step.name)]
        return {
            "applied": True,
            "options": dict(info.get("options", {})),
            "indexes": specs,
            "uuid": self._uuid(info),
        }

    def _drop_there(self, step: DropCollection, stored: Stored, again: bool) -> None:
        self._drop(step.name, stored.get("uuid"), again)

    def _drop(self, name: str, uuid: Any, again: bool) -> None:
        """Drops the collection of that UUID; what has the name now may be an application's new one."""
        if again:
            info = find(self.db, name)
            if info is None or (uuid is not None and self._uuid(info) != uuid):
                return
        try:
            self._change({"drop": name})
        except OperationFailure as error:
            if error.code != NO_COLLECTION or not again:
                raise
        self.view.dropped(name)

    def _recreate(self, step: DropCollection, stored: Stored, again: bool) -> None:
        """Options and indexes as they were; the documents are gone."""
        there = find(self.db, step.name)
        if there is not None:
            drift_of_options(step.name, stored["options"], there, again)
        else:
            self._change({"create": step.name, **stored["options"]})
        if stored["indexes"]:
            known = {spec["name"] for spec in indexes(self.db, step.name)}
            if specs := [spec for spec in stored["indexes"] if spec["name"] not in known]:
                self._change({"createIndexes": step.name, "indexes": specs})
            self._settle(step.name)
        self.view.forget()

    def _prepare_rename(self, step: RenameCollection) -> Stored:
        info = self._existing(step.old)
        if self.view.has(step.new):
            raise DriftError(f"collection {step.new} exists already", next="drop it, or choose another name")
        return {"applied": True, "uuid": self._uuid(info)}

    def _rename(self, step: RenameCollection, stored: Stored, again: bool) -> None:
        self._move(step.old, step.new, stored.get("uuid"), again)

    def _rename_back(self, step: RenameCollection, stored: Stored, again: bool) -> None:
        self._move(step.new, step.old, stored.get("uuid"), again)

    def _move(self, old: str, new: str, uuid: Any, again: bool) -> None:
        if again:
            there = find(self.db, new)
            if there is not None and (uuid is None or self._uuid(there) == uuid):
                return
        self._fence()
        self.db[old].rename(new)
        self.view.forget()

    # --- validators

    def _prepare_validator(self, step: SetValidator) -> Stored:
        options = dict(self._existing(step.collection).get("options", {}))
        kept = {key: options.get(key, default) for key, default in _DEFAULTS.items()}
        return {"applied": True, "validator": options.get("validator")} | kept

    def _set_validator(self, step: SetValidator, stored: Stored, again: bool) -> None:
        level, action = ("strict", "error") if step.validator is None else (step.level, step.action)
        self._collmod(step.collection, step.validator, level, action)

    def _restore_validator(self, step: SetValidator, stored: Stored, again: bool) -> None:
        self._collmod(
            step.collection, stored["validator"], stored["validationLevel"], stored["validationAction"]
        )

    def _collmod(self, name: str, validator: Document | None, level: str, action: str) -> None:
        """Twice is as once. An empty validator removes the one that is there."""
        changes = {"validator": dict(validator or {}), "validationLevel": level, "validationAction": action}
        self._change({"collMod": name, **changes})
        self.view.changed(name)

    # --- indexes

    def _prepare_index(self, step: CreateIndex) -> Stored:
        if not self.view.has(step.collection, PATIENT):
            return {"applied": True, "created_collection": True}
        found = self.view.index(step.collection, step.name, PATIENT)
        if found is None:
            return {"applied": True, "created_collection": False}
        if found.get("building"):
            self._settle(step.collection)
            self.view.forget()
            return self._prepare_index(step)
        self._same_index(step, found)
        return {"applied": False}

    def _same_index(self, step: CreateIndex, found: Document) -> None:
        label = f"index {step.collection}.{step.name}"
        wanted = index_definition(as_asked(_specification(step)))
        refuse_other(label, wanted, index_definition(as_asked(found)), asked=True)

    def _create_index(self, step: CreateIndex, stored: Stored, again: bool) -> None:
        if again:
            self._settle(step.collection)
        try:
            reply = self._change({"createIndexes": step.collection, "indexes": [_specification(step)]})
        except OperationFailure as error:
            if error.code in _CONFLICTS:
                raise conflict(self.db, step, error) from error
            raise
        if reply.get("numIndexesBefore") == reply.get("numIndexesAfter"):
            self.view.forget()
            found = self.view.index(step.collection, step.name)
            if found is not None:
                self._same_index(step, found)
            stored["applied"] = again
        if not again and "createdCollectionAutomatically" in reply:
            stored["created_collection"] = bool(reply["createdCollectionAutomatically"])
            if stored["created_collection"]:
                self.view.made(step.collection)
        self.view.indexed(step.collection, step.name)

    def _uncreate_index(self, step: CreateIndex, stored: Stored, again: bool) -> None:
        """Also drops a collection that only came into being with the index and holds nothing else."""
        self._drop_index(step.collection, step.name, again)
        if stored.get("created_collection") and find(self.db, step.collection) is not None:
            bare = len(indexes(self.db, step.collection)) <= 1
            if bare and self.db[step.collection].find_one({}, {"_id": 1}) is None:
                self._change({"drop": step.collection})
                self.view.dropped(step.collection)

    def _prepare_drop_index(self, step: DropIndex) -> Stored:
        self._existing(step.collection)
        found = self.view.index(step.collection, step.name)
        if found is None:
            raise missing(
                f"index {step.collection}.{step.name}", step.name, self.view.index_names(step.collection)
            )
        return {"applied": True, "index": index_command(found)}

    def _drop_index_there(self, step: DropIndex, stored: Stored, again: bool) -> None:
        self._drop_index(step.collection, step.name, again)

    def _drop_index(self, collection: str, name: str, again: bool) -> None:
        try:
            self._change({"dropIndexes": collection, "index": name})
        except OperationFailure as error:
            if error.code not in (NO_COLLECTION, NO_INDEX) or not again:
                raise
        self.view.unindexed(collection, name)

    def _rebuild_index(self, step: DropIndex, stored: Stored, again: bool) -> None:
        if again:
            self._settle(step.collection)
        self._change({"createIndexes": step.collection, "indexes": [stored["index"]]})
        self.view.indexed(step.collection, step.name)

    def _change(self, command: dict[str, Any]) -> Mapping[str, Any]:
        self._fence()
        return self.db.command(command)

    # --- what is there

    def require(self, name: str) -> None:
        """Raises DriftError where there is no such collection."""
        self._existing(name)

    def _existing(self, name: str) -> Document:
        info = self.view.collection(name)
        if info is None:
            raise missing(f"collection {name}", name, self.view.names())
        return info

    @staticmethod
    def _uuid(info: Document) -> Any:
        """16 bytes, however the client reads a UUID; None for a view."""
        found = info.get("info", {}).get("uuid")
        return found.bytes if isinstance(found, UUID) else None if found is None else bytes(found)

    _PREPARE: ClassVar[dict[type, Callable[[Any, Any], Stored]]] = {
        CreateCollection: _prepare_create, DropCollection: _prepare_drop,
        CreateIndex: _prepare_index, DropIndex: _prepare_drop_index,
        SetValidator: _prepare_validator, RenameCollection: _prepare_rename,
    }  # fmt: skip
    _FORWARD: ClassVar[dict[type, Callable[[Any, Any, Stored, bool], None]]] = {
        CreateCollection: _create, DropCollection: _drop_there, CreateIndex: _create_index,
        DropIndex: _drop_index_there, SetValidator: _set_validator, RenameCollection: _rename,
    }  # fmt: skip
    _BACKWARD: ClassVar[dict[type, Callable[[Any, Any, Stored, bool], None]]] = {
        CreateCollection: _uncreate, DropCollection: _recreate, CreateIndex: _uncreate_index,
        DropIndex: _rebuild_index, SetValidator: _restore_validator, RenameCollection: _rename_back,
    }  # fmt: skip


def _options(step: CreateCollection) -> dict[str, Any]:
    options: dict[str, Any] = {"validationLevel": step.level, "validationAction": step.action}
    return options if step.validator is None else options | {"validator": dict(step.validator)}


def _specification(step: CreateIndex) -> dict[str, Any]:
    return {"key": dict(step.keys), "name": step.name, **step.options}
