"""Commands explained as a driver sends them, on a real server."""

from __future__ import annotations

from typing import Any

import pymongo
import pytest
from bson import Timestamp

from dbtrust.engine.mongo.explain import explain, explainable
from dbtrust.model.errors import ServerError


@pytest.fixture
def db(mongo_db: Any) -> Any:
    mongo_db.things.insert_many([{"_id": i, "kind": f"k{i % 4}", "price": i} for i in range(40)])
    mongo_db.things.create_index([("kind", 1), ("price", -1)], name="idx_kind_price")
    mongo_db.others.insert_many([{"_id": i, "kind": f"k{i}"} for i in range(4)])
    return mongo_db


def types(plans: tuple[Any, ...]) -> list[list[str]]:
    return [[node.type for node in plan.nodes] for plan in plans]


def test_a_dropped_index_is_a_collection_scan(db: Any) -> None:
    command = {"find": "things", "filter": {"kind": "k1"}}
    (before,) = explain(db, command)
    assert [n.index for n in before.nodes] == [None, "idx_kind_price"]
    assert before.server_version.split(".")[0].isdigit()
    db.things.drop_index("idx_kind_price")
    (after,) = explain(db, command)
    assert [(n.type, n.relation, n.documents) for n in after.nodes] == [("COLLSCAN", "things", 40)]


def test_the_envelope_of_a_session_is_left_out(db: Any) -> None:
    command = {
        "find": "things", "filter": {"_id": 3}, "lsid": {"id": 1}, "$db": db.name, "$clusterTime": {"clusterTime": Timestamp(1, 1)},
        "txnNumber": 1, "autocommit": False, "startTransaction": True, "readConcern": {"level": "snapshot"},
        "$readPreference": {"mode": "primary"}, "maxTimeMS": 10,
    }  # fmt: skip
    (plan,) = explain(db, command)
    assert [n.type for n in plan.nodes] == ["IDHACK"]
    assert plan.command == '{"find": "things", "filter": {"_id": 3}}'


def test_statements_are_explained_one_by_one_and_nothing_is_written(db: Any) -> None:
    update = {
        "update": "things",
        "ordered": True,
        "updates": [
            {"q": {"_id": 1}, "u": {"$set": {"kind": "x"}}},
            {"q": {"price": 2}, "u": {"$set": {"kind": "x"}}},
        ],
        "writeConcern": {"w": 1},
    }
    assert types(explain(db, update)) == [["UPDATE", "IDHACK"], ["UPDATE", "COLLSCAN"]]
    delete = {
        "delete": "things",
        "deletes": [{"q": {"kind": "k1"}, "limit": 0}, {"q": {"_id": 9}, "limit": 1}],
    }
    assert types(explain(db, delete)) == [["DELETE", "FETCH", "IXSCAN"], ["DELETE", "IDHACK"]]
    modify = {"findAndModify": "things", "query": {"kind": "k1"}, "sort": {"price": -1}, "remove": True}
    assert "IXSCAN" in types(explain(db, modify))[0]
    assert db.things.count_documents({}) == 40
    assert db.things.count_documents({"kind": "x"}) == 0


@pytest.mark.parametrize("stage", [{"$out": "copied"}, {"$merge": "copied"}])
def test_an_aggregate_that_writes_is_explained_without_writing(db: Any, stage: dict[str, Any]) -> None:
    command = {"aggregate": "things", "pipeline": [{"$match": {"kind": "k1"}}, stage], "cursor": {}}
    (plan,) = explain(db, command)
    assert [n.type for n in plan.nodes] == ["FETCH", "IXSCAN", next(iter(stage))]
    assert plan.totals["returned"] == 10
    assert "copied" not in db.list_collection_names()


def test_count_distinct_and_queryplanner(db: Any) -> None:
    assert explain(db, {"count": "things", "query": {"kind": "k1"}})[0].totals["returned"] == 10
    assert explain(db, {"distinct": "things", "key": "kind", "query": {}})[0].totals["keys"] == 4
    (plan,) = explain(db, {"find": "things", "filter": {"kind": "k1"}}, verbosity="queryPlanner")
    assert not plan.analyzed


def test_what_the_server_does_not_explain_is_unknown(db: Any) -> None:
    (plan,) = explain(db, {"aggregate": "things", "pipeline": [{"$nonsense": {}}], "cursor": {}})
    assert plan.nodes == ()
    assert plan.unknown[0].startswith("a command that the server does not explain (40324: ")


def test_a_silent_server_is_a_server_error() -> None:
    dead = pymongo.MongoClient[dict[str, Any]]("mongodb://127.0.0.1:1/", serverSelectionTimeoutMS=50)
    with dead, pytest.raises(ServerError, match="does not answer"):
        explain(dead["db"], {"find": "things"})


def test_explainable() -> None:
    assert explainable({"find": "things"})
    assert not explainable({"insert": "things"})
    assert not explainable({"aggregate": 1, "pipeline": []})
    assert not explainable({})


def test_a_long_command_is_cut_and_an_odd_one_shown(db: Any) -> None:
    (plan,) = explain(db, {"find": "things", "filter": {"kind": {"$in": ["x" * 100] * 100}}})
    assert len(plan.command) < 4100
    assert plan.command.endswith("…")
