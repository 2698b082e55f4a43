"""contract.* of MongoDB methods: the fields that their commands name, the values they compare, what they return.

The commands are those that the examples sent; nothing is run again but a document that a validator lets through
although the model refuses it.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pymongo.errors
from pydantic import BaseModel

from dbtrust.claims.mongo import ParsedMethod
from dbtrust.engine.mongo.catalog import collections
from dbtrust.judge.contracts.annotations import accepts_none, fits, parts
from dbtrust.judge.mongo_commands import Fault, Reading
from dbtrust.judge.mongo_shapes import ANYTHING, Shape, Shapes, shape_of
from dbtrust.model.errors import ContractError
from dbtrust.model.report import Outcome, Verdict
from dbtrust.model.words import nearest
from dbtrust.queries.annotations import bare
from dbtrust.queries.json_schema import outline
from dbtrust.source.project import Declared
from dbtrust.stage.mongo import MongoStage, Scratch

PARAMETERS, COLUMNS, NULLABILITY, CARDINALITY = (
    "contract.parameters", "contract.columns", "contract.nullability", "contract.cardinality",
)  # fmt: skip
#: Keywords of $jsonSchema that judge one field alone: then refusing each field's absence and null is a proof.
_SIMPLE = frozenset({
    "bsonType", "type", "required", "properties", "additionalProperties", "items", "enum", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "pattern", "minItems", "maxItems", "multipleOf",
    "uniqueItems", "title", "description",
})  # fmt: skip


@dataclass(slots=True)
class Contracts:
    """What is known of the collections: shapes, declared objects, live validators, and what was tried on them."""

    stage: MongoStage
    scratch: Scratch
    declared: Mapping[str, Any]
    shapes: Shapes
    live: Mapping[str, Mapping[str, Any]]
    _tried: dict[str, _Promise] = field(default_factory=dict[str, "_Promise"])

    def promise(self, name: str) -> _Promise:
        """Does the live validator keep what the model of a declared collection needs? Tried once."""
        if name not in self._tried:
            self._tried[name] = _try(self, self.declared[name])
        return self._tried[name]


@dataclass(frozen=True, slots=True)
class _Promise:
    """A document that the server takes and the model does not, or whether there is none."""

    broken: str = ""
    document: Any = None
    proven: bool = False
    said: str = ""


def judge_contracts(
    stage: MongoStage, scratch: Scratch, parsed: Sequence[ParsedMethod], declared: Sequence[Declared]
) -> list[Verdict]:
    """The four verdicts of every method that ran."""
    live = {info["name"]: dict(info.get("options", {})) for info in collections(stage.reading())}
    known = {d.collection.name: d.collection for d in declared}
    contracts = Contracts(stage, scratch, known, _shapes(known, live), live)
    return [verdict for item in parsed for verdict in _judge(contracts, item)]


def _shapes(declared: Mapping[str, Any], live: Mapping[str, Mapping[str, Any]]) -> Shapes:
    shapes = Shapes()
    for name, options in live.items():
        schema = options.get("validator", {}).get("$jsonSchema")
        if schema and schema.get("properties"):
            shapes.known[name] = _with_id(shape_of(schema, closed=False, vague=True))
    for name, collection in declared.items():
        shapes.known[name] = _with_id(_declared_shape(collection))
    return shapes


def _declared_shape(collection: Any) -> Shape:
    """What the model says; a schema of the author's own may name further fields."""
    closed = collection.model.model_config.get("extra") != "allow"
    if collection.own_schema:
        return shape_of(collection.validator["$jsonSchema"], closed=closed)
    shape = shape_of(outline(collection.model), closed=closed)
    said = shape_of(collection.validator["$jsonSchema"], closed=closed).fields or {}
    stamps = dict.fromkeys(collection.timestamps or (), Shape(frozenset({"date"})))
    known = shape.fields or {}
    return shape.with_fields({n: s for n, s in {**stamps, **said}.items() if n not in known and "." not in n})


def _with_id(shape: Shape) -> Shape:
    return shape if "_id" in (shape.fields or {}) else shape.with_fields({"_id": ANYTHING})


def _judge(contracts: Contracts, item: ParsedMethod) -> list[Verdict]:
    method = item.method
    function = inspect.getattr_static(method.owner, method.name)
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except (NameError, TypeError) as error:
        step = "define that type at the top of its module"
        message = f"its annotations cannot be read: {error}"
        return [_verdict(check, item, "refuted", message, step) for check in (PARAMETERS,)] + [
            _verdict(check, item, "unproved", message, step, "undecided")
            for check in (COLUMNS, NULLABILITY, CARDINALITY)
        ]
    reading = Reading(contracts.shapes)
    for ran in item.ran:
        for command in ran.commands:
            reading.command(command.name, command.command)
    return [
        _parameters(item, hints, function, reading),
        _columns(item, hints, reading),
        _nullability(contracts, item, hints),
        _cardinality(item, hints),
    ]


def _parameters(item: ParsedMethod, hints: Mapping[str, Any], function: Any, reading: Reading) -> Verdict:
    wrong = next(_examples(item, hints, function), None) or _first(reading, "value")
    if wrong is not None:
        return _verdict(PARAMETERS, item, "refuted", wrong.message, wrong.next)
    if not item.ran:
        return _not_run(PARAMETERS, item)
    names = list(inspect.signature(function).parameters)[1:]
    said = f"{len(names)} parameter{'s' * (len(names) != 1)}, {len(item.ran)} example{'s' * (len(item.ran) != 1)} fit"
    return _verdict(PARAMETERS, item, "holds", said if names else "it has no parameters")


def _examples(item: ParsedMethod, hints: Mapping[str, Any], function: Any) -> Iterator[Fault]:
    """Examples that do not fit the signature."""
    parameters = inspect.signature(function).parameters
    loose = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for example in item.method.examples:
        missing = [name for name in item.method.parameters if name not in example.values]
        if missing:
            yield Fault("value", f"an example gives no {missing[0]}", f"add {missing[0]}=…")
        for name, value in example.values.items():
            if name not in parameters:
                if not loose:
                    close = nearest(name, list(parameters)[1:])
                    step = f"did you mean {close}?" if close else f"take {name} out of the example"
                    yield Fault("value", f"the method has no parameter {name}", step)
            elif not fits(value, hints.get(name, Any)):
                message = (
                    f"{name} is {_name(hints[name])}, and an example gives {type(value).__name__} {value!r}"
                )
                yield Fault("value", message, "mend the example or the annotation")


def _first(reading: Reading, kind: str) -> Fault | None:
    return next((fault for fault in reading.faults if fault.kind == kind), None)


def _columns(item: ParsedMethod, hints: Mapping[str, Any], reading: Reading) -> Verdict:
    wrong = _first(reading, "path") or next(_returned(item, hints), None)
    if wrong is not None:
        return _verdict(COLUMNS, item, "refuted", wrong.message, wrong.next)
    if not item.ran:
        return _not_run(COLUMNS, item)
    if reading.unsure:
        step = "declare it with Collection(…) and name it in [mongo] collections"
        return _verdict(COLUMNS, item, "unproved", reading.unsure[0], step, "undecided")
    said = f"{reading.seen} path{'s' * (reading.seen != 1)} of {sum(len(r.commands) for r in item.ran)} commands exist"
    return _verdict(COLUMNS, item, "holds", said)


def _returned(item: ParsedMethod, hints: Mapping[str, Any]) -> Iterator[Fault]:
    """Values that are no instance of the return annotation; None is the matter of contract.cardinality."""
    wanted = hints.get("return", Any)
    for ran in item.ran:
        if ran.value is not None and not _fits_result(ran.value, wanted):
            given = f" in example {ran.label}" if ran.label else ""
            message = f"it returns {_name(wanted)}, and gives {_shown(ran.value)}{given}"
            yield Fault("path", message, "mend the annotation or the method")


def _fits_result(value: Any, annotation: Any) -> bool:
    """An iterator was read to its end: its values are judged as a list."""
    for part in parts(annotation) or [annotation]:
        if (
            isinstance(value, list)
            and typing.get_origin(part) is not None
            and _iterates(typing.get_origin(part))
        ):
            items = typing.get_args(part)
            if all(fits(v, items[0]) for v in value):  # pyright: ignore[reportUnknownVariableType]
                return True
    return fits(value, annotation) or _is_number(value, annotation)


def _iterates(origin: Any) -> bool:
    return hasattr(origin, "__next__") or hasattr(origin, "__anext__")


def _is_number(value: Any, annotation: Any) -> bool:
    return isinstance(value, int) and any(bare(p) in (int, float) for p in parts(annotation))


def _nullability(contracts: Contracts, item: ParsedMethod, hints: Mapping[str, Any]) -> Verdict:
    """Do the documents that the server takes fit the models that the method returns?"""
    models = list(_models(hints.get("return", Any)))
    names = [n for n, c in contracts.declared.items() if any(m is c.model for m in models)]
    if not item.ran:
        return _not_run(NULLABILITY, item)
    if not models:
        return _verdict(NULLABILITY, item, "holds", "its result promises no field")
    if not names:
        step = "declare a Collection of that model"
        message = f"no declared collection holds {models[0].__name__}"
        return _verdict(NULLABILITY, item, "unproved", message, step, "undecided")
    for name in names:
        promise = contracts.promise(name)
        if promise.broken:
            evidence = {"counter_example": {"collection": name, "document": str(promise.document)}}
            step = "require it in the validator, or give the field | None and a default"
            return _verdict(NULLABILITY, item, "refuted", promise.broken, step, evidence=evidence)
        if not promise.proven:
            step = "write a @proof that such a document is refused with 121"
            return _verdict(NULLABILITY, item, "unproved", promise.said, step, "undecided")
    return _verdict(NULLABILITY, item, "holds", contracts.promise(names[0]).said)


def _models(annotation: Any) -> Iterator[Any]:
    kind = bare(annotation)
    if inspect.isclass(kind) and issubclass(kind, BaseModel):
        yield kind
    for argument in typing.get_args(kind):
        yield from _models(argument)


def _try(contracts: Contracts, collection: Any) -> _Promise:
    """Takes fields away from a document and sets them to null; the server and the model must agree."""
    live = contracts.live.get(collection.name, {})
    if _same(live, collection):
        return _Promise(proven=True, said=f"the validator of {collection.name} is the model's own")
    base = contracts.stage.reading()[collection.name].find_one()
    if base is None:
        return _Promise(said=f"{collection.name} holds no document to try a change on")
    base.pop("_id", None)
    tried = 0
    for document, change in _changes(base):
        if _refused_by_model(collection, document):
            tried += 1
            if _taken(contracts, collection.name, document):
                message = (
                    f"{collection.name} takes a document {change}, and {collection.model.__name__} does not"
                )
                return _Promise(message, document)
    if _is_simple(live.get("validator", {})):
        return _Promise(
            proven=True, said=f"the server refuses {tried} documents of {collection.name} that the model does"
        )
    return _Promise(said=f"the validator of {collection.name} is more than a plain $jsonSchema")


def _same(live: Mapping[str, Any], collection: Any) -> bool:
    strict = (
        live.get("validationLevel", "strict") == "strict" and live.get("validationAction", "error") == "error"
    )
    return strict and live.get("validator") == collection.validator and collection.own_schema


def _changes(base: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Copies with one field, at the top or one level below, left out or null."""
    for name, value in base.items():
        yield {k: v for k, v in base.items() if k != name}, f"without {name}"
        yield {**base, name: None}, f"with {name} null"
        for inner in value if isinstance(value, dict) else ():  # pyright: ignore[reportUnknownVariableType]
            rest = {k: v for k, v in value.items() if k != inner}  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
            yield {**base, name: rest}, f"without {name}.{inner}"
            yield {**base, name: {**rest, inner: None}}, f"with {name}.{inner} null"


def _refused_by_model(collection: Any, document: Mapping[str, Any]) -> bool:
    try:
        collection.load(document)
    except ContractError:
        return True
    return False


def _taken(contracts: Contracts, name: str, document: Mapping[str, Any]) -> bool:
    try:
        contracts.scratch.database()[name].insert_one(dict(document))
    except pymongo.errors.WriteError:
        return False
    contracts.scratch.spoil()
    return True


def _is_simple(validator: Mapping[str, Any]) -> bool:
    def simple(schema: Mapping[str, Any]) -> bool:
        inner = [*schema.get("properties", {}).values()]
        inner += [
            schema[key] for key in ("items", "additionalProperties") if isinstance(schema.get(key), Mapping)
        ]
        return set(schema) <= _SIMPLE and all(simple(s) for s in inner)

    return set(validator) == {"$jsonSchema"} and simple(validator["$jsonSchema"])


def _cardinality(item: ParsedMethod, hints: Mapping[str, Any]) -> Verdict:
    wanted = hints.get("return", Any)
    if not item.ran:
        return _not_run(CARDINALITY, item)
    if accepts_none(wanted):
        return _verdict(CARDINALITY, item, "holds", "it may return None")
    empty = next((ran for ran in item.ran if ran.value is None), None)
    if empty is not None:
        given = f" in example {empty.label}" if empty.label else ""
        return _verdict(
            CARDINALITY,
            item,
            "refuted",
            f"it returns {_name(wanted)}, and gives None{given}",
            "return … | None",
        )
    if any(_may_be_absent(part) for part in parts(wanted)):
        step = "return … | None, or raise in the method and add an example that is absent"
        message = "whether a document is always found is not known: every example found one"
        return _verdict(CARDINALITY, item, "unproved", message, step, "undecided")
    return _verdict(CARDINALITY, item, "holds", f"{_name(wanted)} fits any number of documents")


def _may_be_absent(part: Any) -> bool:
    """One document (a model, a dict) may be missing; lists, numbers and ids are always given."""
    kind = typing.get_origin(part) or part
    mapping = inspect.isclass(kind) and issubclass(kind, dict | Mapping | BaseModel)
    return mapping or typing.is_typeddict(part)


def _name(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")


def _shown(value: Any) -> str:
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 120 else text[:119] + '…'}"


def _not_run(check: str, item: ParsedMethod) -> Verdict:
    if item.cases:
        return _verdict(check, item, "unproved", "no example ran", "see query.prepares", "server_error")
    step = "add @example(...)"
    message = "it has parameters and no example, so its commands are not known"
    return _verdict(check, item, "unproved", message, step, "no_example")


def _verdict(
    check: str, item: ParsedMethod, outcome: Outcome, message: str, step: str = "", reason: str = "",
    evidence: Mapping[str, Any] | None = None,
) -> Verdict:  # fmt: skip
    method = item.method
    return Verdict(
        check, "mongo", method.subject, outcome, message, reason=reason, next=step, evidence=evidence or {},
        location=method.location,
    )  # fmt: skip
