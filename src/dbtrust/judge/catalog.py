"""Two catalogs compared: what is missing, extra or changed, in the words of the objects' own properties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dbtrust.model.catalog import Catalog, CatalogObject, Difference

COLUMN_ORDER = "column order"


def diff(expected: Catalog, found: Catalog, *, column_order: bool = True) -> tuple[Difference, ...]:
    """Every difference, sorted by kind and name. `column_order` False ignores columns that only stand elsewhere."""
    left = {(o.kind, o.name): o for o in expected.objects}
    right = {(o.kind, o.name): o for o in found.objects}
    differences: list[Difference] = []
    for key in sorted(left.keys() | right.keys()):
        before, after = left.get(key), right.get(key)
        if after is None:
            differences.append(Difference("missing", *key, {}))
        elif before is None:
            differences.append(Difference("extra", *key, {}))
        elif (fields := changed_fields(before, after, column_order=column_order)):
            differences.append(Difference("changed", *key, fields))
    return tuple(differences)


def changed_fields(before: CatalogObject, after: CatalogObject, *, column_order: bool = True) -> dict[str, tuple[Any, Any]]:
    """Property -> (expected, found) of what differs; columns one by one."""
    old, new = dict(before.definition), dict(after.definition)
    fields: dict[str, tuple[Any, Any]] = {}
    if isinstance(old.get("columns"), list) and all(isinstance(c, Mapping) for c in (*old["columns"], *new.get("columns", []))):
        fields |= _columns(old.pop("columns"), new.pop("columns", []), column_order)
    fields |= {key: (old.get(key), new.get(key)) for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key)}
    return fields


def _columns(old: list[dict[str, Any]], new: list[dict[str, Any]], column_order: bool) -> dict[str, tuple[Any, Any]]:
    left, right = {c["name"]: c for c in old}, {c["name"]: c for c in new}
    fields: dict[str, tuple[Any, Any]] = {}
    for name in [*left, *(n for n in right if n not in left)]:
        before, after = left.get(name), right.get(name)
        if before is None or after is None:
            fields[f"column {name}"] = (_brief(before), _brief(after))
            continue
        for key in sorted(before.keys() | after.keys()):
            if before.get(key) != after.get(key):
                fields[f"column {name} {key}"] = (before.get(key), after.get(key))
    common = [n for n in left if n in right]
    if column_order and common != [n for n in right if n in left]:
        fields[COLUMN_ORDER] = (list(left), list(right))
    return fields


def _brief(column: Mapping[str, Any] | None) -> str | None:
    return None if column is None else str(column["type"])


def only_column_order(differences: tuple[Difference, ...]) -> bool:
    """Is the order of columns all that differs?"""
    return bool(differences) and all(set(d.fields) == {COLUMN_ORDER} for d in differences)
