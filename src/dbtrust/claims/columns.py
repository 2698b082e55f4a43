"""contract.columns: do the columns that the server describes fit the fields of the row type?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg

from dbtrust.claims.parameters import Wrong
from dbtrust.engine.postgres.describe import Described, ResultColumn
from dbtrust.engine.postgres.trial import enum_labels, load_as
from dbtrust.judge.candidates import COMPOSITES, of_type
from dbtrust.judge.contracts.annotations import Field, RowType, fits, listed, row_type
from dbtrust.judge.statements import writes
from dbtrust.model.words import nearest
from dbtrust.queries.annotations import bare

Connection = psycopg.Connection[Any]
_JSON = frozenset({"json", "jsonb"})
_JSON_VALUES: tuple[Any, ...] = ({}, [], "a", 1, 1.5, True)


@dataclass(frozen=True, slots=True)
class Columns:
    """What is wrong, or what could not be told; `said` where all fits."""

    wrong: Wrong | None = None
    unsure: str | None = None
    said: str = ""


def judge_columns(connection: Connection, result: Any, described: Described, sql: str) -> Columns:
    """`result` is what the runtime reads from the return annotation."""
    columns = described.columns
    if result.rows == "affected":
        if columns and not writes(sql):
            return Columns(
                Wrong(
                    "it returns Affected, and a SELECT changes no row", "return the rows, or count(*) as int"
                )
            )
        return Columns(said="it returns the number of rows")
    if result.rows == "nothing":
        return Columns(said="it returns nothing")
    if not columns:
        return Columns(Wrong("the query gives no rows", "return Affected, or add RETURNING"))
    row = row_type(result.row)
    pairs = _pairs(row, columns)
    if isinstance(pairs, Wrong):
        return Columns(pairs)
    return _types(connection, row, pairs, len(columns), tupled=not row.by_name)


def _pairs(row: RowType, columns: Sequence[ResultColumn]) -> list[tuple[Field, ResultColumn]] | Wrong:
    """Each field with its column."""
    if row.fields is None or row.by_name:
        doubled = [name for name, count in Counter(c.name for c in columns).items() if count > 1]
        if doubled and (row.fields is not None or row.name == "dict"):
            return Wrong(f"two columns are called {doubled[0]}", "give one of them another name with AS")
    if row.fields is None:
        return []
    if not row.by_name:
        if len(row.fields) != len(columns):
            message = f"{len(columns)} columns ({', '.join(c.name for c in columns)}) for {len(row.fields)} value{'s' * (len(row.fields) != 1)} of {row.name}"
            return Wrong(message, "select as many columns as the type has values")
        return list(zip(row.fields, columns, strict=True))
    return _by_name(row, row.fields, columns)


def _by_name(
    row: RowType, fields: Sequence[Field], columns: Sequence[ResultColumn]
) -> list[tuple[Field, ResultColumn]] | Wrong:
    by_name = {column.name: column for column in columns}
    pairs: list[tuple[Field, ResultColumn]] = []
    for f in fields:
        name = next((n for n in (f.aliases or (f.name,)) if n in by_name), None)
        if name is not None:
            pairs.append((f, by_name[name]))
        elif f.required:
            wanted = (f.aliases or (f.name,))[0]
            close = nearest(wanted, list(by_name))
            step = (
                f"did you mean {close}?" if close else f"select it AS {wanted}, or give the field a default"
            )
            return Wrong(f"{row.name}.{f.name} has no column {wanted}", step)
    used = {column.name for _, column in pairs}
    extra = [name for name in by_name if name not in used]
    if extra and not row.extra:
        return Wrong(
            f"{row.name} has no field for the column {extra[0]}", "add the field, or do not select it"
        )
    return pairs


def _types(
    connection: Connection, row: RowType, pairs: Sequence[tuple[Field, ResultColumn]], count: int, *, tupled: bool
) -> Columns:  # fmt: skip
    unsure: str | None = None
    for f, column in pairs:
        values = list(_values(connection, column))
        label = f"{row.name}.{f.name}" if f.name else f"column {column.name}"
        if not values:
            unsure = unsure or f"{label}: dbtrust knows no value of type {column.type_name}"
        elif (wrong := _mismatch(connection, f, column, values)) is not None:
            return Columns(
                Wrong(
                    f"{label} {wrong}",
                    f"annotate it with what psycopg loads for {column.type_name}, or cast the column",
                )
            )
    if unsure is not None:
        return Columns(unsure=unsure)
    order = ", in this order" if tupled and count > 1 else ""
    return Columns(said=f"{count} column{'s' * (count != 1)} fit {row.name}{order}")


def _values(connection: Connection, column: ResultColumn) -> Iterator[Any]:
    """Values of the column's type as psycopg loads them: one, or several kinds for JSON."""
    if column.type_name in _JSON:
        yield from _JSON_VALUES
        return
    if column.type_name == "record":
        yield (1, 2)
        return
    for text in (*of_type(column.type_name), *enum_labels(connection, column.type), *COMPOSITES):
        with suppress(psycopg.Error):
            yield load_as(connection, text, column.type)
            return


def _mismatch(connection: Connection, f: Field, column: ResultColumn, values: Sequence[Any]) -> str | None:
    annotation = bare(f.annotation)
    if (allowed := listed(annotation)) is not None:
        return _not_listed(connection, annotation, allowed, column, values)
    good = any(_converts(v, annotation) if f.converted else fits(v, annotation) for v in values)
    if good:
        return None
    kind = annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")
    return f"is {kind}, and {column.type_name} is loaded as {type(values[0]).__name__}"


def _not_listed(
    connection: Connection,
    annotation: Any,
    allowed: Sequence[Any],
    column: ResultColumn,
    values: Sequence[Any],
) -> str | None:
    labels = enum_labels(connection, column.type)
    missing = [label for label in labels if label not in allowed]
    if missing:
        return f"does not name {missing[0]!r}, a label of {column.type_name}"
    if not any(type(v) is type(a) for v in values for a in allowed):
        return f"lists no {type(values[0]).__name__}, which {column.type_name} is loaded as"
    return None


def _converts(value: Any, annotation: Any) -> bool:
    """Does pydantic take a value of this type? A value that only breaks a constraint is of the right type."""
    from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError

    try:
        adapter = TypeAdapter(annotation, config=ConfigDict(arbitrary_types_allowed=True))
    except PydanticUserError:
        adapter = TypeAdapter(annotation)
    try:
        adapter.validate_python(value)
    except ValidationError as error:
        kinds = [e["type"] for e in error.errors(include_url=False)]
        return not all(
            k.endswith(("_type", "_parsing")) or k.startswith("is_") or k == "missing" for k in kinds
        )
    return True
