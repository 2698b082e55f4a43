"""Collection: a pydantic model, the validator and indexes that go with it, and the write path's timestamps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, Literal, TypeVar

import bson
from pydantic import BaseModel, RootModel, ValidationError
from pymongo import IndexModel
from pymongo.database import Database
from pymongo.errors import CollectionInvalid, OperationFailure

from dbtrust.model.errors import ContractError, DriftError
from dbtrust.queries.documents import decoded, encoded, needs_decoding, needs_encoding, wants_naive
from dbtrust.queries.index_specs import differences
from dbtrust.queries.json_schema import json_schema
from dbtrust.queries.names import document_name

M = TypeVar("M", bound=BaseModel)
_OPTION_DEFAULTS: dict[str, Any] = {"validator": {}, "validationLevel": "strict", "validationAction": "error"}
#: What makes a collection of another kind.
_SPECIAL = frozenset({"capped", "timeseries", "clusteredIndex", "collation", "viewOn", "expireAfterSeconds"})
#: NamespaceExists.
_EXISTS = 48
#: IndexOptionsConflict, IndexKeySpecsConflict.
_INDEX_CONFLICTS = frozenset({85, 86})
_MIGRATE = "write a migration that changes it"


class Collection(Generic[M]):
    """A declared collection. `validator` is what the server gets: {"$jsonSchema": …}.

    Raises ContractError, naming the field, for a model that has no $jsonSchema (docs/collections.md).
    """

    def __init__(
        self, name: str, model: type[M], *, indexes: Sequence[IndexModel] = (),
        level: Literal["strict", "moderate"] = "strict", action: Literal["error", "warn"] = "error",
        schema: Mapping[str, Any] | None = None, timestamps: tuple[str, str] | None = None,
    ) -> None:  # fmt: skip
        if issubclass(model, RootModel):
            raise ContractError(f"{name}: a document is no {model.__name__}", next="give a model with fields")
        self.name, self.model, self.indexes = name, model, tuple(indexes)
        self.level, self.action, self.timestamps = level, action, timestamps
        #: Was the validator made from the model, so that both say the same?
        self.own_schema = schema is None
        chosen = dict(schema) if schema is not None else json_schema(model, timestamps or ())
        self.validator: dict[str, Any] = {"$jsonSchema": chosen}
        self._encodes, self._decodes = needs_encoding(model), needs_decoding(model)
        self._aware = not wants_naive(model)
        self._strangers = _strangers(name, model, timestamps or ())

    def create(self, db: Database[Any]) -> None:
        """Creates collection, validator and indexes; does nothing where they exist as declared.

        An index that is missing is made, one that nobody declares is left alone. Two at once are fine. Raises
        DriftError, naming all that differs, where the live collection is another one.
        """
        found = self._find(db)
        if found is None:
            try:
                db.create_collection(
                    self.name,
                    validator=self.validator,
                    validationLevel=self.level,
                    validationAction=self.action,
                )
            except (CollectionInvalid, OperationFailure) as error:
                # Another process may have been faster (NamespaceExists); then it is compared.
                found = self._find(db)
                if found is None or getattr(error, "code", _EXISTS) not in (_EXISTS, None):
                    raise
        self._compare([] if found is None else list(self._options_differ(found)), db)
        self._create_indexes(db)

    def _find(self, db: Database[Any]) -> Mapping[str, Any] | None:
        return next(iter(db.list_collections(filter={"name": self.name})), None)

    def _compare(self, differing: list[str], db: Database[Any]) -> None:
        live = {index["name"]: dict(index) for index in db[self.name].list_indexes()}
        for index in self.indexes:
            name = index.document["name"]
            if name in live:
                differing += [f"index {name}: {said}" for said in differences(index.document, live[name])]
        if differing:
            raise DriftError(f"{self.name}: {'; '.join(differing)}", next=_MIGRATE)

    def _create_indexes(self, db: Database[Any]) -> None:
        if not self.indexes:
            return
        try:
            # The server passes over those that are there already, also those that another process makes meanwhile.
            db[self.name].create_indexes(list(self.indexes))
        except OperationFailure as error:
            if error.code not in _INDEX_CONFLICTS:
                raise
            said = str((error.details or {}).get("errmsg", error))
            raise DriftError(f"{self.name}: {said}", next="drop that index, or declare its name") from None

    def _options_differ(self, found: Mapping[str, Any]) -> Iterator[str]:
        options: Mapping[str, Any] = found.get("options", {})
        kind = found.get("type", "collection")
        special = sorted(set(options) & _SPECIAL)
        if kind != "collection" or special:
            has = f"it has {', '.join(special)}" if special else f"it is a {kind}"
            step = "write a migration that makes a plain collection, or take another name"
            raise DriftError(f"{self.name}: {has}, declared is a plain collection", next=step)
        # Lists and tuples, 1 and 1.0: what counts is what the server was sent.
        sent: dict[str, Any] = bson.decode(bson.encode(self.validator))  # pyright: ignore[reportUnknownMemberType]
        declared = {"validator": sent, "validationLevel": self.level, "validationAction": self.action}
        for key, wanted in declared.items():
            live = options.get(key, _OPTION_DEFAULTS[key])
            if live != wanted:
                yield f"{key} is {live!r}, declared {wanted!r}"

    def load(self, document: Mapping[str, Any]) -> M:
        """A document as the model; datetimes are aware, in UTC, also from a client that gives naive ones.

        Raises ContractError that names the collection, the document's _id and the fields.
        """
        values = self._readable(document, self._decodes)
        try:
            return self.model.model_validate(values)
        except ValidationError as error:
            if not self._decodes:
                # A number may be stored as a decimal although the model says float.
                try:
                    return self.model.model_validate(self._readable(document, decode=True))
                except ValidationError:
                    pass
            raise self._unfit(document, error) from error

    def _readable(self, document: Mapping[str, Any], decode: bool) -> dict[str, Any]:
        values: dict[str, Any] = decoded(document, aware=self._aware) if decode else dict(document)
        for name in self._strangers:
            values.pop(name, None)
        return values

    def _unfit(self, document: Mapping[str, Any], error: ValidationError) -> ContractError:
        told = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False)
        )
        return ContractError(
            f"{self.name} {document.get('_id')!r} does not fit {self.model.__name__}: {told}",
            next="mend the document or the model",
        )

    def dump(self, value: M) -> dict[str, Any]:
        """The model as a document; both timestamps are set where absent, `_id` None is left to the driver.

        Computed fields are no part of it.
        """
        document = value.model_dump(by_alias=True, round_trip=True)
        if self._encodes:
            document = encoded(document)
        if document.get("_id", ...) is None:
            del document["_id"]
        if self.timestamps is not None:
            now = _now()
            for name in self.timestamps:
                if document.get(name) is None:
                    document[name] = now
        return document

    def touch(self, update: Mapping[str, Any]) -> dict[str, Any]:
        """The update with $set of the second timestamp added. The argument is left alone.

        Another operator on that field keeps it, since the server refuses two (code 40); only $setOnInsert gives way, and
        a new document gets the same value by $set. A replacement gets the field itself.
        Raises ContractError for a pipeline, which sets it with {"$set": {NAME: "$$NOW"}}.
        """
        if not isinstance(update, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            name = self.timestamps[1] if self.timestamps else "…"
            step = f'add {{"$set": {{"{name}": "$$NOW"}}}} as its last stage'
            raise ContractError(f"{self.name}: touch takes an update document, not a pipeline", next=step)
        if self.timestamps is None:
            return dict(update)
        name = self.timestamps[1]
        if update and not any(key.startswith("$") for key in update):
            return {**update, name: _now()}
        touched = dict(update)
        if "$setOnInsert" in touched:
            touched["$setOnInsert"] = {k: v for k, v in touched["$setOnInsert"].items() if k != name}
            if not touched["$setOnInsert"]:
                del touched["$setOnInsert"]
        if any(_changes(operator, fields, name) for operator, fields in touched.items()):
            return dict(update)
        return {**touched, "$set": {**touched.get("$set", {}), name: _now()}}


def _changes(operator: str, fields: Mapping[str, Any], name: str) -> bool:
    """Does an operator change the field in a way that $set of it cannot stand beside?"""
    paths = [*fields, *(map(str, fields.values()) if operator == "$rename" else ())]
    if operator == "$set":
        paths = [path for path in paths if path != name]
    return any(path == name or path.startswith(f"{name}.") for path in paths)


def _strangers(name: str, model: type[BaseModel], timestamps: Sequence[str]) -> frozenset[str]:
    """What documents hold and a model that forbids other fields does not: `_id` and the timestamps.

    Raises ContractError for timestamps that are no names of document fields.
    """
    stored = {f: document_name(model, f, info, strict=False) for f, info in model.model_fields.items()}
    for stamp in timestamps:
        if stored.get(stamp, stamp) != stamp:
            step = f"timestamps are the names in the document: {stored[stamp]}"
            raise ContractError(f"{name}: {stamp} is stored as {stored[stamp]}", next=step)
        if not stamp or "." in stamp or stamp.startswith("$"):
            raise ContractError(
                f"{name}: a timestamp cannot be called {stamp!r}", next="name a field at the top"
            )
    if model.model_config.get("extra") != "forbid":
        return frozenset()
    return frozenset({"_id", *timestamps}) - set(stored.values())


def _now() -> datetime:
    """Now in UTC to the millisecond, which is what BSON keeps."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
