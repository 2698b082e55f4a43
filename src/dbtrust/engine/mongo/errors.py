"""What a MongoDB error says: code, violated path, violated index, in one shape for every driver exception."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pymongo.errors import (
    BulkWriteError,
    CollectionInvalid,
    ConnectionFailure,
    CursorNotFound,
    OperationFailure,
)

#: CollectionInvalid is raised by the driver itself, without a code, for an existing collection.
NAMESPACE_EXISTS = 48


@dataclass(frozen=True, slots=True)
class Failure:
    """One error of the server. `code` is None where the error is not the server's (network, driver, Python).

    `path` is the deepest dotted path that a validator refused, `paths` all of them; `index` the index of a
    duplicate key and `key` its fields.
    """

    code: int | None
    message: str
    path: str | None = None
    paths: tuple[str, ...] = ()
    index: str | None = None
    key: tuple[str, ...] = ()

    @property
    def constraint(self) -> str | None:
        """What a claim `refused 11000 by NAME` names: on MongoDB a unique index."""
        return self.index


def failure_of(error: BaseException) -> Failure:
    """The server's answer inside `error`; of a bulk write, its first failed statement."""
    document = _document(error)
    code = document.get("code", getattr(error, "code", None))
    if code is None and isinstance(error, CollectionInvalid):
        code = NAMESPACE_EXISTS
    details = _mapping(_mapping(document.get("errInfo")).get("details"))
    paths = tuple(dict.fromkeys(_paths(details, "")))
    message = str(document.get("errmsg") or str(error).split(", full error:")[0] or type(error).__name__)
    return Failure(
        code=code if isinstance(code, int) else None,
        message=" ".join(message.split()),
        path=max(paths, key=lambda path: path.count("."), default=None),
        paths=paths,
        index=_index(message) if code == 11000 else None,
        key=tuple(_mapping(document.get("keyPattern"))),
    )


#: Write conflicts, lock waits, interrupted and aborted work: of the moment, not of the statement.
_MOMENTS = frozenset({24, 112, 251, 11601, 11602, 225, 244})


def lost(error: BaseException) -> bool:
    """Is the connection gone? Network errors, no primary, a server that shuts down or forgot a cursor by a restart."""
    return isinstance(error, ConnectionFailure | CursorNotFound)


def passing(error: BaseException) -> bool:
    """Does the error tell of the moment and not of the statement?"""
    return failure_of(error).code in _MOMENTS


def describe(error: BaseException) -> str:
    """One line for a message: code, text, and where the document or index was refused."""
    failure = failure_of(error)
    code = f"{failure.code}: " if failure.code is not None else ""
    where = f" (at {', '.join(failure.paths)})" if failure.paths else ""
    return f"{code}{failure.message}{where}"


def _document(error: BaseException) -> Mapping[str, Any]:
    """The sub-document that holds code and errInfo: a bulk write hides it in its first write error."""
    details = _mapping(error.details if isinstance(error, OperationFailure) else None)
    if isinstance(error, BulkWriteError):
        for name in ("writeErrors", "writeConcernErrors"):
            for inner in _mappings(details.get(name)):
                return inner
    return details


def _paths(node: Mapping[str, Any], prefix: str) -> Iterator[str]:
    """Dotted paths in a 121's `details`, which nest by operator; without array positions, as in queries."""
    for rule in _mappings(node.get("schemaRulesNotSatisfied")):
        yield from _paths(rule, prefix)
    for child in _mappings(node.get("propertiesNotSatisfied")):
        path = _join(prefix, child.get("propertyName"))
        deeper = [found for detail in _mappings(child.get("details")) for found in _paths(detail, path)]
        yield from deeper or [path]
    for name in ("missingProperties", "additionalProperties"):
        names = node.get(name)
        if isinstance(names, list):
            yield from (_join(prefix, missing) for missing in cast("list[Any]", names))
    for name in ("schemasNotSatisfied", "clausesNotSatisfied", "clausesSatisfied"):
        for clause in _mappings(node.get(name)):
            for detail in _mappings(clause.get("details"), clause.get("details")):
                yield from _paths(detail, prefix)
    for detail in _mappings(node.get("details"), node.get("details")):
        yield from _paths(detail, prefix)
    yield from _own(node, prefix)


def _own(node: Mapping[str, Any], prefix: str) -> Iterator[str]:
    """The path of a leaf: in a schema its parent's, in a match expression the field of `specifiedAs`."""
    if "consideredValue" not in node and "reason" not in node:
        return
    fields = [name for name in _mapping(node.get("specifiedAs")) if not name.startswith("$")]
    if str(node.get("operatorName", "")).startswith("$") and fields:
        yield _join(prefix, fields[0])
    elif prefix:
        yield prefix


def _index(message: str) -> str | None:
    """`E11000 duplicate key error collection: db.c index: NAME dup key: {…}`: the name is nowhere else."""
    _, found, rest = message.partition(" index: ")
    return rest.partition(" dup key")[0].strip() or None if found else None


def _join(prefix: str, name: object) -> str:
    return f"{prefix}.{name}" if prefix else str(name)


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _mappings(value: object, single: object = None) -> Iterator[Mapping[str, Any]]:
    """The mappings of a list; `single` itself where it is one (the server writes both)."""
    if isinstance(single, Mapping):
        yield cast("Mapping[str, Any]", single)
    elif isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        yield from (
            cast("Mapping[str, Any]", v) for v in cast("Sequence[Any]", value) if isinstance(v, Mapping)
        )
