"""index.redundant on MongoDB, over catalogs as `snapshot` makes them."""

from __future__ import annotations

from typing import Any

import pytest

from dbtrust.engine.mongo.catalog import index_definition, snapshot
from dbtrust.judge.mongo_indexes import redundant_indexes
from dbtrust.model.catalog import Catalog, CatalogObject

AB = {"key": {"a": 1, "b": -1}}


def found(**specs: dict[str, Any]) -> list[str]:
    objects = [CatalogObject("collection", "c", {}), CatalogObject("collection", "c.d", {})]
    objects += [
        CatalogObject("index", f"c.{name}", index_definition({"name": name, **spec}))
        for name, spec in specs.items()
    ]
    return [finding.subject for finding in redundant_indexes(Catalog("mongo", tuple(objects)))]


@pytest.mark.parametrize(
    "short",
    [
        {"key": {"a": 1}},
        {"key": {"a": -1}},
        {"key": {"a": 1.0}},
        {"key": {"a": -1, "b": 1}},
        {"key": {"a": 1}, "hidden": True},
    ],
)
def test_a_prefix_or_its_reverse_is_redundant(short: dict[str, Any]) -> None:
    assert found(short=short, keeper=AB) == ["index:c.short"]


@pytest.mark.parametrize(
    "short",
    [
        {"key": {"b": -1}},
        {"key": {"a": 1, "b": 1}},
        {"key": {"a": 1, "b": -1, "c": 1}},
        {"key": {"a": 1}, "unique": True},
        {"key": {"a": 1}, "sparse": True},
        {"key": {"a": 1}, "expireAfterSeconds": 0},
        {"key": {"a": 1}, "partialFilterExpression": {"a": {"$gt": 1}}},
        {"key": {"a": 1}, "collation": {"locale": "en"}},
        {"key": {"a": 1}, "building": True},
        {"key": {"a": "hashed"}},
        {"key": {"a": "2dsphere"}},
        {"key": {"a": "text"}},
        {"key": {"$**": 1}},
        {"key": {"a.$**": 1}},
    ],
)
def test_what_does_more_is_kept(short: dict[str, Any]) -> None:
    assert found(short=short, keeper=AB) in ([], ["index:c.keeper"])
    assert "index:c.short" not in found(short=short, keeper=AB)


@pytest.mark.parametrize(
    "extra", [{"hidden": True}, {"building": True}, {"sparse": True}, {"collation": {"locale": "en"}}]
)
def test_a_keeper_that_does_less_keeps_nothing(extra: dict[str, Any]) -> None:
    assert found(short={"key": {"a": 1}}, keeper=AB | extra) == []


def test_equal_filters_and_collations() -> None:
    same = {"partialFilterExpression": {"a": {"$gt": 1}}, "collation": {"locale": "en"}, "sparse": True}
    assert found(short={"key": {"a": 1}, **same}, keeper=AB | same) == ["index:c.short"]


def test_of_two_equal_ones_one_is_found() -> None:
    assert found(one={"key": {"a": 1}}, two={"key": {"a": -1}}) == ["index:c.two"]
    assert found(one={"key": {"a": 1}}, two={"key": {"a": 1}, "unique": True}) == ["index:c.one"]


def test_chains_and_other_collections() -> None:
    assert found(x={"key": {"a": 1}}, y={"key": {"a": 1, "b": 1}}, z={"key": {"a": 1, "b": 1, "c": 1}}) == [
        "index:c.x",
        "index:c.y",
    ]
    other = CatalogObject("index", "c.d.long", index_definition({"name": "long", **AB}))
    mine = CatalogObject("index", "c.short", index_definition({"name": "short", "key": {"a": 1}}))
    names = (CatalogObject("collection", "c", {}), CatalogObject("collection", "c.d", {}))
    assert redundant_indexes(Catalog("mongo", (*names, other, mine))) == []


def test_the_finding_on_a_server(mongo_db: Any) -> None:
    mongo_db.things.create_index([("kind", 1)], name="idx_kind")
    mongo_db.things.create_index([("kind", 1), ("price", -1)], name="idx_kind_price")
    (finding,) = redundant_indexes(snapshot(mongo_db))
    assert (finding.rule, finding.severity, finding.engine) == ("index.redundant", "error", "mongo")
    assert finding.subject == "index:things.idx_kind"
    assert finding.message == "idx_kind (kind 1) is a prefix of idx_kind_price (kind 1, price -1)"
    assert finding.fix == 'drop_index("things", "idx_kind")'
    mongo_db.things.drop_index("idx_kind")
    assert redundant_indexes(snapshot(mongo_db)) == []
