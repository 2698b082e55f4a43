"""Operations that read a whole collection."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.monitor.rules.mongo.conftest import judged

from dbtrust.monitor.rules.mongo.query_collection_scan import RULE


def test_finds_a_slow_scan_and_names_its_collection(mongo_db: Any, diagnose: Any, slowly: Any) -> None:
    mongo_db.orders.insert_many([{"n": n} for n in range(2000)])
    assert len(list(mongo_db.orders.find({"n": {"$lt": 200}, "$where": slowly()}))) == 200
    (found,) = diagnose(RULE)
    assert found.subject == "collection:orders" and found.severity == "warning"
    assert found.evidence["shapes"][0]["plan"] == "COLLSCAN" and "2,000 documents" in found.message
    assert "200}" not in found.message


def test_finds_fast_scans_by_the_counter(mongo_db: Any, diagnose: Any) -> None:
    mongo_db.orders.insert_many([{"n": n} for n in range(10_000)])
    for n in range(12):
        mongo_db.orders.find_one({"missing": n})
    (found,) = diagnose(RULE)
    assert found.subject == "collection:orders" and found.evidence["collection_scans"] == 12


def test_is_silent_about_an_index_and_a_small_collection(mongo_db: Any, diagnose: Any, slowly: Any) -> None:
    mongo_db.orders.insert_many([{"n": n} for n in range(10_000)])
    mongo_db.orders.create_index("n")
    mongo_db.small.insert_many([{"n": n} for n in range(300)])
    for n in range(12):
        mongo_db.orders.find_one({"n": n})
        mongo_db.small.find_one({"missing": n})
    assert len(list(mongo_db.small.find({"$where": slowly()}))) == 300
    assert list(diagnose(RULE)) == []


def test_is_silent_about_what_happened_before_the_earlier_snapshot(mongo_db: Any, look: Any) -> None:
    mongo_db.orders.insert_many([{"n": n} for n in range(10_000)])
    for n in range(12):
        mongo_db.orders.find_one({"missing": n})
    first = look()
    assert len(judged(RULE, first)) == 1 and judged(RULE, look(), first) == []
    for n in range(12):
        mongo_db.orders.find_one({"missing": n})
    assert [f.evidence["collection_scans"] for f in judged(RULE, look(), first)] == [12]


def test_what_no_index_serves_gets_other_advice(mongo_db: Any, look: Any, slowly: Any) -> None:
    mongo_db.orders.insert_many([{"n": n} for n in range(2000)])
    assert len(list(mongo_db.orders.find({"n": {"$lt": 200}, "$where": slowly()}))) == 200
    now = look()
    (row,) = (r for r in now.sections["slow"] if r["collection"] == "orders")
    where = {**row, "shape": '{"filter": {"$where": "?"}}', "total_ms": row["total_ms"] * 2}
    regex = {**row, "shape": '{"filter": {"n": {"$regex": "?"}}}'}

    def fix(*rows: Any) -> str:
        (found,) = judged(RULE, replace(now, sections={**now.sections, "slow": rows}))
        return found.fix

    assert fix(row).startswith("make an index")
    assert "anchor it" in fix(regex) and "make an index" not in fix(regex)
    assert "no index serves $where" in fix(where) and "make an index" in fix(where, row)


def test_no_period_and_no_reads_that_are_not_known(mongo_db: Any, look: Any) -> None:
    """Joins scan without a read of their own; who may not see serverStatus knows no period."""
    mongo_db.big.insert_many([{"n": n} for n in range(10_000)])
    mongo_db.small.insert_many([{"n": n} for n in range(30)])
    join = {
        "from": "big",
        "let": {"n": "$n"},
        "pipeline": [{"$match": {"$expr": {"$eq": ["$n", "$$n"]}}}],
        "as": "x",
    }
    list(mongo_db.small.aggregate([{"$lookup": join}, {"$project": {"n": 1}}]))
    now = look()
    told = {**now.server, "started_at": None}
    rows = tuple({**row, "reads": 3} for row in now.sections["collections"])
    short = replace(now, server=told, sections={**now.sections, "slow": (), "collections": rows})
    (found,) = judged(RULE, short)
    scans = found.evidence["collection_scans"]
    assert found.message == f"read whole {scans} times, with 10,000 documents" and scans >= 30
