"""The differ on catalogs made by hand, for either engine."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dbtrust.judge.catalog import diff
from dbtrust.model.catalog import Catalog, CatalogObject

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "type", "grants"]), inner)
    ),
    max_leaves=8,
)
DEFINITIONS = st.dictionaries(
    st.sampled_from(["columns", "grants", "structure", "definition"]), VALUES, max_size=4
)


def catalog(**objects: Any) -> Catalog:
    return Catalog("mongo", tuple(CatalogObject("collection", name, told) for name, told in objects.items()))


@given(DEFINITIONS)
def test_equal_is_equal(definition: dict[str, Any]) -> None:
    assert diff(catalog(a=definition), catalog(a=definition)) == ()


@given(DEFINITIONS, DEFINITIONS)
def test_unequal_is_told_with_its_fields(one: dict[str, Any], other: dict[str, Any]) -> None:
    found = diff(catalog(a=one), catalog(a=other))
    if told(one) == told(other):
        return
    assert found and found[0].fields and "changed" in str(found[0])


def told(value: Any) -> Any:
    """What a catalog says of a value: parts that are empty, at any depth, are left out (None: nothing is left)."""
    if isinstance(value, dict):
        kept = {key: inner for key, part in value.items() if (inner := told(part)) is not None}
        return kept or None
    if isinstance(value, list):
        return [told(part) for part in value] or None
    return value


def test_parts_that_hold_nothing_are_absent() -> None:
    assert diff(catalog(a={}), catalog(a={"columns": {"grants": []}})) == ()
    assert diff(catalog(a={}), catalog(a={"columns": [], "grants": {}, "constraints": []})) == ()
    assert diff(catalog(a={}), catalog(a={"columns": {"grants": ["x"]}})) != ()


def test_missing_and_extra() -> None:
    missing, extra = diff(catalog(a={}), catalog(b={}))
    assert (missing.change, missing.name, extra.change, extra.name) == ("missing", "a", "extra", "b")


def columns(*names: str, **types: str) -> dict[str, Any]:
    return {"columns": [{"name": name, "type": types.get(name, "int")} for name in names]}


def test_columns_by_name() -> None:
    (found,) = diff(catalog(t=columns("a", "b", "c")), catalog(t=columns("b", "a", "d", b="text")))
    assert dict(found.fields) == {
        "column b type": ("int", "text"),
        "column c": ({"type": "int"}, None),
        "column d": (None, {"type": "int"}),
        "column order": (["a", "b"], ["b", "a"]),
    }


def test_a_column_that_is_added_in_front_is_no_new_order() -> None:
    (found,) = diff(catalog(t=columns("a", "b")), catalog(t=columns("z", "a", "b")))
    assert set(found.fields) == {"column z"}


def test_the_order_can_be_left_out() -> None:
    one, other = catalog(t=columns("a", "b")), catalog(t=columns("b", "a"))
    assert [set(d.fields) for d in diff(one, other)] == [{"column order"}]
    assert diff(one, other, column_order=False) == ()


def test_repeated_names_are_compared_as_a_whole() -> None:
    (found,) = diff(catalog(t=columns("a", "a")), catalog(t=columns("a")))
    assert "column" in found.fields


def test_structure_is_told_only_where_nothing_else_is() -> None:
    one = {"definition": "x", "structure": {"unique": True}}
    both = catalog(i=one), catalog(i={"definition": "y", "structure": {"unique": False}})
    assert [set(d.fields) for d in diff(*both)] == [{"definition"}]
    (found,) = diff(catalog(i=one), catalog(i={"definition": "x", "structure": {"unique": False}}))
    assert dict(found.fields) == {"unique": (True, False)}


def test_grants_one_by_one() -> None:
    one, other = {"grants": {"owner": ["SELECT"]}}, {"grants": {"owner": ["SELECT"], "app": ["SELECT"]}}
    assert dict(diff(catalog(t=one), catalog(t=other))[0].fields) == {"grant app": (None, ["SELECT"])}
    assert dict(diff(catalog(t={}), catalog(t=one))[0].fields) == {"grant owner": (None, ["SELECT"])}
