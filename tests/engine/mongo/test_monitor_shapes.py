"""Documents of servers that do not run here: shapes taken from documentation and server source, and marked so."""

from __future__ import annotations

import datetime
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dbtrust.engine.mongo.monitor import server_facts, settings_row
from dbtrust.engine.mongo.monitor_collections import Names
from dbtrust.engine.mongo.monitor_members import member_rows, member_url, status_row
from dbtrust.engine.mongo.monitor_operations import Operations, of_a_user, query_stats_row, slow_line
from dbtrust.engine.mongo.shapes import shape

#: Documented, 8.0: a slow operation that waited; workingMillis and queues are not written by 6.0.
DOCUMENTED_8 = {
    "t": {"$date": "2026-01-02T03:04:05.678+00:00"}, "s": "I", "c": "COMMAND", "id": 51803, "ctx": "conn1",
    "msg": "Slow query",
    "attr": {
        "type": "command", "ns": "shop.orders", "appName": "app",
        "command": {"find": "orders", "filter": {"email": "a@example.org"}, "$db": "shop"},
        "planSummary": "EXPRESS_IXSCAN { email: 1 }", "keysExamined": 1, "docsExamined": 1, "nreturned": 1,
        "planCacheShapeHash": "AA", "queryShapeHash": "BB", "workingMillis": 25, "durationMillis": 2933,
        "queues": {"execution": {"admissions": 1, "totalTimeQueuedMicros": 2_000_000}},
        "locks": {"Global": {"timeAcquiringMicros": {"w": 900_000}}},
    },
}  # fmt: skip
#: Documented, 7.0 and later: tickets by operation, in "queues" from 8.0.
DOCUMENTED_STATUS = {
    "version": "8.0.0",
    "queues": {
        "execution": {"read": {"totalTickets": 12, "available": 0, "normalPriority": {"queueLength": 3}}}
    },
}
#: Documented: one document of $queryStats.
DOCUMENTED_QUERY_STATS = {
    "key": {"queryShape": {"cmdNs": {"db": "shop", "coll": "orders"}, "command": "find", "filter": {"n": "?number"}}},
    "queryShapeHash": "CC",
    "metrics": {"execCount": 4, "totalExecMicros": {"sum": 8000}, "docsReturned": {"sum": 4},
                "keysExamined": {"sum": 9}, "docsExamined": {"sum": 7}},
}  # fmt: skip


def operations() -> Operations:
    return Operations(Names(single=True), ["shop"])


def test_a_documented_line_of_8_0_tells_working_from_waiting() -> None:
    line = slow_line(json.dumps(DOCUMENTED_8, separators=(",", ":")))
    assert line is not None
    found = operations()
    found.logged(line)
    (row,) = found.rows()
    assert (row["working_ms"], row["waiting_ms"], row["total_ms"]) == (25, 2900.0, 2933)
    assert (row["query_hash"], row["query_shape_hash"]) == ("AA", "BB")
    assert row["shape"] == '{"filter": {"email": "?"}}' and row["plan"].startswith("EXPRESS_IXSCAN")


def test_documented_tickets_of_8_0() -> None:
    row = status_row("m", DOCUMENTED_STATUS)
    assert (row["read_tickets"], row["read_tickets_free"], row["read_tickets_waiting"]) == (12, 0, 3)
    assert row["write_tickets"] is None and row["connections"] is None


def test_a_documented_query_stats_document() -> None:
    row = query_stats_row(DOCUMENTED_QUERY_STATS, Names(single=False))
    assert row["label"] == "shop.orders" and row["count"] == 4 and row["total_ms"] == 8.0
    assert row["query_shape_hash"] == "CC" and row["documents"] == 7


def test_a_documented_mongos_says_what_it_is() -> None:
    facts = server_facts({"msg": "isdbgrid", "isWritablePrimary": True}, {"version": "8.0.1"})
    assert (facts["role"], facts["major"], facts["hosts"]) == ("mongos", 8, [])


def test_one_operation_in_the_profile_and_the_log_counts_once() -> None:
    when = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    command = {"find": "orders", "filter": {"n": 1}}
    both = {
        "ns": "shop.orders",
        "command": command,
        "planSummary": "COLLSCAN",
        "docsExamined": 9,
        "nreturned": 1,
    }
    found = operations()
    found.profiled({**both, "op": "query", "millis": 150, "ts": when})
    line = {"t": {"$date": "2026-01-02T03:04:05.100+00:00"}}
    found.logged({**line, "attr": {**both, "type": "command", "durationMillis": 150}})
    found.logged({**line, "attr": {**both, "type": "command", "durationMillis": 151}})
    more = {"getMore": 1, "collection": "orders"}
    found.logged(
        {**line, "attr": {**both, "command": more, "originatingCommand": command, "durationMillis": 120}}
    )
    (row,) = found.rows()
    assert row["count"] == 2 and row["total_ms"] == 150 + 151 + 120 and row["sources"] == ["log", "profiler"]


def test_what_is_no_query_of_a_user_is_no_row() -> None:
    found = operations()
    line = {"t": {"$date": "2026-01-02T03:04:05.100+00:00"}}
    for ns, app, command in (
        ("shop.$cmd", "app", {"update": "orders"}), ("shop.orders", "dbtrust", {"find": "orders", "comment": "dbtrust monitor"}),
        ("shop.system.profile", "app", {"find": "system.profile"}), ("other.c", "app", {"find": "c"}),
        ("shop.orders", "app", {"createIndexes": "orders"}),
    ):  # fmt: skip
        found.logged({**line, "attr": {"ns": ns, "appName": app, "type": "command", "command": command}})
    assert found.rows() == []
    assert not of_a_user(
        {"active": True, "type": "op", "ns": "local.oplog.rs", "client": "x", "command": {"find": 1}}
    )
    assert not of_a_user(
        {"active": True, "type": "op", "ns": "admin.$cmd", "client": "x", "command": {"hello": 1}}
    )


def test_shapes_keep_names_and_drop_values() -> None:
    command = {
        "aggregate": "c",
        "pipeline": [
            {"$match": {"pw": "$2b$12$secret", "n": {"$in": [1, 2, 3]}, "$expr": {"$gt": ["$a", 5]}}},
            {"$lookup": {"from": "d", "localField": "x", "foreignField": "y", "as": "z"}},
            {"$group": {"_id": "$k", "s": {"$sum": "$v"}, "l": {"$literal": "$secret"}}},
            {"$sort": {"s": -1}},
        ],
    }
    text = shape(command)
    assert "secret" not in text and '"from": "d"' in text and '"$k"' in text and '"$a"' in text
    assert json.loads(text)["pipeline"][0]["$match"]["n"] == {"$in": ["?"]}
    assert (
        shape({"find": "c", "filter": {"a": 1}, "sort": {"b": -1}})
        == '{"filter": {"a": "?"}, "sort": {"b": -1}}'
    )


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5).map(lambda t: f"SECRET{t}"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc$"), inner, max_size=3),
    max_leaves=12,
)


@given(_VALUES, st.sampled_from(["filter", "q", "query", "u", "update", "pipeline"]))
def test_no_text_of_a_command_is_in_its_shape(value: Any, key: str) -> None:
    inner = [{"$match": value}, {"$project": {"a": value}}] if key == "pipeline" else {"field": value}
    assert "SECRET" not in shape({"find": "c", key: inner})


def test_members_and_urls() -> None:
    at = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    status = {"members": [
        {"name": "a:1", "stateStr": "PRIMARY", "health": 1, "optimeDate": at},
        {"name": "b:1", "stateStr": "SECONDARY", "health": 1, "optimeDate": at - datetime.timedelta(seconds=7)},
        {"name": "c:1", "stateStr": "ARBITER", "health": 1},
    ]}  # fmt: skip
    config = {"members": [{"host": "b:1", "secondaryDelaySecs": 5}, {"host": "c:1", "arbiterOnly": True}]}
    rows = {row["member"]: row for row in member_rows(status, config)}
    assert rows["b:1"]["lag_ms"] == 7000 and rows["b:1"]["delay_ms"] == 5000 and rows["c:1"]["arbiter"]
    assert rows["a:1"]["lag_ms"] is None
    url = "mongodb+srv://u:p%40@cluster.example.org/shop?replicaSet=x&retryWrites=true"
    assert member_url(url, "h:1") == (
        "mongodb://u:p%40@h:1/?retryWrites=true&tls=true&authSource=admin&directConnection=true"
    )
    assert member_url("mongodb://u:p@a,b/shop", "b:27017") == (
        "mongodb://u:p@b:27017/?authSource=shop&directConnection=true"
    )
    assert settings_row({"net": {"bindIpAll": True}}, {})["bind_ip"] == "*"
