"""Commands into groups: one method for one shape of command, with a few executions of it as examples."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from dbtrust.model.recorded import Lost, Sent

Document = Mapping[str, Any]
_DISTINCT = 500
_LONGEST = 4_000
_SHAPES = 5_000
#: Parts of a command whose values do not make it another command.
_VALUES = frozenset({"filter", "query", "q", "u", "update", "limit", "skip", "let"})
_STAGES = frozenset({"$match", "$limit", "$skip"})
_NESTED = frozenset({"pipeline", "$facet"})
#: Operators whose value says how to compare, not with what.
_HOW = frozenset({"$exists", "$type", "$options", "$size", "$caseSensitive", "$diacriticSensitive", "$meta"})
_VERBS = {"findAndModify": "find_and_modify", "findandmodify": "find_and_modify"}


@dataclass(frozen=True, slots=True)
class Hole:
    """The place of a value in a command: its number in the order of the command."""

    number: int


@dataclass(frozen=True, slots=True)
class RecordedCommand:
    """One shape. `command` has a Hole for each value; `names` gives a parameter to those that differed.

    `examples` are (label, values of all holes).
    """

    name: str
    command: Document
    names: Mapping[int, str]
    examples: tuple[tuple[str, tuple[Any, ...]], ...]
    executions: int


@dataclass(slots=True)
class _Seen:
    command: Document
    count: int = 0
    first: tuple[str, ...] = ()
    differs: set[int] = field(default_factory=set[int])
    counts: Counter[str] = field(default_factory=Counter[str])
    values: dict[str, tuple[Any, ...]] = field(default_factory=dict[str, tuple[Any, ...]])
    most: tuple[float, tuple[Any, ...]] | None = None
    dearest: tuple[float, tuple[Any, ...]] | None = None

    def add(self, values: tuple[Any, ...], returned: float, examined: float) -> None:
        self.count += 1
        texts = tuple(map(repr, values))
        key = "\0".join(texts)
        if len(key) > _LONGEST:
            return
        self.first = self.first or texts
        self.differs |= {i for i, text in enumerate(texts) if text != self.first[i]}
        if key in self.counts or len(self.counts) < _DISTINCT:
            self.counts[key] += 1
            self.values.setdefault(key, values)
        if self.most is None or returned > self.most[0]:
            self.most = returned, values
        if self.dearest is None or examined > self.dearest[0]:
            self.dearest = examined, values

    def examples(self) -> list[tuple[str, tuple[Any, ...]]]:
        if not self.counts or self.most is None or self.dearest is None:
            return []
        common = min(self.counts, key=lambda key: (-self.counts[key], key))
        found = {common: ("common", self.values[common])}
        for label, (_, values) in (("most documents", self.most), ("most examined", self.dearest)):
            found.setdefault("\0".join(map(repr, values)), (label, values))
        return list(found.values())


class MongoRecording:
    """`add` each command, `pass_over` what is none; then `commands` and `lost`."""

    def __init__(self) -> None:
        self._shapes: dict[str, _Seen] = {}
        self._lost: Counter[tuple[str, str, str]] = Counter()
        self.passed: Counter[str] = Counter()

    def pass_over(self, why: str) -> None:
        self.passed[why] += 1

    def add(self, one: Sent) -> None:
        if (cut := one.command.get("$truncated")) is not None:
            step = "write a query class with this command by hand"
            self._lost[
                f"a command on {cut}", "the profiler keeps 50 kB of a command, and this one is longer", step
            ] += 1
            return
        values: list[Any] = []
        command = cast("Document", _holed(one.command, values, "command"))
        shape = repr(command)
        if shape not in self._shapes and len(self._shapes) >= _SHAPES:
            self._lost["further shapes", f"more than {_SHAPES:,} were seen", "run less at once"] += 1
            return
        self._shapes.setdefault(shape, _Seen(command)).add(tuple(values), one.returned, one.examined)

    def commands(self) -> list[RecordedCommand]:
        """One for each shape, by name."""
        found: list[RecordedCommand] = []
        taken: set[str] = set()
        for shape, seen in sorted(self._shapes.items()):
            digest = hashlib.sha256(shape.encode()).hexdigest()
            name = f"{_base(seen.command)}_{digest[:4]}"
            name = f"{_base(seen.command)}_{digest[:16]}" if name in taken else name
            taken.add(name)
            if examples := seen.examples():
                names = {hole: f"p{n}" for n, hole in enumerate(sorted(seen.differs), 1)}
                found.append(RecordedCommand(name, seen.command, names, tuple(examples), seen.count))
            else:
                step = "write a query class with this command by hand"
                self._lost[name, "its values are longer than 4,000 characters", step] += seen.count
        return sorted(found, key=lambda one: one.name)

    def lost(self) -> list[Lost]:
        return [Lost(*key, count) for key, count in sorted(self._lost.items())]


def _holed(value: Any, values: list[Any], mode: str) -> Any:
    """The same with Holes; `mode`: "command" (its own keys), "values", "stages", or "kept" (nothing is a value)."""
    if isinstance(value, Mapping):
        items = cast("Mapping[str, Any]", value).items()
        return {key: _holed(item, values, _mode(key, item, mode)) for key, item in items}
    if isinstance(value, list | tuple):
        many = cast("Sequence[Any]", value)
        if mode == "values" and many and not any(isinstance(item, Mapping) for item in many):
            return _hole(many, values)
        return [_holed(item, values, mode) for item in many]
    if mode != "values" or (isinstance(value, str) and value.startswith("$")):
        return value
    return _hole(value, values)


def _hole(value: Any, values: list[Any]) -> Hole:
    values.append(value)
    return Hole(len(values) - 1)


def _mode(key: str, item: Any, mode: str) -> str:
    if key in _NESTED and mode != "values":
        return "stages"
    if mode == "command" and key in ("updates", "deletes") and isinstance(item, list):
        return "command"
    if mode == "command" and isinstance(item, str):
        return "kept"  # the name of the collection
    if mode == "command":
        return "values" if key in _VALUES and not (key in ("u", "update") and _is_pipeline(item)) else "kept"
    if mode == "stages":
        return "values" if key in _STAGES else "stages" if isinstance(item, list | Mapping) else "kept"
    if mode == "values":
        return "kept" if key in _HOW else "values"
    return mode


def _is_pipeline(item: Any) -> bool:
    return isinstance(item, list)


def _base(command: Document) -> str:
    """find_users_by_email: what it does, where, by which fields."""
    verb = next(iter(command))
    fields = "_".join(list(dict.fromkeys(_fields(command)))[:3])
    text = f"{_VERBS.get(verb, verb)}_{command[verb]}{f'_by_{fields}' if fields else ''}"
    return re.sub(r"[^a-z0-9_]+", "_", text.lower())[:80].strip("_")


def _fields(command: Document) -> Iterator[str]:
    for key in ("filter", "query"):
        yield from _named(command.get(key))
    for part in ("updates", "deletes"):
        for statement in cast("Sequence[Any]", command.get(part) or ()):
            yield from _named(statement["q"])
    for stage in cast("Sequence[Any]", command.get("pipeline") or ()):
        yield from _named(cast("Document", stage).get("$match"))


def _named(where: Any) -> Iterator[str]:
    """The fields that a filter names."""
    if isinstance(where, Mapping):
        for key, value in cast("Mapping[str, Any]", where).items():
            if not key.startswith("$"):
                yield key
            elif isinstance(value, list):
                for item in cast("list[Any]", value):
                    yield from _named(item)
