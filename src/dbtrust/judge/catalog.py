"""Where two catalogs differ, told so that a person sees what to write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard

from dbtrust.model.catalog import Catalog, CatalogObject, Difference

#: What a field's value is where one side lacks it.
ABSENT = None
#: Parts that the text of a definition repeats: told only where nothing else differs.
_STRUCTURE = "structure"
_SINGULAR = {"columns": "column", "constraints": "constraint", "grants": "grant"}
#: Lists of named parts whose order means something.
_ORDERED = frozenset({"columns"})

Field = tuple[str, tuple[Any, Any]]


def diff(expected: Catalog, found: Catalog, *, column_order: bool = True) -> tuple[Difference, ...]:
    """Every object that is missing, extra or changed, sorted by kind and name; () where both are equal.

    Columns, constraints and grants that hold nothing, at any depth, are the same as none: catalogs leave out what is
    empty. A changed object's `fields` are named "definition", "column age type", "column order" and so on. With
    `column_order=False` an object whose columns only stand in another order is equal.
    """
    left, right = _by_name(expected), _by_name(found)
    return tuple(_differences(left, right, column_order))


def _by_name(catalog: Catalog) -> dict[tuple[str, str], CatalogObject]:
    return {(o.kind, o.name): o for o in catalog.objects}


def _differences(
    left: Mapping[tuple[str, str], CatalogObject],
    right: Mapping[tuple[str, str], CatalogObject],
    column_order: bool,
) -> Iterator[Difference]:
    # Catalogs that were read one after the other share most of their objects.
    apart = [key for key in left.keys() | right.keys() if left.get(key) is not right.get(key)]
    for key in sorted(apart):
        kind, name = key
        if key not in right:
            yield Difference("missing", kind, name, {})
        elif key not in left:
            yield Difference("extra", kind, name, {})
        elif fields := _fields(left[key].definition, right[key].definition, column_order):
            yield Difference("changed", kind, name, fields)


def _fields(a: Mapping[str, Any], b: Mapping[str, Any], column_order: bool) -> dict[str, tuple[Any, Any]]:
    found: dict[str, tuple[Any, Any]] = {}
    if a == b:
        return found
    for key in sorted((a.keys() | b.keys()) - {_STRUCTURE}):
        found.update(_compare(key, a.get(key), b.get(key), column_order))
    if not found:
        found.update(_compare(_STRUCTURE, a.get(_STRUCTURE), b.get(_STRUCTURE), column_order))
    return found


def _compare(key: str, a: Any, b: Any, column_order: bool) -> Iterator[Field]:
    if a == b:
        return
    label = _SINGULAR.get(key, key)
    if key in _SINGULAR:
        a, b = _empty_like(a, b), _empty_like(b, a)
    if _is_mapping(a) and _is_mapping(b) and not _hidden(a, b):
        yield from _mappings("" if key == _STRUCTURE else f"{label} ", a, b, column_order)
    elif _is_named(a) and _is_named(b):
        yield from _named(key, label, a, b, column_order)
    else:
        yield label, (a, b)


def _hidden(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Whether a part is an explicit null on one side and absent on the other: one by one both look absent."""
    return any(a.get(key) is None and b.get(key) is None for key in a.keys() ^ b.keys())


def _empty_like(value: Any, other: Any) -> Any:
    """A catalog leaves out what is empty: its parts are then all missing, one by one."""
    return type(other)() if value is None else value


def _mappings(prefix: str, a: Mapping[str, Any], b: Mapping[str, Any], column_order: bool) -> Iterator[Field]:
    for key in sorted(a.keys() | b.keys()):
        for label, values in _compare(key, a.get(key), b.get(key), column_order):
            yield prefix + label, values


def _named(
    key: str, label: str, a: Sequence[Mapping[str, Any]], b: Sequence[Mapping[str, Any]], column_order: bool
) -> Iterator[Field]:
    """Parts are compared by name: a column is not "changed" because another stands before it."""
    left, right = {str(part["name"]): part for part in a}, {str(part["name"]): part for part in b}
    if len(left) < len(a) or len(right) < len(b):
        yield label, (a, b)
        return
    for name in list(left) + [name for name in right if name not in left]:
        one, other = left.get(name), right.get(name)
        if one is None or other is None or _hidden(one, other):
            yield f"{label} {name}", (_bare(one), _bare(other))
        else:
            yield from _mappings(f"{label} {name} ", one, other, column_order)
    if key in _ORDERED and column_order:
        yield from _order(label, [n for n in left if n in right], [n for n in right if n in left])


def _order(label: str, a: list[str], b: list[str]) -> Iterator[Field]:
    if a != b:
        yield f"{label} order", (a, b)


def _bare(part: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return ABSENT if part is None else {key: value for key, value in part.items() if key != "name"}


def _is_mapping(value: Any) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)


def _is_named(value: Any) -> TypeGuard[Sequence[Mapping[str, Any]]]:
    return isinstance(value, list | tuple) and all(
        _is_mapping(part) and "name" in part for part in _items(value)
    )


def _items(value: Any) -> Sequence[Any]:
    return value


def changed_fields(expected: CatalogObject, found: CatalogObject) -> dict[str, tuple[Any, Any]]:
    """Property -> (expected, found) of what differs between two objects; {} where they are equal."""
    return _fields(expected.definition, found.definition, column_order=True)


def only_column_order(differences: Sequence[Difference]) -> bool:
    """Is the order of columns all that differs?"""
    return bool(differences) and all(set(d.fields) == {"column order"} for d in differences)
