"""Index builds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.monitor.rules.mongo.conftest import judged

from dbtrust.engine.mongo.server import free_port
from dbtrust.engine.waiting import await_true
from dbtrust.monitor.rules.mongo.index_building import RULE


def test_finds_a_build_that_waits_for_a_transaction(mongo_db: Any, diagnose: Any) -> None:
    mongo_db.orders.insert_one({"a": 1})
    with ThreadPoolExecutor(1) as pool, mongo_db.client.start_session() as session:
        with session.start_transaction():
            mongo_db.orders.insert_one({"a": 2}, session=session)
            build = pool.submit(mongo_db.orders.create_index, "a")
            # Whoever reads the collection now waits behind the build: so would a snapshot, for its time.
            found: list[Any] = []
            assert await_true(lambda: bool(found.extend(diagnose(RULE, timeout_ms=500)) or found), 30)
        build.result()
    assert [f.evidence["opid"] for f in found] and "a_1" in found[0].message
    assert "orders" in found[0].subject


def test_a_member_that_is_not_there_is_named(three: Any) -> None:
    """A configured member that never answers: the build waits for its vote until the quorum is a smaller one."""
    missing = f"127.0.0.1:{free_port()}"
    absent = {"_id": 9, "host": missing, "priority": 0, "votes": 1}
    with three.member(0) as first, ThreadPoolExecutor(1) as pool:
        first.build.orders.insert_many([{"a": n} for n in range(10)])
        three.reconfigure(lambda config: config["members"].append(absent))
        try:
            build = pool.submit(first.build.orders.create_index, "a")
            found: list[Any] = []
            assert await_true(lambda: bool(found.extend(judged(RULE, three.look())) or found), 30)
            (finding, *_) = found
            assert finding.severity == "warning" and f"{missing} is not there" in finding.message
            assert f"start {missing}" in finding.fix
            command = {"setIndexCommitQuorum": "orders", "indexNames": ["a_1"], "commitQuorum": "majority"}
            assert 'setIndexCommitQuorum: "orders", indexNames: ["a_1"]' in finding.fix
            first.build.command(command)
            build.result()
        finally:
            three.reconfigure(lambda config: config["members"].pop())


def test_is_silent_once_it_is_built(mongo_db: Any, diagnose: Any) -> None:
    mongo_db.orders.create_index("a")
    assert [f for f in diagnose(RULE) if "orders" in f.subject] == []
