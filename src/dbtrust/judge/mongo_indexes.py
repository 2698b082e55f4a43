"""index.redundant on MongoDB: an index that a longer one does the work of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dbtrust.model.catalog import Catalog, CatalogObject
from dbtrust.model.report import Finding

#: Properties by which an index does more than sort and find, so that no other replaces it.
_SPECIAL = ("unique", "prepareUnique", "expireAfterSeconds", "clustered", "building")
_PLAIN = ("key", "hidden", *_SPECIAL)
Key = Sequence[Sequence[Any]]


def redundant_indexes(catalog: Catalog) -> list[Finding]:
    """One finding for each plain index whose keys begin another's, with equal collation, filter, sparseness.

    Directions count as equal or all reversed: an index is read both ways. Of two equal indexes the later in
    the alphabet is found. Never _id_, text, geo, hashed, wildcard, TTL or unique ones; hidden ones keep none.
    """
    by_collection: dict[str, list[CatalogObject]] = {}
    names = sorted((o.name for o in catalog.objects if o.kind == "collection"), key=len, reverse=True)
    for index in (o for o in catalog.objects if o.kind == "index"):
        owner = next(
            (name for name in names if index.name.startswith(f"{name}.")), index.name.partition(".")[0]
        )
        by_collection.setdefault(owner, []).append(index)
    return [
        finding
        for owner, indexes in sorted(by_collection.items())
        for index in indexes
        if (finding := _finding(owner, index, indexes)) is not None
    ]


def _finding(owner: str, index: CatalogObject, others: Sequence[CatalogObject]) -> Finding | None:
    if not _droppable(index):
        return None
    keeper = next((other for other in others if _covers(other, index)), None)
    if keeper is None:
        return None
    name, kept = index.name.removeprefix(f"{owner}."), keeper.name.removeprefix(f"{owner}.")
    same = len(index.definition["key"]) == len(keeper.definition["key"])
    how = "has the same keys as" if same else "is a prefix of"
    return Finding(
        "index.redundant",
        "error",
        "mongo",
        f"index:{index.name}",
        f"{name} {_keys(index)} {how} {kept} {_keys(keeper)}",
        fix=f'drop_index("{owner}", "{name}")',
        evidence={"index": dict(index.definition), "kept": kept, "kept_definition": dict(keeper.definition)},
    )


def _droppable(index: CatalogObject) -> bool:
    special = any(index.definition.get(name) is not None for name in _SPECIAL)
    return not special and not index.name.endswith("._id_") and _ordered(index)


def _ordered(index: CatalogObject) -> bool:
    """Only 1 and -1: no text, geo, hashed or wildcard key."""
    return all(
        direction in (1, -1) and "$**" not in str(field) for field, direction in index.definition["key"]
    )


def _covers(keeper: CatalogObject, index: CatalogObject) -> bool:
    """Does `keeper` find and sort all that `index` does?"""
    if keeper is index or not _ordered(keeper) or keeper.definition.get("hidden"):
        return False
    if keeper.definition.get("building") or _others(keeper.definition) != _others(index.definition):
        return False
    short, long = index.definition["key"], keeper.definition["key"]
    if not _prefix(short, long):
        return False
    return len(short) < len(long) or not _droppable(keeper) or _hidden(index) or keeper.name < index.name


def _hidden(index: CatalogObject) -> bool:
    """A hidden index is the one to drop of two equal ones."""
    return bool(index.definition.get("hidden"))


def _prefix(short: Key, long: Key) -> bool:
    if len(short) > len(long):
        return False
    pairs = list(zip(short, long, strict=False))
    fields = all(a[0] == b[0] for a, b in pairs)
    return fields and len({a[1] == b[1] for a, b in pairs}) == 1


def _others(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Collation, partial filter, sparse and what else must be equal."""
    return {name: value for name, value in definition.items() if name not in _PLAIN}


def _keys(index: CatalogObject) -> str:
    return "(" + ", ".join(f"{field} {direction}" for field, direction in index.definition["key"]) + ")"
