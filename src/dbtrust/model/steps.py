"""The steps of a MongoDB migration as data: what to do, and in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Level = Literal["strict", "moderate"]
Action = Literal["error", "warn"]
#: An update document or an aggregation pipeline.
Update = Mapping[str, Any] | Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class CreateCollection:
    """`validator` is a match expression, a JSON Schema being {"$jsonSchema": ...}."""

    name: str
    validator: Mapping[str, Any] | None = None
    level: Level = "strict"
    action: Action = "error"

    def describe(self) -> str:
        return f"create collection {self.name}"


@dataclass(frozen=True, slots=True)
class DropCollection:
    """Its documents are lost."""

    name: str

    def describe(self) -> str:
        return f"drop collection {self.name}"


@dataclass(frozen=True, slots=True)
class CreateIndex:
    """`keys` in order, as (field, direction or kind); `options` as createIndexes takes them."""

    collection: str
    keys: tuple[tuple[str, Any], ...]
    name: str
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def describe(self) -> str:
        keys = ", ".join(f"{name} {direction}" for name, direction in self.keys)
        return f"create index {self.collection}.{self.name} ({keys})"


@dataclass(frozen=True, slots=True)
class DropIndex:
    """`name` is the index's."""

    collection: str
    name: str

    def describe(self) -> str:
        return f"drop index {self.collection}.{self.name}"


@dataclass(frozen=True, slots=True)
class SetValidator:
    """`validator` None removes the validator and resets level and action."""

    collection: str
    validator: Mapping[str, Any] | None
    level: Level = "strict"
    action: Action = "error"

    def describe(self) -> str:
        return f"{'remove' if self.validator is None else 'set'} the validator of {self.collection}"


@dataclass(frozen=True, slots=True)
class RenameCollection:
    """From `old` to `new`."""

    old: str
    new: str

    def describe(self) -> str:
        return f"rename collection {self.old} to {self.new}"


@dataclass(frozen=True, slots=True)
class UpdateInBatches:
    """`revert`: an update for exactly the changed documents, a pair (filter, update), or a callable."""

    collection: str
    filter: Mapping[str, Any]
    update: Update
    size: int = 1000
    revert: Update | tuple[Mapping[str, Any], Update] | Callable[[Any], object] | None = None

    def describe(self) -> str:
        return f"update {self.collection} in batches of {self.size}"


@dataclass(frozen=True, slots=True)
class CustomStep:
    """Callables over a database; `probe` tells whether the step is already in force."""

    name: str
    apply: Callable[[Any], object]
    revert: Callable[[Any], object] | None = None
    probe: Callable[[Any], bool] | None = None

    def describe(self) -> str:
        return f"step {self.name}"


Step = (
    CreateCollection
    | DropCollection
    | CreateIndex
    | DropIndex
    | SetValidator
    | RenameCollection
    | UpdateInBatches
    | CustomStep
)
