"""Proofs for mutants of MongoDB collections that nothing notices: documents found by trying, as the text of a module."""

from __future__ import annotations

import copy
import re
import runpy
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from pprint import pformat
from typing import Any, cast

import pymongo.errors
from bson import ObjectId
from pymongo.database import Database

from dbtrust.engine.mongo.errors import failure_of
from dbtrust.engine.mongo.mutate import apply_changes
from dbtrust.judge.candidates import sample
from dbtrust.judge.mutants.mongo import Held
from dbtrust.model.location import NOWHERE
from dbtrust.model.mutants import Mutant
from dbtrust.model.project import ClaimLine
from dbtrust.schema.mutation import MONGO_HEADER
from dbtrust.source.objects import MongoProof

Document = dict[str, Any]
#: Documents tried for one mutant.
TRIALS = 600
#: How often a refused document is mended before it is taken as it is.
_REPAIRS = 12
_GONE: Any = object()
_VALUES: tuple[Any, ...] = (
    _GONE, None, "dbtrust", "", 0, 1, -1, 1.5, True, [], [1], ["x"], [{}], {}, {"x": 1}, datetime(2000, 1, 1, tzinfo=UTC),
    ObjectId("0" * 24), "x" * 300,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Draft:
    """A proof in the making: its claim and the lines of its function over `db`."""

    claim: str
    lines: tuple[str, ...]

    def source(self, name: str, what: str) -> str:
        """The function as it is written to a file."""
        body = "\n".join(f"    {line}" for text in self.lines for line in text.splitlines())
        said = what.replace("\\", "\\\\").replace('"', "'")
        return f'@proof("{self.claim}")\ndef {name}(db: Database[Any]) -> object:\n    """{said}"""\n{body}\n'


def as_proof(text: str, name: str, claim: str) -> MongoProof:
    """The function that stands in the text, run as the file would be."""
    with tempfile.TemporaryDirectory(prefix="dbtrust-") as folder:
        file = Path(folder) / "proofs.py"
        file.write_text(f"{MONGO_HEADER}\n\n{text}", encoding="utf-8")
        function = runpy.run_path(str(file))[name]
    return MongoProof(name, function, ClaimLine(claim, NOWHERE), NOWHERE, Path(folder))


def drafts(empty: Database[Any], held: Held, mutant: Mutant, example: Document | None) -> list[Draft]:
    """Proofs worth running, the best first; `empty` is a database to try documents in, `example` one of the data."""
    trial = _Trial(empty, held, mutant, _base(held, example))
    makers = {
        "clause": trial.clause,
        "action": trial.action,
        "level": trial.level,
        "unique_index": trial.unique,
    }
    found = list(makers[mutant.aim.kind]()) if mutant.aim.kind in makers else []
    return [*found, _structure(held, mutant)]


def _structure(held: Held, mutant: Mutant) -> Draft:
    """What listIndexes or listCollections says, word for word."""
    if mutant.index:
        spec = next(spec for spec in held.indexes if spec["name"] == mutant.index)
        told = {k: v for k, v in spec.items() if k not in ("name", "ns")} | {"key": list(spec["key"].items())}
        return Draft(
            "true",
            (
                f"expected = {written(told)}",
                f"return db[{held.name!r}].index_information().get({mutant.index!r}) == expected",
            ),
        )
    if mutant.aim.kind in ("action", "level"):
        key, default = (
            ("validationAction", "error") if mutant.aim.kind == "action" else ("validationLevel", "strict")
        )
        return Draft(
            "true", (f"return db[{held.name!r}].options().get({key!r}, {default!r}) == {default!r}",)
        )
    told = written(held.options.get("validator"))
    return Draft(
        "true", (f"expected = {told}", f'return db[{held.name!r}].options().get("validator") == expected')
    )


def written(value: Any) -> str:
    """A value as Python that `MONGO_HEADER` can read."""
    return pformat(_plain(value), width=100, sort_dicts=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, (list, tuple)):
        kept = [_plain(inner) for inner in cast("Sequence[Any]", value)]
        return tuple(kept) if isinstance(value, tuple) else kept
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value
    return value


def _base(held: Held, example: Document | None) -> Document:
    """A document that the validator takes, most likely: one of the data, else one made from the schema."""
    schema = {"bsonType": "object", **held.options.get("validator", {}).get("$jsonSchema", {})}
    document: Document = dict(example) if example else _made(schema)
    key = document.pop("_id", None)
    if isinstance(key, (int, float)):
        document["_id"] = -1
    elif isinstance(key, str):
        document["_id"] = "dbtrust"
    return document


_BY_TYPE: dict[str, Any] = {
    "string": "a", "number": 1, "int": 1, "long": 1, "double": 1.5, "bool": True, "boolean": True, "array": [],
    "date": datetime(2024, 1, 1, tzinfo=UTC), "objectId": ObjectId("0" * 24), "null": None,
}  # fmt: skip


def _made(schema: Mapping[str, Any]) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    kind: Any = schema.get("bsonType", schema.get("type", "object" if "properties" in schema else "string"))
    kind = str(cast("list[Any]", kind)[0] if isinstance(kind, list) else kind)
    if kind == "object":
        properties: Mapping[str, Any] = schema.get("properties", {})
        return {name: _made(inner) for name, inner in properties.items() if name != "_id"}
    if "minimum" in schema or "maximum" in schema:
        return schema.get("minimum", schema.get("maximum"))
    return (sample(schema["pattern"]) if "pattern" in schema else None) or _BY_TYPE.get(kind, "a")


class _Trial:
    """Two collections of one empty database: under the schema as it is, and under the mutant."""

    def __init__(self, empty: Database[Any], held: Held, mutant: Mutant, base: Document) -> None:
        self._held, self._mutant = held, mutant
        options = {k: v for k, v in held.options.items() if k.startswith("validat")}
        self._old, self._new = empty["dbtrust_old"], empty[held.name]
        for collection in (self._old, self._new):
            empty.command({"create": collection.name, **options})
        self._base = self._mended(base)
        if mutant.subject.startswith("collection:"):
            apply_changes(empty, mutant.changes)

    def _mended(self, document: Document) -> Document:
        """The document with other values where the validator refuses it, as far as trying finds some."""
        for _ in range(_REPAIRS):
            refused = self._refusal(self._old, document)
            if refused is None:
                break
            paths = [refused] if refused else list(_paths(document, ""))
            other = (_with(document, path.split("."), value) for path in paths for value in self._values())
            document = next((d for d in other if self._refusal(self._old, d) not in (refused, "")), document)
        return document

    def clause(self) -> Iterator[Draft]:
        """Documents that one of the two refuses and the other takes."""
        for document in self._documents():
            old, new = self._refusal(self._old, document), self._refusal(self._new, document)
            if (old is None) != (new is None):
                yield self._refused(document, old) if old is not None else self._taken(document)

    def action(self) -> Iterator[Draft]:
        """A document that is refused only as long as the action is error."""
        yield from self.clause()

    def level(self) -> Iterator[Draft]:
        """A document that is invalid already: may it be updated?"""
        where = f"db[{self._held.name!r}]"
        for document in self._documents():
            if self._refusal(self._old, document) is not None and "_id" not in document:
                document = {"_id": "dbtrust proof", **document}
                yield Draft("refused 121", (
                    f"document = {written(document)}", f"{where}.insert_one(document, bypass_document_validation=True)",
                    f'return {where}.update_one({{"_id": "dbtrust proof"}}, {{"$currentDate": {{"dbtrust": True}}}})',
                ))  # fmt: skip
                return

    def unique(self) -> Iterator[Draft]:
        """The same key twice."""
        where = f"db[{self._held.name!r}]"
        second = {**self._base, "_id": -2} if self._base.get("_id") == -1 else self._base
        for document in (self._base, _filled(self._base, self._held, self._mutant.index)):
            yield Draft(f"refused 11000 by {_quoted(self._mutant.index)}", (
                f"{where}.insert_one({written(document)})",
                f"return {where}.insert_one({written({**document, **{k: v for k, v in second.items() if k == '_id'}})})",
            ))  # fmt: skip

    def _refused(self, document: Document, path: str) -> Draft:
        plain = re.fullmatch(r"[\w.$-]+", path) is not None
        claim = f"refused 121 on {path}" if plain else "refused 121"
        return Draft(claim, (f"return db[{self._held.name!r}].insert_one({written(document)})",))

    def _taken(self, document: Document) -> Draft:
        return Draft(
            "true", (f"return db[{self._held.name!r}].insert_one({written(document)}).acknowledged",)
        )

    def _refusal(self, collection: Any, document: Document) -> str | None:
        """Where the validator refuses the document ("" where it does not say), None where it takes it."""
        try:
            collection.insert_one(copy.deepcopy(document))
        except pymongo.errors.DuplicateKeyError:
            collection.delete_many({})
            return self._refusal(collection, document)
        except pymongo.errors.WriteError as error:
            return failure_of(error).path or ""
        except (pymongo.errors.PyMongoError, OverflowError) as error:
            return "" if not isinstance(error, pymongo.errors.ConnectionFailure) else _raise(error)
        return None

    def _documents(self) -> Iterator[Document]:
        """The base with one value changed: at the clause's path first, then anywhere."""
        aim = self._mutant.aim.name
        paths = [aim] if aim else list(_paths(self._base, ""))
        tried = 0
        for path in paths:
            for value in self._values():
                tried += 1
                if tried > TRIALS:
                    return
                yield _with(self._base, path.split("."), value)

    def _values(self) -> list[Any]:
        found: list[Any] = []
        for value in _leaves(self._held.options.get("validator", {})):
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                found += [value, value - 1, value + 1, value - 0.5]
                found += [
                    text
                    for n in (value - 1, value, value + 1)
                    if 0 <= n <= 400
                    for text in ("x" * int(n), ["x"] * int(n))
                ]
            elif isinstance(value, str):
                made = sample(value)
                found += [value, *(made * count for count in (1, 2, 3, 8) if made)]
        return [*_VALUES, *found]


def _raise(error: BaseException) -> Any:
    raise error


def _filled(base: Document, held: Held, index: str) -> Document:
    """The base with text in each field of the index that it lacks."""
    spec = next(spec for spec in held.indexes if spec["name"] == index)
    filled = copy.deepcopy(base)
    for field in spec["key"]:
        filled = _with(filled, field.split("."), "dbtrust")
    return filled


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[\w$.-]+", name) else '"' + name.replace('"', '""') + '"'


def _paths(document: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name, value in document.items():
        if isinstance(value, Mapping):
            yield from _paths(cast("Mapping[str, Any]", value), f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _leaves(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        for inner in cast("Mapping[str, Any]", value).values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from _leaves(inner)
    else:
        yield value


def _with(document: Document, path: Sequence[str], value: Any) -> Document:
    """A copy with the value at the path, in the first element of an array on the way; _GONE takes it away."""
    result = copy.deepcopy(document)
    here = result
    for name in path[:-1]:
        here = _below(here, name)
    if value is _GONE:
        here.pop(path[-1], None)
    else:
        here[path[-1]] = copy.deepcopy(value)
    return result


def _below(here: Document, name: str) -> Document:
    """The document under a name, made where there is none."""
    below: Any = here.get(name)
    if isinstance(below, list):
        elements = cast("list[Any]", below)
        if not elements or not isinstance(elements[0], dict):
            elements[:1] = [{}]
        return cast("Document", elements[0])
    if not isinstance(below, dict):
        below = here[name] = {}
    return cast("Document", below)
