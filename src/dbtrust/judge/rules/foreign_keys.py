"""foreign_key.no_index: a delete or update of the referenced row scans the whole referencing table."""

from __future__ import annotations

from collections import defaultdict

from dbtrust.judge.rules.indexes import Index, identifier, indexes_of, named
from dbtrust.model.catalog import Catalog, CatalogObject
from dbtrust.model.report import Finding


def foreign_keys_without_index(catalog: Catalog) -> list[Finding]:
    """Foreign keys whose columns, in any order, lead no valid, whole btree index of their table.

    An index in another collation than the column's cannot answer the server's own lookup, an included column
    or a BRIN index neither. A key that a partition has from its parent is told of the parent only.
    """
    indexes: defaultdict[tuple[str, str], list[Index]] = defaultdict(list)
    for index in indexes_of(catalog):
        indexes[index.table].append(index)
    return [_finding(key) for key in _foreign_keys(catalog) if not _served(key, indexes)]


def _foreign_keys(catalog: Catalog) -> list[CatalogObject]:
    return [
        item
        for item in catalog.objects
        if item.kind == "constraint"
        and item.definition.get("structure", {}).get("type") == "foreign key"
        and "inherited" not in item.definition
    ]


def _served(key: CatalogObject, indexes: dict[tuple[str, str], list[Index]]) -> bool:
    told = key.definition
    columns: set[str] = set(told["structure"]["columns"])
    return any(_leads(index, columns) for index in indexes[told["schema"], told["table"]])


def _leads(index: Index, columns: set[str]) -> bool:
    leading = index.keys[: len(columns)]
    return (
        index.method == "btree"
        and index.valid
        and index.predicate is None
        and {key.column for key in leading} == columns
        and all(key.column_collation for key in leading)
    )


def _finding(key: CatalogObject) -> Finding:
    told = key.definition
    columns = ", ".join(told["structure"]["columns"])
    table = f"{identifier(told['schema'])}.{identifier(told['table'])}"
    return Finding(
        rule="foreign_key.no_index",
        severity="warning",
        engine="postgres",
        subject=f"constraint:{named(told['schema'], told['table'], told['name'])}",
        message=f"no index of {told['table']} leads with {columns}: a delete of a referenced row scans it",
        fix=f"CREATE INDEX ON {table} ({', '.join(map(identifier, told['structure']['columns']))});",
        evidence={"constraint": told["definition"], "references": told["structure"].get("references", "")},
    )
