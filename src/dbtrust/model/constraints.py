"""The rules that a PostgreSQL catalog holds, each with what is needed to break it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from dbtrust.model.facts import Column, Relation

Kind = Literal[
    "check", "not null", "unique", "primary key", "unique index", "foreign key", "exclude", "generated",
    "identity", "domain check", "domain not null",
]  # fmt: skip
#: ON DELETE and ON UPDATE as pg_constraint writes them.
ACTIONS = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}


@dataclass(frozen=True, slots=True)
class Constraint:
    """One rule of a table or domain.

    `owner` is the table or domain, `columns` the names that the rule reads (an index's expressions included), `text`
    the expression of a CHECK or the predicate of an index, `sources` the bodies of the user's functions in it.
    `reported` are the names under which the server reports it: its own and those of its partitions' copies;
    for a rule of a column the table instead (empty where partitions report it).
    `elements` are the expressions of an EXCLUDE or a unique index, `operators` those of an EXCLUDE.
    `value` is a domain's value as a column of its base type and `domain` the domain as SQL names it.
    `broken` says why the server does not keep it for every row; "" where it does. `deferrable` is "deferrable",
    "initially deferred" or "".
    """

    kind: Kind
    schema: str
    owner: str
    name: str
    definition: str
    relation: int = 0
    columns: tuple[str, ...] = ()
    text: str = ""
    sources: tuple[str, ...] = ()
    reported: frozenset[str] = frozenset()
    deferrable: str = ""
    elements: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    nulls_equal: bool = False
    target: int = 0
    target_columns: tuple[str, ...] = ()
    on_delete: str = "a"
    on_update: str = "a"
    set_columns: tuple[str, ...] = ()
    value: Column | None = None
    domain: str = ""
    broken: str = ""

    @property
    def label(self) -> str:
        """TABLE.NAME, with the schema in front where it is not public."""
        return (
            f"{self.owner}.{self.name}"
            if self.schema == "public"
            else f"{self.schema}.{self.owner}.{self.name}"
        )

    @property
    def subject(self) -> str:
        """As the contract writes it; a unique index that is no constraint is an index."""
        if self.kind == "unique index":
            return f"index:{self.name if self.schema == 'public' else f'{self.schema}.{self.name}'}"
        return f"constraint:{self.label}"


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger of the user's. `events` are INSERT, UPDATE, DELETE, TRUNCATE; `state` is pg_trigger.tgenabled."""

    relation: int
    schema: str
    table: str
    name: str
    definition: str
    events: tuple[str, ...]
    state: str
    row: bool
    function: str
    source: str
    columns: tuple[str, ...] = ()
    deferrable: str = ""

    @property
    def label(self) -> str:
        return (
            f"{self.table}.{self.name}"
            if self.schema == "public"
            else f"{self.schema}.{self.table}.{self.name}"
        )


@dataclass(frozen=True, slots=True)
class RowSecurity:
    """A table with row level security: `others` are the roles beside its owner that hold a right on it."""

    relation: int
    schema: str
    table: str
    forced: bool
    policies: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def label(self) -> str:
        name = f"{self.table}.row_security"
        return name if self.schema == "public" else f"{self.schema}.{name}"


@dataclass(frozen=True, slots=True)
class Table:
    """A table with what its relation does not say.

    `generated` maps columns to their expressions; `bound` is the condition that a row needs to have a partition.
    """

    relation: Relation
    generated: dict[str, str]
    bound: str = ""
    partition: bool = False


@dataclass(frozen=True, slots=True)
class Promises:
    """Every table and rule of a database; `domains` maps a domain's name to all that it and those below it check."""

    tables: dict[int, Table] = field(default_factory=dict[int, Table])
    constraints: tuple[Constraint, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    row_security: tuple[RowSecurity, ...] = ()
    domains: dict[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])
