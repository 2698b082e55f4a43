"""What the catalog says about the relations, functions and operators that a query names; the keys are OIDs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dbtrust.model.tree import Node


@dataclass(frozen=True, slots=True)
class Column:
    """`not_null`: the server refuses NULL here. `default` is also a generated column's expression.

    `type` is the type as SQL names it, `base` the base type of a domain (the same type for others), `category`
    pg_type.typcategory of the base type and `labels` those of an enum.
    """

    name: str
    type: str
    base: str = ""
    category: str = ""
    not_null: bool = False
    default: Node | None = None
    generated: bool = False
    identity: str = ""
    labels: tuple[str, ...] = ()
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """A unique, valid index: attribute numbers (0 for the next of `expressions`), operator families, collations."""

    name: str
    columns: tuple[int, ...]
    families: tuple[int, ...]
    collations: tuple[int, ...]
    expressions: tuple[Node, ...] = ()
    predicate: Node | None = None
    immediate: bool = True


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key: attribute numbers here and there."""

    name: str
    columns: tuple[int, ...]
    target: int
    target_columns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """`kind` is pg_class.relkind; `query` the tree of a view; `before` the events of enabled row triggers.

    `inherited`: other tables inherit from it, and no index of it binds their rows.
    """

    oid: int
    schema: str
    name: str
    kind: str
    columns: Mapping[int, Column]
    keys: tuple[Key, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    checks: Mapping[str, tuple[tuple[int, ...], str, Node | None]] = field(
        default_factory=dict[str, "tuple[tuple[int, ...], str, Node | None]"]
    )
    query: Node | None = None
    before: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()
    inherited: bool = False

    @property
    def label(self) -> str:
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Function:
    """`builtin`: it belongs to the server itself, so its name says what it does. `categories`: of its arguments."""

    name: str
    strict: bool
    builtin: bool
    returns_set: bool = False
    categories: str = ""
    volatile: bool = False


@dataclass(frozen=True, slots=True)
class Operator:
    """`equality`: the btree families in which this operator means equal; `categories` those of its two sides."""

    name: str
    builtin: bool
    equality: frozenset[int] = frozenset()
    categories: str = ""


@dataclass(slots=True)
class Facts:
    """All that was asked; `not_null_types` are those of `asked_types` that are domains which refuse NULL,
    `loose_collations` those that are not deterministic, once `asked_collations`."""

    relations: dict[int, Relation] = field(default_factory=dict[int, Relation])
    functions: dict[int, Function] = field(default_factory=dict[int, Function])
    operators: dict[int, Operator] = field(default_factory=dict[int, Operator])
    not_null_types: set[int] = field(default_factory=set[int])
    asked_types: set[int] = field(default_factory=set[int])
    asked_collations: bool = False
    loose_collations: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Analysed:
    """A query as the server resolved it. `tree` is its QUERY node; None where the server keeps no tree of it."""

    tree: Node | None
    facts: Facts
    why: str = ""


def trees_of(relation: Relation) -> list[Any]:
    """The trees that hang on a relation: view, defaults, keys, checks."""
    found: list[Any] = [relation.query, *(c.default for c in relation.columns.values())]
    for key in relation.keys:
        found += [*key.expressions, key.predicate]
    return found + [check[2] for check in relation.checks.values()]
