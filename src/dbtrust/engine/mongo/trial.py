"""Documents tried against a validator: on one collection that has it, and on one that has none to ask in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

from bson import ObjectId
from pymongo.database import Database
from pymongo.errors import BulkWriteError, OperationFailure, PyMongoError, WriteError

from dbtrust.engine.mongo.copy import index_command
from dbtrust.engine.mongo.errors import failure_of

Document = dict[str, Any]
_PLAIN, _STRICT = "dbtrust_plain", "dbtrust_strict"


class Refusal:
    """A server's error: its code, the paths and operators that a validator names, the index of a duplicate."""

    def __init__(self, error: PyMongoError) -> None:
        failure = failure_of(error)
        self.code, self.message, self.paths, self.index = (
            failure.code,
            failure.message,
            failure.paths,
            failure.index,
        )
        details = error.details if isinstance(error, OperationFailure) else None
        self.operators = frozenset(_operators(details or {}))
        self.details = cast("Mapping[str, Any]", details or {}).get("errInfo", {}).get("details", {})

    def __str__(self) -> str:
        return f"{self.code} {self.message}"


def _operators(node: object) -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, value in cast("Mapping[str, Any]", node).items():
            if key == "operatorName":
                yield str(value)
            yield from _operators(value)
    elif isinstance(node, list):
        for item in cast("list[Any]", node):
            yield from _operators(item)


class Bench:
    """Two scratch collections of a database: a plain one, and one with the validator that is tried."""

    def __init__(self, database: Database[Any], validator: Mapping[str, Any]) -> None:
        self.validator = dict(validator)
        self._database = database
        for name in (_PLAIN, _STRICT):
            database.drop_collection(name)
            database.create_collection(name)
        self.guard(self.validator)

    def guard(self, validator: Mapping[str, Any]) -> None:
        """Puts a validator on the strict collection. Raises OperationFailure where the server does not take it."""
        command = {
            "collMod": _STRICT,
            "validator": dict(validator),
            "validationLevel": "strict",
            "validationAction": "error",
        }
        self._database.command(command)

    def matching(self, candidates: Sequence[Document], condition: Mapping[str, Any]) -> list[Document]:
        """Those documents for which a condition is true, as the server finds, in order. Raises OperationFailure."""
        plain = self._database[_PLAIN]
        plain.delete_many({})
        if not candidates:
            return []
        # What cannot be stored at all (an _id that is an array) is no candidate.
        with suppress(BulkWriteError):
            plain.insert_many([numbered(d, n) for n, d in enumerate(candidates, 1)], ordered=False)
        return list(plain.find(dict(condition), hint={"$natural": 1}))

    def insert(self, document: Document) -> Refusal | None:
        """What the strict collection says; nothing stays in it."""
        strict = self._database[_STRICT]
        try:
            strict.insert_one(dict(document))
        except (WriteError, OperationFailure) as error:
            return Refusal(error)
        strict.delete_many({})
        return None

    def twice(self, first: Document, second: Document, index: Mapping[str, Any] | None) -> Refusal | None:
        """Two documents one after the other, under one unique index or none."""
        strict = self._database[_STRICT]
        strict.drop_indexes()
        try:
            if index is not None:
                self._database.command({"createIndexes": _STRICT, "indexes": [index_command(index)]})
            strict.insert_many([dict(first), dict(second)])
        except (BulkWriteError, OperationFailure) as error:
            return Refusal(error)
        finally:
            strict.delete_many({})
        return None

    def close(self) -> None:
        for name in (_PLAIN, _STRICT):
            self._database.drop_collection(name)


def numbered(document: Document, number: int) -> Document:
    """With an ObjectId that is the same in every run, unless its _id is of another type."""
    own = isinstance(document.get("_id", ObjectId("0" * 24)), ObjectId)
    return {**document, "_id": ObjectId(f"{number:024x}")} if own else document
