"""contract.parameters: does the server take a statement with what the signature lets a caller send?"""

from __future__ import annotations

import itertools
import typing
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from dbtrust.engine.postgres.describe import Described, describe, sent_types
from dbtrust.engine.postgres.errors import describe as said
from dbtrust.engine.postgres.errors import position
from dbtrust.engine.postgres.trial import load_as
from dbtrust.engine.postgres.values import as_sent
from dbtrust.judge.contracts.annotations import fits, listed, parts, samples
from dbtrust.model.words import nearest

Connection = psycopg.Connection[Any]
#: Types that read only few texts. Others (json, interval, inet, enums …) are ordinarily sent as str.
_STRICT = frozenset({
    "boolean", "smallint", "integer", "bigint", "numeric", "real", "double precision", "uuid", "date", "money",
    "time without time zone", "time with time zone", "timestamp without time zone", "timestamp with time zone", "oid",
})  # fmt: skip
_COMBINATIONS = 24


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is refuted, and what to do."""

    message: str
    next: str


@dataclass(slots=True)
class Parameters:
    """`types`: parameter -> the server's type; `described` is None where the server takes no combination."""

    wrong: list[Wrong] = field(default_factory=list[Wrong])
    unsure: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    types: dict[str, str] = field(default_factory=dict[str, str])
    described: Described | None = None


def judge_parameters(
    connection: Connection, text: str, method: Any, examples: Sequence[Mapping[str, Any]], choices: Mapping[str, Collection[str]]
) -> Parameters:  # fmt: skip
    """`text` has $1 … for `method.bound.names`; `examples` are the loaded values of those."""
    found = Parameters()
    annotations = {name: method.annotations.get(name, Any) for name in method.bound.names}
    found.wrong += _unused(method, choices)
    found.wrong += _no_instances(annotations, examples)
    _describe(connection, text, annotations, examples, found)
    if found.described is not None:
        found.types = dict(zip(annotations, found.described.parameter_names, strict=True))
        found.wrong += _texts(connection, annotations, found.described)
    return found


def _unused(method: Any, choices: Mapping[str, Collection[str]]) -> Iterator[Wrong]:
    for name in list(method.signature.parameters)[1:] if not method.many else ():
        if name in choices:
            extra = [v for v in listed(method.annotations.get(name, Any)) or () if v not in choices[name]]
            if extra:
                yield Wrong(f"{name}: {extra[0]!r} is no choice", f"choices are {', '.join(choices[name])}")
        elif name not in method.bound.names:
            close = nearest(name, method.bound.names)
            step = f"did you mean :{close}?" if close else f"use :{name} in the query, or remove it"
            yield Wrong(f"the query has no parameter {name}", step)


def _no_instances(annotations: Mapping[str, Any], examples: Sequence[Mapping[str, Any]]) -> Iterator[Wrong]:
    for values in examples:
        for name, value in values.items():
            if name in annotations and not fits(value, annotations[name]):
                kind = _name(annotations[name])
                message = f"{name} is {kind}, and an example gives {type(value).__name__} {value!r}"
                yield Wrong(message, "cast the example, or annotate what the query is given")


def _name(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")


def _describe(
    connection: Connection, text: str, annotations: Mapping[str, Any], examples: Sequence[Mapping[str, Any]], found: Parameters
) -> None:  # fmt: skip
    """Describes the statement with the types of the examples, else with those that the annotations allow."""
    first: psycopg.Error | None = None
    for values in itertools.islice(_combinations(annotations, examples), _COMBINATIONS):
        try:
            found.described = describe(connection, text, sent_types(connection, [as_sent(v) for v in values]))
            return
        except psycopg.Error as error:
            if connection.closed:
                raise
            first = first or error
    if first is not None:
        kinds = ", ".join(f"{name}: {_name(a)}" for name, a in annotations.items())
        at = position(first)
        where = f" at {text[at - 1 : at + 30].split(chr(10))[0]!r}" if at else ""
        found.wrong.append(
            Wrong(
                f"{said(first)}{where}, with {kinds or 'no parameters'}",
                "mend the annotation or cast the parameter",
            )
        )


def _combinations(
    annotations: Mapping[str, Any], examples: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[Any, ...]]:
    choices: list[list[Any]] = []
    for name, annotation in annotations.items():
        given = [v[name] for v in examples if v[name] is not None and fits(v[name], annotation)][:1]
        choices.append([*given, *samples(annotation)] or [None])
    yield from itertools.product(*choices)


def _texts(connection: Connection, annotations: Mapping[str, Any], described: Described) -> Iterator[Wrong]:
    """A str, a list of str and a tuple go without a type: the server takes the statement and fails on the value."""
    types = zip(described.parameters, described.parameter_names, strict=True)
    for (name, annotation), (oid, type_name) in zip(annotations.items(), types, strict=True):
        for value in _untyped(annotation, type_name):
            if (why := _refused(connection, value, oid)) is not None:
                message = f"{name} is {_name(annotation)} and the server reads it as {type_name}: {why}"
                yield Wrong(message, f"annotate what psycopg sends as {type_name}")
                break


def _untyped(annotation: Any, type_name: str) -> list[Any]:
    """Values of an annotation that psycopg sends without a type and that the server's type may not read."""
    if any(typing.get_origin(part) is tuple for part in parts(annotation)):
        return samples(annotation)[:1]
    arguments = [typing.get_args(part) for part in parts(annotation)]
    if type_name.endswith("[]") and arguments and arguments[0]:
        return [[value] for value in _untyped(arguments[0][0], type_name.removesuffix("[]"))]
    allowed = listed(annotation)
    if allowed is not None:
        return [value for value in allowed if isinstance(value, str)]
    plain = any(part is str for part in parts(annotation))
    return ["x"] if plain and (type_name in _STRICT or type_name.endswith("[]")) else []


def _refused(connection: Connection, value: Any, oid: int) -> str | None:
    try:
        load_as(connection, value, oid)
    except psycopg.Error as error:
        if connection.closed:
            raise
        return said(error)
    return None
