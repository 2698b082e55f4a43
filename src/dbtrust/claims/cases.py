"""What a query is run with: the values of its examples, for each combination of its choices."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg

from dbtrust.claims.verdicts import Case, Failure
from dbtrust.engine.postgres.errors import describe, lost
from dbtrust.engine.postgres.values import as_sent, evaluate
from dbtrust.judge.grammar import Claim
from dbtrust.judge.statements import parse_binds
from dbtrust.model.errors import DbtrustError
from dbtrust.model.location import Location, shift
from dbtrust.model.project import Example, Query
from dbtrust.queries.placeholders import BoundSql, bind_params, choose
from dbtrust.stage.draw import draw

Connection = psycopg.Connection[Any]
Known = dict[tuple[Location, str], dict[str, Any]]


@dataclass(slots=True)
class Parsed:
    """A query, its claims as the grammar reads them, and whether its method iterates (DECLARE)."""

    query: Query
    claims: tuple[Claim, ...]
    iterates: bool = False
    cases: list[PgCase] = field(default_factory=list["PgCase"])


@dataclass(slots=True)
class PgCase(Case):
    """`query` has one of its choices in place, `words`; `values` are what psycopg is given for $1 …

    `example` is the author's, None where there is none. `writes`: the server refused to run it in a transaction that only reads.
    """

    query: Query | None = None
    words: Mapping[str, str] = field(default_factory=dict[str, str])
    example: Example | None = None
    values: tuple[Any, ...] = ()
    writes: bool = False


def cases_of(
    connection: Connection, item: Parsed, *, draws: bool = True, known: Known | None = None
) -> list[PgCase]:
    """One case for each example, and for each combination of the query's choices.

    `known` keeps the values of examples between calls over the same data. With `draws` a query with claims and parameters and without an example gets values drawn from the data.
    """
    bound = bind_params(item.query.sql)
    chosen = list(zip(variants(item.query), combinations(item.query), strict=True))
    if not bound.names:
        return [PgCase("", query=variant, words=words) for variant, words in chosen]
    if item.query.examples:
        return [
            replace(_case(connection, q, bound, example, known), words=words)
            for q, words in chosen
            for example in item.query.examples
        ]
    return [case for q, _ in chosen for case in _drawn(connection, q)] if draws and item.claims else []


def combinations(query: Query) -> list[dict[str, str]]:
    """Each combination of a query's choices: parameter -> word. One, empty, where there are none."""
    words = itertools.product(*query.choices.values())
    return [dict(zip(query.choices, chosen, strict=True)) for chosen in words]


def variants(query: Query) -> list[Query]:
    """The query for each combination of its choices."""
    return [replace(query, sql=choose(query.sql, words)) for words in combinations(query)]


def _case(
    connection: Connection, query: Query, bound: BoundSql, example: Example, known: Known | None
) -> PgCase:
    case = PgCase(example.label or example.text, query=query, example=example)
    try:
        given = example_values(connection, bound, example, known)
        case.values = tuple(as_sent(given[name]) for name in bound.names)
    except DbtrustError as error:
        place = (
            error.location
            if error.location.file
            else shift(example.location, example.text, getattr(error, "offset", 0))
        )
        case.samples.append(Failure("server_error", error.message, place, error.next or "mend the example"))
    except psycopg.Error as error:
        if lost(error):
            raise
        message = f"example {case.label}: {describe(error)}"
        case.samples.append(Failure("server_error", message, example.location, "mend the example"))
    return case


def _drawn(connection: Connection, query: Query) -> list[PgCase]:
    bound = bind_params(query.sql)
    return [
        PgCase(row.label, drawn=True, query=query, values=tuple(as_sent(value) for value in row.values))
        for row in draw(connection, bound.text, bound.names)
    ]


def example_values(
    connection: Connection, bound: BoundSql, example: Example, known: Known | None = None
) -> dict[str, Any]:
    """The loaded values of an example by parameter, evaluated once where `known` keeps them.

    Raises DbtrustError and psycopg.Error.
    """
    key = (example.location, example.text)
    if known is not None and key in known:
        return known[key]
    binds = parse_binds(example.text)
    _same_names(bound, [name for name, _ in binds], example)
    values = evaluate(connection, [expression for _, expression in binds])
    found = {name: value for (name, _), value in zip(binds, values, strict=True)}
    if known is not None:
        known[key] = found
    return found


def _same_names(bound: BoundSql, given: Sequence[str], example: Example) -> None:
    missing = [name for name in bound.names if name not in given]
    extra = [name for name in given if name not in bound.names]
    if missing:
        step = (
            f"add {missing[0]} = …" if not extra else f"rename {extra[0]}, which is no parameter of the query"
        )
        raise DbtrustError(f"the example gives no {missing[0]}", location=example.location, next=step)
    if extra:
        step = f"parameters are {', '.join(bound.names)}"
        raise DbtrustError(f"the query has no parameter {extra[0]}", location=example.location, next=step)
