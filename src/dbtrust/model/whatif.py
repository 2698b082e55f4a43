"""A table as changes to it are made up: its columns, its indexes, and what one statement asks of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

#: pattern: LIKE with an anchored beginning; other: an operator that only some index types serve; unserved: none.
Kind = Literal["equality", "range", "pattern", "other", "unserved"]


@dataclass(frozen=True, slots=True)
class Index:
    """`definition` is the CREATE INDEX statement that the server tells; `backs`: a constraint stands on it."""

    oid: int
    schema: str
    name: str
    definition: str
    backs: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """`columns` maps a name to its type, in the table's order; `unbounded` are those whose values have no greatest length."""

    schema: str
    name: str
    columns: Mapping[str, str]
    indexes: tuple[Index, ...] = ()
    unbounded: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of a relation's column, or of an expression over its columns, with something else.

    `key` is the expression as an index would hold it, `columns` the columns in it, `cast` the type that a bare
    column is cast to for the comparison ("" if none), `collation` the one that is written there.
    """

    kind: Kind
    key: str
    columns: tuple[str, ...]
    cast: str = ""
    collation: str = ""


@dataclass(frozen=True, slots=True)
class Wants:
    """What a statement asks of one relation. `order` are (key, direction words) of a sort on it alone."""

    conditions: tuple[Condition, ...] = ()
    order: tuple[tuple[str, str], ...] = ()
    used: tuple[str, ...] = field(default=())
