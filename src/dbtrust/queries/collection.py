"""Collection: a pydantic model, the validator and indexes that go with it, and the write path's timestamps."""

from __future__ import annotations

import decimal
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, RootModel, ValidationError
from pymongo import IndexModel
from pymongo.database import Database
from pymongo.errors import CollectionInvalid, OperationFailure

from dbtrust.model.errors import ContractError, DriftError
from dbtrust.queries.documents import FOREIGN, decoded, encoded, mentions
from dbtrust.queries.json_schema import json_schema

M = TypeVar("M", bound=BaseModel)
#: What listIndexes adds to a specification on its own.
_SERVER_SIDE = frozenset(
    {
        "v",
        "ns",
        "background",
        "textIndexVersion",
        "default_language",
        "language_override",
        "2dsphereIndexVersion",
    }
)


_OPTION_DEFAULTS: dict[str, Any] = {"validator": {}, "validationLevel": "strict", "validationAction": "error"}


#: What makes a collection of another kind.
_SPECIAL = frozenset({"capped", "timeseries", "clusteredIndex", "collation", "viewOn", "expireAfterSeconds"})
#: NamespaceExists.
_EXISTS = 48


class Collection(Generic[M]):
    """A declared collection. `validator` is what the server gets: {"$jsonSchema": …}."""

    def __init__(
        self, name: str, model: type[M], *, indexes: Sequence[IndexModel] = (),
        level: Literal["strict", "moderate"] = "strict", action: Literal["error", "warn"] = "error",
        schema: Mapping[str, Any] | None = None, timestamps: tuple[str, str] | None = None,
    ) -> None:  # fmt: skip
        if "root" in model.model_fields and issubclass(model, RootModel):
            raise ContractError(f"{name}: a document is no {model.__name__}", next="give a model with fields")
        self.name, self.model, self.indexes = name, model, tuple(indexes)
        self.level, self.action, self.timestamps = level, action, timestamps
        #: Was the validator made from the model, so that both say the same?
        self.own_schema = schema is None
        chosen = dict(schema) if schema is not None else json_schema(model, timestamps or ())
        self.validator: dict[str, Any] = {"$jsonSchema": chosen}
        self._decimals = mentions(model, (decimal.Decimal,))
        # A field of type Any may hold whatever the caller puts there.
        self._plain = not mentions(model, FOREIGN) and "Any" not in str(_annotations(model))
        self._computed = set(model.model_computed_fields) or None

    def create(self, db: Database[Any]) -> None:
        """Creates collection, validator and indexes; does nothing where they exist as declared.

        Two at once are fine. Raises DriftError, naming what differs, where the live collection is another one.
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
        if found is not None:
            self._compare_options(found)
        self._create_indexes(db)

    def _find(self, db: Database[Any]) -> Mapping[str, Any] | None:
        return next(iter(db.list_collections(filter={"name": self.name})), None)

    def _create_indexes(self, db: Database[Any]) -> None:
        present = {index["name"]: dict(index) for index in db[self.name].list_indexes()}
        missing = [index for index in self.indexes if index.document["name"] not in present]
        for index in self.indexes:
            if index not in missing:
                self._compare_index(index, present[index.document["name"]])
        if missing:
            db[self.name].create_indexes(missing)

    def _compare_options(self, found: Mapping[str, Any]) -> None:
        options: Mapping[str, Any] = found.get("options", {})
        kind = found.get("type", "collection")
        if kind != "collection":
            raise DriftError(f"{self.name} is a {kind}", next="give the collection another name")
        if special := sorted(set(options) & _SPECIAL):
            step = "write a migration that makes a plain collection"
            raise DriftError(f"{self.name}: it has {', '.join(special)}, declared are none", next=step)
        declared = {
            "validator": self.validator,
            "validationLevel": self.level,
            "validationAction": self.action,
        }
        for key, wanted in declared.items():
            live = options.get(key, _OPTION_DEFAULTS[key])
            if live != wanted:
                raise DriftError(
                    f"{self.name}: {key} is {live!r}, declared {wanted!r}",
                    next="write a migration that changes it",
                )

    def _compare_index(self, index: IndexModel, live: Mapping[str, Any]) -> None:
        wanted, found = comparable(index.document), comparable(live)
        if wanted != found:
            name = index.document["name"]
            raise DriftError(
                f"{self.name}.{name} is {found!r}, declared {wanted!r}",
                next="write a migration that changes it",
            )

    def load(self, document: Mapping[str, Any]) -> M:
        """A document as the model. Raises ContractError that names the collection and the fields."""
        try:
            return self.model.model_validate(decoded(document) if self._decimals else dict(document))
        except ValidationError as error:
            told = "; ".join(
                f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False)
            )
            raise ContractError(
                f"{self.name} {document.get('_id')!r} does not fit {self.model.__name__}: {told}",
                next="mend the document or the model",
            ) from error

    def dump(self, value: M) -> dict[str, Any]:
        """The model as a document; both timestamps are set where absent, `_id` None is left to the driver."""
        document = value.model_dump(by_alias=True, exclude=self._computed)
        if not self._plain:
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

        Another operator on that field keeps it: the server refuses two (code 40). A replacement gets the field itself.
        """
        if self.timestamps is None:
            return dict(update)
        name = self.timestamps[1]
        if not any(key.startswith("$") for key in update):
            return {**update, name: _now()}
        if any(name in fields for operator, fields in update.items() if operator != "$set"):
            return dict(update)
        return {**update, "$set": {**update.get("$set", {}), name: _now()}}


def _annotations(model: type[BaseModel]) -> list[Any]:
    return [f.annotation for f in model.model_fields.values()]


def _now() -> datetime:
    """Now in UTC to the millisecond, which is what BSON keeps."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def comparable(index: Mapping[str, Any]) -> dict[str, Any]:
    """An index's specification without what the server adds; a text index's keys come from its weights."""
    spec = {key: value for key, value in index.items() if key not in _SERVER_SIDE}
    keys = list(dict(spec.pop("key")).items())
    if "weights" not in spec and any(direction == "text" for _, direction in keys):
        spec["weights"] = {name: 1 for name, direction in keys if direction == "text"}
    if "weights" in spec:
        spec["weights"] = dict(sorted(spec["weights"].items()))
        keys = [(n, d) for n, d in keys if d != "text" and n not in ("_fts", "_ftsx")]
    spec["key"] = [(name, float(d) if isinstance(d, int | float) else d) for name, d in keys]
    return spec
