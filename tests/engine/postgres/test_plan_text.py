"""The text and YAML formats of EXPLAIN against JSON's, statement by statement, as a real server prints them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from tests.engine.postgres.plan_queries import SCHEMA, STATEMENTS, statements

from dbtrust.engine.plan_file import read_plans
from dbtrust.model.plan import Node, Plan

OPTIONS = (
    "ANALYZE, BUFFERS, VERBOSE, SETTINGS", "ANALYZE, TIMING OFF, SUMMARY OFF, WAL", "VERBOSE", "COSTS OFF",
)  # fmt: skip
EXACT = (
    "id", "parent", "type", "relation", "schema", "alias", "index", "estimated_rows", "startup_cost", "cost",
    "rows", "loops", "heap_fetches", "removed_filter", "removed_recheck", "removed_join",
)  # fmt: skip
#: How the work was shared among processes differs from run to run.
SHARED_OUT = {"rows", "loops", "removed_filter", "removed_join"}
#: So do memory and what was found in it.
MEASURED = (
    "Blocks", "Time", "Usage", "Space Used", "Space Type", "Method", "Storage", "Groups", "Batches", "Buckets",
    "WAL Bytes", "WAL FPI", "WAL Records", "Workers Launched",
)  # fmt: skip
#: Zero in JSON, left out of the text; and false, which no tree shows.
LEFT_OUT = (
    "Subplans Removed", "Planned Partitions", "Tuples Deleted", "Tuples Updated", "Tuples Skipped", "WAL ", "Function Name",
    "Inner Unique",
)  # fmt: skip


@pytest.fixture(scope="module")
def connection(postgres_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection to a database of this module with the schema."""
    name = "plan_text"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        with psycopg.connect(postgres_url, dbname=name, autocommit=True) as opened:
            for statement in statements(SCHEMA):
                opened.execute(statement)
            yield opened
        admin.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def printed(connection: psycopg.Connection[Any], options: str, form: str, settings: str, query: str) -> str:
    """What the server prints; what the statement wrote is rolled back."""
    with connection.transaction(force_rollback=True):
        for setting in filter(None, settings.split(",")):
            connection.execute(f"SET LOCAL {setting}".encode())
        rows = connection.execute(f"EXPLAIN ({options}, FORMAT {form}) {query}".encode(), prepare=False)
        return "\n".join(v if isinstance(v, str) else json.dumps(v) for (v,) in rows)


def one(text: str) -> Plan:
    (saved,) = read_plans(text.encode(), "plan")
    return saved.plan


def differences(json_plan: Plan, other: Plan) -> list[str]:
    parallel = any(node.type.startswith("Gather") for node in json_plan.nodes)
    exact = [name for name in EXACT if not (parallel and name in SHARED_OUT)]
    if len(json_plan.nodes) != len(other.nodes):
        return [f"{len(json_plan.nodes)} and {len(other.nodes)} nodes"]
    found = []
    for a, b in zip(json_plan.nodes, other.nodes, strict=True):
        found += [
            f"{a.type} {n}: {getattr(a, n)} {getattr(b, n)}" for n in exact if getattr(a, n) != getattr(b, n)
        ]
        found += detail_differences(a, b)
    if json_plan.totals.get("settings") != other.totals.get("settings"):
        found.append("settings")
    return found


def detail_differences(a: Node, b: Node) -> Iterator[str]:
    for key in set(a.detail) | set(b.detail):
        if key.endswith(MEASURED) or (key not in b.detail and key.startswith(LEFT_OUT)):
            continue
        if a.detail.get(key) != b.detail.get(key):
            yield f"{a.type} {key}: {a.detail.get(key)!r} {b.detail.get(key)!r}"


@pytest.mark.parametrize("options", OPTIONS)
def test_text_and_yaml_give_the_tree_of_json(connection: psycopg.Connection[Any], options: str) -> None:
    found: dict[str, list[str]] = {}
    for settings, query in STATEMENTS:
        printed(connection, options, "JSON", settings, query)  # meets the dead rows that the last write left
        plan = one(printed(connection, options, "JSON", settings, query))
        assert plan.unknown == ()
        for form in ("TEXT", "YAML"):
            other = one(printed(connection, options, form, settings, query))
            if wrong := differences(plan, other):
                found[f"{form} {query}"] = wrong
    assert found == {}


def test_every_node_of_a_server_without_extensions_is_among_them(connection: psycopg.Connection[Any]) -> None:
    seen: set[str] = set()
    for settings, query in STATEMENTS:
        seen |= {node.type for node in one(printed(connection, "COSTS OFF", "TEXT", settings, query)).nodes}
    missing = {
        "Result", "ProjectSet", "ModifyTable", "Append", "Merge Append", "Recursive Union", "BitmapAnd", "BitmapOr",
        "Nested Loop", "Merge Join", "Hash Join", "Seq Scan", "Sample Scan", "Gather", "Gather Merge", "Index Scan",
        "Index Only Scan", "Bitmap Index Scan", "Bitmap Heap Scan", "Tid Scan", "Tid Range Scan", "Subquery Scan",
        "Function Scan", "Values Scan", "CTE Scan", "WorkTable Scan", "Materialize", "Memoize", "Sort",
        "Incremental Sort", "Group", "Aggregate", "WindowAgg", "Unique", "SetOp", "LockRows", "Limit", "Hash",
    } - seen  # fmt: skip
    assert missing == set()


def test_blocks_are_those_of_json(connection: psycopg.Connection[Any]) -> None:
    """The same statement, run before so that all of it is in memory."""
    options = "ANALYZE, BUFFERS"
    for query in ("SELECT * FROM users WHERE id = 7", "SELECT count(*) FROM orders WHERE total < 0"):
        printed(connection, options, "TEXT", "", query)
        plan, other = (one(printed(connection, options, form, "", query)) for form in ("JSON", "TEXT"))
        assert [(n.hit, n.read) for n in plan.nodes] == [(n.hit, n.read) for n in other.nodes]
        assert plan.totals["hit"] == other.totals["hit"] > 0


def test_statement_lines_are_those_of_json(connection: psycopg.Connection[Any]) -> None:
    query = "UPDATE users SET age = 1 WHERE id < 4"
    plan, other = (
        one(printed(connection, "ANALYZE", form, "jit_above_cost=0", query)) for form in ("JSON", "TEXT")
    )
    (a,), (b,) = plan.totals["triggers"], other.totals["triggers"]
    assert (b["Trigger Name"], b["Calls"]) == (a["Trigger Name"], a["Calls"]) == ("note_it", 3)
    assert other.totals["execution_ms"] > 0 and other.totals["planning_ms"] > 0


def test_parallel_times_are_wall_time(connection: psycopg.Connection[Any]) -> None:
    """Of every process the text tells the mean; their loops ran at the same time."""
    settings = "parallel_setup_cost=0,parallel_tuple_cost=0,min_parallel_table_scan_size=0"
    text = printed(
        connection,
        "ANALYZE",
        "TEXT",
        settings,
        "SELECT count(*) FROM orders a, orders b WHERE a.total = b.total",
    )
    plan = one(text)
    gather = next(node for node in plan.nodes if node.type == "Gather")
    assert gather.detail["Workers Launched"] >= 1
    own = sum(node.self_ms or 0 for node in plan.nodes)
    root = plan.nodes[0].time_ms
    assert root is not None
    assert own <= root * 1.5
