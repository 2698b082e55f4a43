"""Mutants of MongoDB collections: each clause of a validator, level and action, each index and option of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from dbtrust.judge.mongo_indexes import redundant_indexes
from dbtrust.model.catalog import Catalog
from dbtrust.model.mutants import Aim, MongoChange, Mutant

Document = Mapping[str, Any]
#: Keywords of $jsonSchema that say nothing about a document by themselves.
_SILENT = frozenset({"title", "description", "properties"})
_LISTS = frozenset({"allOf", "anyOf", "oneOf"})
#: Options of an index whose loss changes what it does.
_OPTIONS = (
    "unique", "sparse", "partialFilterExpression", "expireAfterSeconds", "collation", "wildcardProjection", "hidden",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Held:
    """A collection as listCollections and listIndexes tell it."""

    name: str
    options: Document
    indexes: Sequence[Document]


def mongo_mutants(catalog: Catalog, collections: Sequence[Held]) -> list[Mutant]:
    """In the order of their subjects. A collection without validator and index has none."""
    redundant = {
        f.subject: f"{f.evidence['kept']} serves all that it serves" for f in redundant_indexes(catalog)
    }
    made: list[Mutant] = []
    for held in collections:
        made += _validator_mutants(held)
        for spec in held.indexes:
            if spec["name"] != "_id_" and not spec.get("clustered"):
                made += _index_mutants(held, spec, redundant.get(f"index:{held.name}.{spec['name']}", ""))
    return sorted(made, key=lambda mutant: mutant.subject)


def _validator_mutants(held: Held) -> Iterator[Mutant]:
    validator: Document = held.options.get("validator") or {}
    if not validator:
        return
    silent = held.options.get("validationLevel") == "off" or held.options.get("validationAction") == "warn"
    why = "level or action make the validator refuse nothing" if silent else ""
    for clause in _clauses(validator):
        change = {"collMod": held.name, "validator": clause.document}
        yield _mutant(
            held,
            clause.operator,
            f"{held.name} {clause.what}",
            change,
            clause.aim(held.name),
            why or clause.equivalent,
        )
    if held.options.get("validationAction", "error") == "error":
        yield _mutant(
            held,
            "action",
            f"{held.name} warns instead of refusing",
            {"collMod": held.name, "validationAction": "warn"},
            Aim("action", table=held.name),
        )
    if held.options.get("validationLevel", "strict") == "strict" and not silent:
        yield _mutant(
            held,
            "level",
            f"{held.name} lets invalid old documents be updated",
            {"collMod": held.name, "validationLevel": "moderate"},
            Aim("level", table=held.name),
        )


def _mutant(held: Held, operator: str, what: str, change: Document, aim: Aim, equivalent: str = "") -> Mutant:
    undo = {
        "collMod": held.name, "validator": held.options["validator"],
        "validationAction": held.options.get("validationAction", "error"),
        "validationLevel": held.options.get("validationLevel", "strict"),
    }  # fmt: skip
    return Mutant(
        "mongo", f"collection:{held.name}", operator, what, (MongoChange(change, undo),), None,
        frozenset({("", held.name)}), aim=aim, equivalent=equivalent,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Clause:
    """A validator without one clause: `path` is where in a document that clause looks."""

    operator: str
    what: str
    document: Document
    path: str = ""
    equivalent: str = ""

    def aim(self, collection: str) -> Aim:
        return Aim("clause", table=collection, name=self.path, text=self.operator)

    def inside(self, outer: Document, key: str) -> _Clause:
        """The same clause of a document that has this one's under `key`."""
        return _Clause(self.operator, self.what, {**outer, key: self.document}, self.path, self.equivalent)


def _clauses(validator: Document) -> Iterator[_Clause]:
    """A match expression: its schema clause by clause, each other condition as a whole, also below $and."""
    for key, condition in validator.items():
        if key == "$jsonSchema":
            for clause in _schema(condition, ""):
                yield clause.inside(validator, key)
        elif key == "$and" and len(condition) > 1:
            for number, part in enumerate(condition):
                rest = [other for place, other in enumerate(condition) if place != number]
                yield _Clause("condition", f"without {part}", {**validator, key: rest}, _field(part))
        else:
            rest = {other: value for other, value in validator.items() if other != key}
            yield _Clause("condition", f"without {key}: {condition}", rest, _field({key: condition}))


def _field(condition: Document) -> str:
    return next((key for key in condition if not key.startswith("$")), "")


def _schema(schema: Document, path: str) -> Iterator[_Clause]:
    for keyword, said in schema.items():
        if keyword == "properties":
            for name, inner in said.items():
                for clause in _schema(inner, f"{path}.{name}" if path else name):
                    yield clause.inside(said, name).inside(schema, keyword)
        elif keyword == "items" and isinstance(said, Mapping):
            for clause in _schema(cast("Document", said), path):
                yield clause.inside(schema, keyword)
        elif keyword not in _SILENT:
            yield from _keyword(schema, keyword, said, path)


def _keyword(schema: Document, keyword: str, said: Any, path: str) -> Iterator[_Clause]:
    where = f" of {path}" if path else ""
    if keyword == "required":
        for name in said:
            full = f"{path}.{name}" if path else name
            rest = [other for other in said if other != name]
            why = "every document has an _id" if full == "_id" else ""
            yield _Clause(
                "required", f"does not require {full}", _replaced(schema, keyword, rest or None), full, why
            )
        return
    why = ""
    if keyword in ("bsonType", "type") and not path and said == "object":
        why = "a document is always an object"
    elif (keyword == "additionalProperties" and said is True) or (
        keyword in ("exclusiveMinimum", "exclusiveMaximum") and said is False
    ):
        why = "it is the default"
    bare = _replaced(schema, keyword, None)
    if keyword in ("minimum", "maximum"):
        bare = _replaced(bare, f"exclusive{keyword.title()}", None)
    yield _Clause(keyword, f"without {keyword} {_said(said)}{where}", bare, path, why)
    yield from _narrowed(schema, keyword, said, path, where)


def _narrowed(schema: Document, keyword: str, said: Any, path: str, where: str) -> Iterator[_Clause]:
    """Forms that refuse one thing more, or, of a list of alternatives, ask for one less."""
    if keyword in ("minimum", "maximum"):
        exclusive = f"exclusive{keyword.title()}"
        if not schema.get(exclusive):
            yield _Clause("boundary", f"refuses {said}{where}", _replaced(schema, exclusive, True), path)
    elif keyword == "enum" and len(said) > 1:
        for value in said:
            rest = [other for other in said if other != value]
            yield _Clause("enum", f"refuses {value!r}{where}", _replaced(schema, keyword, rest), path)
    elif keyword in _LISTS and len(said) > 1:
        for number in range(len(said)):
            rest = [other for place, other in enumerate(said) if place != number]
            yield _Clause(
                keyword,
                f"without part {number + 1} of {keyword}{where}",
                _replaced(schema, keyword, rest),
                path,
            )


def _replaced(schema: Document, keyword: str, new: Any) -> Document:
    rest = {key: value for key, value in schema.items() if key != keyword}
    return rest if new is None else {**rest, keyword: new}


def _said(value: Any) -> str:
    text = " or ".join(map(str, cast("list[Any]", value))) if isinstance(value, list) else str(value)
    return text if len(text) <= 60 else f"{text[:58]} …"


def _index_mutants(held: Held, spec: Document, redundant: str) -> Iterator[Mutant]:
    yield _index(held, spec, "drop", "dropped", None, redundant)
    for option in _OPTIONS:
        if spec.get(option):
            rest = {key: value for key, value in spec.items() if key != option}
            aim = "unique_index" if option == "unique" else ""
            yield _index(held, spec, option, f"without {option} {_said(spec[option])}", rest, redundant, aim)
    keys = list(cast("Document", spec["key"]).items())
    if any(direction not in (1, -1) for _, direction in keys):
        return
    last, direction = keys[-1]
    turned = [*keys[:-1], (last, -direction)]
    why = "an index of one field is read both ways" if len(keys) == 1 else ""
    yield _index(
        held, spec, "direction", f"with {last} the other way", {**spec, "key": dict(turned)}, redundant or why
    )
    if len(keys) > 1:
        swapped = [keys[1], keys[0], *keys[2:]]
        yield _index(
            held, spec, "swap", "with its first two fields swapped", {**spec, "key": dict(swapped)}, redundant
        )
        if not spec.get("unique"):
            yield _index(
                held, spec, "shorten", f"without {last}", {**spec, "key": dict(keys[:-1])}, redundant
            )


def _index(
    held: Held, spec: Document, operator: str, what: str, new: Document | None, equivalent: str, aim: str = ""
) -> Mutant:
    changes = [MongoChange({"dropIndexes": held.name, "index": spec["name"]})]
    if new is not None:
        changes.append(MongoChange({"createIndexes": held.name, "indexes": [new]}))
    aim = aim or ("unique_index" if operator == "drop" and spec.get("unique") else "")
    return Mutant(
        "mongo", f"index:{held.name}.{spec['name']}", operator, f"index {held.name}.{spec['name']} {what}",
        tuple(changes), None, frozenset({("", held.name)}), index=spec["name"],
        aim=Aim(aim, table=held.name, name=spec["name"]), equivalent=equivalent,
    )  # fmt: skip
