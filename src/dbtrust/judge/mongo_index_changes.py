"""Changes of a MongoDB index that may let a command be planned otherwise: made up here, then made on a copy."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from dbtrust.model.plan import Plan

Document = Mapping[str, Any]
_EQUAL = frozenset({"$eq", "$in"})
_PIPELINE_HEAD = frozenset({"$match", "$sort", "$limit", "$skip", "$project"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a command asks of its collection: fields with equality, the order, ranges, and all that it needs.

    `needed` is None where the command needs the whole document.
    """

    equal: tuple[str, ...] = ()
    order: tuple[tuple[str, int], ...] = ()
    ranges: tuple[str, ...] = ()
    needed: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class MongoIndexChange:
    """`spec` is the index to make, `replaced` the one that it takes the place of. See IndexChange for the rest."""

    size: int
    title: str
    spec: Document
    replaced: Document | None
    reason: str


@dataclass(slots=True)
class _Filter:
    equal: dict[str, None] = field(default_factory=dict[str, None])
    ranges: dict[str, None] = field(default_factory=dict[str, None])


def asked(command: Document, plan: Plan) -> Asked:
    """What one find, aggregate, count, distinct, update or delete asks, its projection as its plan tells it."""
    name = next(iter(command), "")
    found, order = _Filter(), dict[str, int]()
    if name == "aggregate":
        for stage in cast("Sequence[Document]", command.get("pipeline", ())):
            kind = next(iter(stage), "")
            if kind == "$match":
                _read(stage[kind], found)
            elif kind == "$sort" and not order:
                order = dict(stage[kind])
            if kind not in _PIPELINE_HEAD:
                break
    else:
        statements = cast("Sequence[Document]", command.get("updates") or command.get("deletes") or [command])
        _read(
            statements[0].get("filter") or statements[0].get("query") or statements[0].get("q") or {}, found
        )
        order = dict(command.get("sort") or {})
    ways = tuple((p, d) for p, d in order.items() if d in (1, -1))
    needed = _needed(plan, command)
    if needed is not None:
        needed = tuple(dict.fromkeys((*found.equal, *found.ranges, *(p for p, _ in ways), *needed)))
    return Asked(tuple(found.equal), ways, tuple(p for p in found.ranges if p not in found.equal), needed)


def _read(condition: Any, found: _Filter) -> None:
    if not isinstance(condition, Mapping):
        return
    for path, value in cast("Document", condition).items():
        if path == "$and":
            for part in value:
                _read(part, found)
        elif not path.startswith("$"):
            operators = set(cast("Document", value)) if isinstance(value, Mapping) else set[str]()
            named = {o for o in operators if o.startswith("$")}
            (found.equal if not named or named <= _EQUAL else found.ranges)[path] = None


def _needed(plan: Plan, command: Document) -> tuple[str, ...] | None:
    """The fields that a projection keeps, where it names them; none for a count."""
    if next(iter(command), "") == "count":
        return ()
    if next(iter(command), "") == "distinct":
        return (str(command.get("key")),)
    for node in plan.nodes:
        kept = node.detail.get("transformBy")
        if node.type.startswith("PROJECTION") and isinstance(kept, Mapping):
            fields = cast("Document", kept)
            paths = [p for p, v in fields.items() if v in (1, True) and p != "_id"]
            if not paths or any(isinstance(v, Mapping) for v in fields.values()):
                return None
            return tuple(paths if fields.get("_id") in (0, False) else ["_id", *paths])
    return None


def mongo_index_changes(
    wanted: Asked, specs: Sequence[Document], bases: Iterable[Document], *, new: bool = True
) -> list[MongoIndexChange]:
    """Every change worth trying, the smallest first and none twice; `new`: also an index of its own."""
    found = [change for base in bases for change in _of_base(wanted, base)]
    found += list(_new(wanted)) if new else []
    there = [_what(spec) for spec in specs]
    unlike: dict[str, MongoIndexChange] = {}
    for change in found:
        if change.replaced is not None or _what(change.spec) not in there:
            unlike.setdefault(_what(change.spec), change)
    return sorted(unlike.values(), key=lambda change: (change.size, len(change.spec["key"])))


def _what(spec: Document) -> str:
    rest = {key: value for key, value in spec.items() if key not in ("name", "v", "ns", "key")}
    return repr((list(spec["key"].items()), sorted(rest.items(), key=repr)))


def _of_base(wanted: Asked, base: Document) -> Iterator[MongoIndexChange]:
    name, key = str(base["name"]), dict(base["key"])
    if name == "_id_" or any(value not in (1, -1) for value in key.values()) or any("$**" in p for p in key):
        return
    for option, what in (
        ("partialFilterExpression", "filter"),
        ("sparse", "sparseness"),
        ("collation", "collation"),
    ):
        if base.get(option):
            spec = {k: v for k, v in base.items() if k != option}
            reason = f"the {what} of {name} does not let this query use it: {json.dumps(base[option], default=str)}"
            yield MongoIndexChange(2, f"take the {what} off {name}", spec, base, reason)
    if "expireAfterSeconds" in base:  # of one field alone
        return
    missing = [path for path in wanted.needed or () if path not in key]
    if missing:
        fields = ", ".join(missing)
        reason = f"{'fields' if len(missing) > 1 else 'field'} {fields} {'are' if len(missing) > 1 else 'is'} not in {name}"
        yield _changed(1, f"add {fields} to {name}", base, key | dict.fromkeys(missing, 1), reason)
    ideal = _ideal(wanted)
    for path, way in ideal.items():
        if path not in key:
            yield _changed(
                2,
                f"add {path} as the last key of {name}",
                base,
                key | {path: way},
                f"{path} is no key of {name}",
            )
    yield from _reordered(base, key, ideal)


def _reordered(base: Document, key: dict[str, Any], ideal: Mapping[str, int]) -> Iterator[MongoIndexChange]:
    """Equality, then the order, then ranges; first with the keys that are there, then with all."""
    name = str(base["name"])
    rest = {path: way for path, way in key.items() if path not in ideal}
    reason = f"the keys of {name} do not stand as the query needs them: {', '.join(key)}"
    for keys in ({p: w for p, w in ideal.items() if p in key} | rest, dict(ideal) | rest):
        if list(keys.items()) != list(key.items()) and keys:
            verb = "put the keys of {} in the order" if sorted(keys) == sorted(key) else "make the keys of {}"
            yield _changed(2, f"{verb.format(name)} {_shown(keys)}", base, keys, reason)


def _changed(size: int, title: str, base: Document, key: Mapping[str, Any], reason: str) -> MongoIndexChange:
    """A unique index refuses by its keys, so the changed one stands beside it."""
    spec = {k: v for k, v in base.items() if k != "v"} | {"key": dict(key)}
    if base.get("unique"):
        spec = {k: v for k, v in spec.items() if k != "unique"} | {"name": _name(key)}
        return MongoIndexChange(size, f"{title}, as an index beside it", spec, None, reason)
    return MongoIndexChange(size, title, spec, base, reason)


def _new(wanted: Asked) -> Iterator[MongoIndexChange]:
    ideal = _ideal(wanted)
    if not ideal:
        return
    for keys in ({path: way} for path, way in ideal.items() if len(ideal) > 1):
        yield _own(1, keys)
    yield _own(1, ideal)
    rest = [path for path in wanted.needed or () if path not in ideal]
    if rest:
        yield _own(2, ideal | dict.fromkeys(rest, 1))


def _own(size: int, keys: Mapping[str, int]) -> MongoIndexChange:
    """An index of its own leaves every other as it is."""
    reason = "no index of the collection has these keys"
    spec = {"key": dict(keys), "name": _name(keys)}
    return MongoIndexChange(size, f"create an index {_shown(keys)}", spec, None, reason)


def _ideal(wanted: Asked) -> dict[str, int]:
    """Equality, sort, range."""
    keys = dict.fromkeys(wanted.equal, 1)
    for path, way in (*wanted.order, *((path, 1) for path in wanted.ranges)):
        keys.setdefault(path, way)
    return keys


def _shown(keys: Mapping[str, Any]) -> str:
    return "{" + ", ".join(f"{path}: {way}" for path, way in keys.items()) + "}"


def _name(keys: Mapping[str, Any]) -> str:
    """The name that MongoDB itself would give."""
    return "_".join(f"{path}_{way}" for path, way in keys.items())
