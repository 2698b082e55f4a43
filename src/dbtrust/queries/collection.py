"""Collection: a pydantic model, the validator and indexes that go with it, and the write path's timestamps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ValidationError
from pymongo import IndexModel
from pymongo.database import Database

from dbtrust.model.errors import ContractError, DriftError
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


class Collection(Generic[M]):
    """A declared collection. `validator` is what the server gets: {"$jsonSchema": …}."""

    def __init__(
        self, name: str, model: type[M], *, indexes: Sequence[IndexModel] = (),
        level: Literal["strict", "moderate"] = "strict", action: Literal["error", "warn"] = "error",
        schema: Mapping[str, Any] | None = None, timestamps: tuple[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.name, self.model, self.indexes = name, model, tuple(indexes)
        self.level, self.action, self.timestamps = level, action, timestamps
        #: Was the validator made from the model, so that both say the same?
        self.own_schema = schema is None
        chosen = dict(schema) if schema is not None else json_schema(model, timestamps or ())
        self.validator: dict[str, Any] = {"$jsonSchema": chosen}

    def create(self, db: Database[Any]) -> None:
        """Creates collection, validator and indexes; does nothing where they exist as declared.

        Raises DriftError, naming what differs, where the live collection is another one.
        """
        found = next(iter(db.list_collections(filter={"name": self.name})), None)
        if found is None:
            db.create_collection(
                self.name, validator=self.validator, validationLevel=self.level, validationAction=self.action
            )
        else:
            self._compare_options(found.get("options", {}))
        present = {index["name"]: dict(index) for index in db[self.name].list_indexes()}
        missing = [index for index in self.indexes if index.document["name"] not in present]
        for index in self.indexes:
            if index not in missing:
                self._compare_index(index, present[index.document["name"]])
        if missing:
            db[self.name].create_indexes(missing)

    def _compare_options(self, options: Mapping[str, Any]) -> None:
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
            return self.model.model_validate(dict(document))
        except ValidationError as error:
            fields = ", ".join(".".join(map(str, e["loc"])) for e in error.errors(include_url=False))
            raise ContractError(
                f"{self.name} {document.get('_id')!r} does not fit {self.model.__name__}: {fields}",
                next="mend the document or the model",
            ) from error

    def dump(self, value: M) -> dict[str, Any]:
        """The model as a document; both timestamps are set where absent, `_id` None is left to the driver."""
        document = value.model_dump(by_alias=True)
        if document.get("_id", ...) is None:
            del document["_id"]
        if self.timestamps is not None:
            now = _now()
            for name in self.timestamps:
                if document.get(name) is None:
                    document[name] = now
        return document

    def touch(self, update: Mapping[str, Any]) -> dict[str, Any]:
        """The update with $set of the second timestamp added. The argument is left alone."""
        if self.timestamps is None:
            return dict(update)
        return {**update, "$set": {**update.get("$set", {}), self.timestamps[1]: _now()}}


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
