"""index.redundant: an index whose every use another index of the same table serves as well."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from dbtrust.judge.rules.indexes import Index, Key, identifier, indexes_of
from dbtrust.model.catalog import Catalog
from dbtrust.model.report import Finding

#: Access methods whose storage parameters change sizes only, not what the index can answer.
_SIZES_ONLY = frozenset({"btree", "hash", "gist", "gin", "spgist"})


def redundant_indexes(catalog: Catalog) -> list[Finding]:
    """Indexes to drop, each with the one to keep: of two equal ones the later name goes, unless protected.

    Same table, access method, predicate; per column the same expression, operator class and collation; the
    order equal or fully reversed; prefixes for btree only; included columns held by the keeper. Never an
    index that a constraint, replica identity, clustering, a partitioned index or a foreign key stands on; a
    unique one only for an equally strict one; the keeper is valid.
    """
    tables: defaultdict[tuple[str, str], list[Index]] = defaultdict(list)
    for index in indexes_of(catalog):
        tables[index.table].append(index)
    return [_finding(index, keeper) for group in tables.values() for index, keeper in _redundant(group)]


def _redundant(group: list[Index]) -> Iterator[tuple[Index, Index]]:
    kept, dropped = list(group), list[Index]()
    for index in _weakest_first(group):
        if not index.protected and any(covers(other, index) for other in kept if other is not index):
            kept.remove(index)
            dropped.append(index)
    for index in dropped:
        # What covered it may have gone as well, but then something wider covers both.
        keepers = [other for other in kept if covers(other, index)]
        yield index, _weakest_first(keepers)[-1]


def _weakest_first(group: Iterable[Index]) -> list[Index]:
    """The order in which indexes go: the narrowest first, and of equal ones the later name."""
    by_name = sorted(group, key=lambda i: i.name, reverse=True)
    return sorted(by_name, key=lambda i: (len(i.keys), len(i.include), i.protected, i.valid, i.unique))


def covers(keeper: Index, index: Index) -> bool:
    """Whether `keeper` serves whatever `index` serves: reading, index-only scans, order, uniqueness."""
    same = (keeper.table, keeper.method, keeper.predicate) == (index.table, index.method, index.predicate)
    return (
        same
        and keeper.valid
        and _options_fit(keeper, index)
        and _keys_fit(keeper, index)
        and _included(keeper, index)
        and (not index.unique or _as_strict(keeper, index))
    )


def _options_fit(keeper: Index, index: Index) -> bool:
    return index.method in _SIZES_ONLY or keeper.options == index.options


def _keys_fit(keeper: Index, index: Index) -> bool:
    count = len(index.keys)
    if len(keeper.keys) != count and (index.method != "btree" or len(keeper.keys) < count):
        return False
    pairs = list(zip(keeper.keys, index.keys, strict=False))
    if any(a.what != b.what for a, b in pairs):
        return False
    return all(_order(a) == _order(b) for a, b in pairs) or all(_reversed(a) == _order(b) for a, b in pairs)


def _order(key: Key) -> tuple[bool, bool]:
    return key.descending, key.nulls_first


def _reversed(key: Key) -> tuple[bool, bool]:
    return not key.descending, not key.nulls_first


def _included(keeper: Index, index: Index) -> bool:
    """A btree gives back its key columns, too; other methods only what they include."""
    held = set(keeper.include)
    if keeper.method == "btree":
        held |= {key.expression for key in keeper.keys if key.column is not None}
    return set(index.include) <= held


def _as_strict(keeper: Index, index: Index) -> bool:
    """Uniqueness over exactly these keys, checked at once if it was, and with NULLs equal if they were."""
    return (
        keeper.unique
        and len(keeper.keys) == len(index.keys)
        and keeper.immediate >= index.immediate
        and keeper.nulls_not_distinct >= index.nulls_not_distinct
    )


def _finding(index: Index, keeper: Index) -> Finding:
    same = len(index.keys) == len(keeper.keys) and set(index.include) == set(keeper.include)
    relation = "repeats" if same else "is covered by"
    return Finding(
        rule="index.redundant",
        severity="error",
        engine="postgres",
        subject=index.subject,
        message=f"{index.name} on {index.table[1]} {relation} {keeper.name}",
        fix=f"DROP INDEX {identifier(index.schema)}.{identifier(index.name)};",
        evidence={"index": index.definition, "keeper": keeper.definition, "keeper_name": keeper.name},
    )
