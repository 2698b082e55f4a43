"""All mutants of a PostgreSQL catalog, and which tables hang together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from dbtrust.judge.mutants.columns import column_mutants, privilege_mutants, security_mutants
from dbtrust.judge.mutants.constraints import constraint_mutants, foreign_key_pairs, type_mutants
from dbtrust.judge.mutants.indexes import index_mutants
from dbtrust.judge.mutants.triggers import trigger_mutants, trigger_reach
from dbtrust.model.catalog import Catalog
from dbtrust.model.mutants import Mutant, Relation


def postgres_mutants(catalog: Catalog) -> list[Mutant]:
    """In the order of their subjects; those of one subject in the order of this list."""
    made: Iterator[Mutant] = chain(
        constraint_mutants(catalog), column_mutants(catalog), type_mutants(catalog), index_mutants(catalog),
        trigger_mutants(catalog), privilege_mutants(catalog), security_mutants(catalog),
    )  # fmt: skip
    return sorted(made, key=lambda mutant: mutant.subject)


_WEAKER = frozenset({"check", "not_null", "unique", "foreign_key", "domain"})


def kind_of(mutant: Mutant) -> str:
    """ "weaker": the schema only takes more rows; "plan": only plans can change; "" for all else.

    What a test sees in one weaker schema it sees in a still weaker one: a row that must be refused goes in.
    """
    if mutant.subject.startswith("index:"):
        return "plan"
    weaker = mutant.operator in ("drop", "weaken") and mutant.aim.kind in _WEAKER
    return "weaker" if weaker else ""


def reach(catalog: Catalog) -> dict[Relation, int]:
    """Table -> the number of the group of tables that foreign keys and triggers tie together."""
    return _linked(chain(foreign_key_pairs(catalog), trigger_reach(catalog)))


def _linked(groups: Iterable[Iterable[Relation]]) -> dict[Relation, int]:
    """Relation -> the number of its group, where groups that share a relation are one."""
    number: dict[Relation, int] = {}
    members: dict[int, list[Relation]] = {}
    for count, group in enumerate(groups):
        members[count] = []
        for relation in group:
            old = number.get(relation)
            moved = [relation] if old is None else members.pop(old) if old != count else []
            members[count] += moved
            number |= dict.fromkeys(moved, count)
    return number
