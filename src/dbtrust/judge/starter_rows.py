"""A generator for a table that has none: values that are made up by type, as one INSERT … SELECT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dbtrust.model.starter import Starter, StarterColumn, StarterTable

#: Enough for the planner to weigh an index against reading the table.
ROWS = 10_000
FOLDER = "recorded/rows"
_DATES = {"timestamptz": ":now::timestamptz", "timestamp": ":now::timestamp", "date": ":now::date"}
#: Whole numbers begin where a test's own do not.
_BY_TYPE = {
    "int2": "n % 30000", "int4": "1000000000 + n", "int8": "1000000000 + n", "oid": "n", "numeric": "n % 10",
    "float4": "n", "float8": "n", "bool": "n % 2 = 0", "uuid": "md5(n::text)", "json": "json_build_object('n', n)",
    "jsonb": "jsonb_build_object('n', n)", "bytea": "decode(md5(n::text), 'hex')", "inet": "'10.0.0.0'::inet + n",
    "time": "time '00:00' + n * interval '1 second'", "interval": "n * interval '1 second'", "money": "n",
    "timestamptz": ":now::timestamptz - n * interval '1 minute'",
    "timestamp": ":now::timestamp - n * interval '1 minute'", "date": ":now::date - n::integer % 3000",
}  # fmt: skip
_TEXTS = frozenset({"text", "varchar", "bpchar", "citext", "name"})


class NoStarter(Exception):
    """A table for which nothing can be made up; the text says why."""


def starter(table: StarterTable) -> Starter:
    """The generator of a table whose parents have rows. Raises NoStarter."""
    names: list[str] = []
    values: list[str] = []
    lists: dict[tuple[str, str, str], str] = {}
    for column in table.columns:
        value = _value(table, column, lists)
        if value is not None:
            names.append(_identifier(column.name))
            values.append(f"({value})::{column.type}")
    if not names:
        raise NoStarter("it has no column to fill")
    text = (
        f"-- Rows made up by `dbtrust claims record`, since no generator fills {table.label}: make them like your own.\n"
        f"INSERT INTO {_table(table.schema, table.name)} ({', '.join(names)})\n"
        f"SELECT\n    " + ",\n    ".join(values) + f"\nFROM generate_series(1, :rows) AS n{_joins(lists)}\n"
    )
    return Starter(table.label, f"{FOLDER}/{table.label}.sql", text, ROWS)


def _joins(lists: Mapping[tuple[str, str, str], str]) -> str:
    return "".join(
        f",\n    ({_values_of(_table(schema, table), _identifier(column))}) AS {alias}"
        for (schema, table, column), alias in lists.items()
    )


def _values_of(table: str, column: str) -> str:
    """Both names are quoted."""
    return f"SELECT array_agg({column} ORDER BY {column}) AS found FROM {table}"  # noqa: S608 text of a file to be reviewed; the names are quoted


def _value(table: StarterTable, column: StarterColumn, lists: dict[tuple[str, str, str], str]) -> str | None:
    """An expression over n, :now and the parents' lists; None leaves the column to its default or NULL."""
    if column.generated or column.numbered:
        return None
    if column.parent is not None:
        if column.parent[:2] == (table.schema, table.name):
            return None
        alias = lists.setdefault(column.parent, f"parent{len(lists) + 1}")
        return f"{alias}.found[1 + n % cardinality({alias}.found)]"
    if column.has_default and column.base not in _DATES:
        return None
    if (value := _made_up(column)) is None and column.not_null:
        raise NoStarter(f"{column.name} is {column.type}, for which no value is made up")
    return value


def _made_up(column: StarterColumn) -> str | None:
    if column.is_enum:
        labels = f"enum_range(NULL::{column.type})"
        return f"({labels})[1 + n % cardinality({labels})]"
    if column.is_array:
        return "'{}'" if column.not_null else None
    if column.base in _TEXTS:
        if column.length is not None and column.length < len(column.name) + 10:
            return f"left(md5(n::text), {column.length})"
        return f"'{column.name.replace(chr(39), chr(39) * 2)} ' || n"
    return _BY_TYPE.get(column.base)


def ordered(tables: Sequence[StarterTable]) -> list[StarterTable]:
    """Parents before children; tables in a ring are left out."""
    left = {(t.schema, t.name): t for t in tables}
    found: list[StarterTable] = []
    while ready := [key for key, table in left.items() if not table.parents & set(left)]:
        found += [left.pop(key) for key in sorted(ready)]
    return found


def _table(schema: str, name: str) -> str:
    return _identifier(name) if schema == "public" else f"{_identifier(schema)}.{_identifier(name)}"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
