"""foreign_key.no_index: a delete or update of the referenced row scans the referencing table, or much of it."""

from __future__ import annotations

from collections import defaultdict

from dbtrust.judge.rules.indexes import Index, identifier, indexes_of, named
from dbtrust.model.catalog import Catalog, CatalogObject
from dbtrust.model.report import Finding


def foreign_keys_without_index(catalog: Catalog) -> list[Finding]:
    """Foreign keys whose columns, in any order, lead no valid btree index of their table.

    A partial index serves if it leaves out NULLs of these columns alone, which the lookup never asks for, and
    so does a hash index of the one column (docs/decisions/0059-foreign-key-indexes.md). An index in another collation than the column's cannot answer the server's own lookup, an included column
    or a BRIN index neither. A key that a partition has from its parent is told of the parent only.
    """
    indexes: defaultdict[tuple[str, str], list[Index]] = defaultdict(list)
    for index in indexes_of(catalog):
        indexes[index.table].append(index)
    return [
        _finding(key, _nearest(key, indexes[_table(key)]))
        for key in _foreign_keys(catalog)
        if not any(_serves(index, _columns(key)) for index in indexes[_table(key)])
    ]


def _foreign_keys(catalog: Catalog) -> list[CatalogObject]:
    return [
        item
        for item in catalog.objects
        if item.kind == "constraint"
        and item.definition.get("structure", {}).get("type") == "foreign key"
        and "inherited" not in item.definition
    ]


def _table(key: CatalogObject) -> tuple[str, str]:
    return key.definition["schema"], key.definition["table"]


def _columns(key: CatalogObject) -> list[str]:
    return list(key.definition["structure"]["columns"])


def _serves(index: Index, columns: list[str]) -> bool:
    """Does the lookup by all these columns find its rows by the index alone?"""
    return _usable(index, columns) and set(_prefix(index, columns)) == set(columns)


def _usable(index: Index, columns: list[str]) -> bool:
    known = index.method == "btree" or (index.method == "hash" and len(columns) == 1)
    return known and index.valid and _only_without_nulls(index.predicate, columns)


def _only_without_nulls(predicate: str | None, columns: list[str]) -> bool:
    """Does column = $1 imply the predicate, for the server's planner? A strict operator implies IS NOT NULL."""
    if predicate is None:
        return True
    names = {name for column in columns for name in (identifier(column), _quoted(column))}
    tests = {f"{name} IS NOT NULL" for name in names}
    return all(part.strip("() ") in tests for part in predicate.split(" AND "))


def _quoted(column: str) -> str:
    """As the server writes a keyword."""
    return '"' + column.replace('"', '""') + '"'


def _prefix(index: Index, columns: list[str]) -> list[str]:
    """The columns among these that lead the index, in their own collation."""
    found: list[str] = []
    for key in index.keys[: len(columns)]:
        if key.column is None or key.column not in columns or not key.column_collation:
            break
        found.append(key.column)
    return found


def _nearest(key: CatalogObject, indexes: list[Index]) -> list[str]:
    """The most of the key's columns that lead an index; [] where none does."""
    columns = _columns(key)
    prefixes = [_prefix(index, columns) for index in indexes if _usable(index, columns)]
    return max(prefixes, key=len, default=list[str]())


def _finding(key: CatalogObject, nearest: list[str]) -> Finding:
    told = key.definition
    columns = ", ".join(_columns(key))
    table = f"{identifier(told['schema'])}.{identifier(told['table'])}"
    cost = f"looks through all rows with its {', '.join(nearest)}" if nearest else "scans it"
    return Finding(
        rule="foreign_key.no_index",
        severity="warning",
        engine="postgres",
        subject=f"constraint:{named(told['schema'], told['table'], told['name'])}",
        message=f"no index of {told['table']} leads with {columns}: a delete of a referenced row {cost}",
        fix=f"CREATE INDEX ON {table} ({', '.join(map(identifier, _columns(key)))});",
        evidence={"constraint": told["definition"], "references": told["structure"].get("references", "")},
    )
