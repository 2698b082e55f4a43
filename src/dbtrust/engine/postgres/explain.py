"""EXPLAIN as a driver's first execution of a statement would be planned, and what it really read."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row, tuple_row
from psycopg.types.string import TextLoader

from dbtrust.engine.postgres import sql
from dbtrust.engine.postgres.plan_document import SCANS, Partitions, parse
from dbtrust.model.plan import Node, Plan

__all__ = ["Partitions", "explain", "parse", "with_blocks_of"]

_ANALYZE = "EXPLAIN (ANALYZE, BUFFERS, VERBOSE, SETTINGS, TIMING ON, FORMAT JSON) "
#: Without a clock around every node, whose price would be that of the statement.
_TIMED = "EXPLAIN (ANALYZE, BUFFERS, VERBOSE, SETTINGS, TIMING OFF, FORMAT JSON) "
_PLAIN = "EXPLAIN (VERBOSE, SETTINGS, FORMAT JSON) "
#: The nodes that run a part of the plan more than once; a sub plan of an expression does, too.
_REPEATING = frozenset({"Nested Loop", "Recursive Union"})

#: (schema, relation, index or None) to (tuples returned, tuples fetched).
Counters = Mapping[tuple[str, str, str | None], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the catalog and the counters say about the relations of a plan at one moment."""

    partitions: Partitions
    counters: Counters


def explain(
    connection: psycopg.Connection[Any],
    statement: str,
    params: Sequence[Any] = (),
    *,
    analyze: bool = True,
    counters: bool = True,
    partitions: bool = True,
) -> Plan:
    """The plan of one statement whose placeholders are $1..$n, each sent with the type that psycopg picks.

    Nothing is prepared, so the server makes the custom plan of a first execution. With `analyze` the
    statement runs: outside a transaction its effects are rolled back here; inside one they stay, and the
    caller rolls back. `counters` fills `relation_reads` for relations that are scanned more than once (see
    `_reads`). `partitions` False saves the look-up of parents in a database that has no partitions. Raises psycopg.Error; a position in it counts from the EXPLAIN. A statement that a rule
    rewrites to nothing has a plan without nodes and with `unknown`.
    """
    with _transaction(connection):
        before = _run(connection, _PLAIN, statement, params) if counters and analyze else None
        if before is not None and _may_repeat(before):
            return _measured(connection, statement, params, before)
        plan = _run(connection, _ANALYZE if analyze else _PLAIN, statement, params)
        return _placed(connection, plan) if partitions else plan


def has_partitions(connection: psycopg.Connection[Any]) -> bool:
    """Is any table of the database a partition? Raises psycopg.Error."""
    row = connection.execute(sql.load("has_partitions"), prepare=False).fetchone()
    return row is None or bool(row[0])


def timed(connection: psycopg.Connection[Any], statement: str, params: Sequence[Any] = ()) -> Plan:
    """The plan with the time of the whole execution in totals["execution_ms"] and none of single nodes.

    The statement runs in the caller's transaction. Raises psycopg.Error.
    """
    return _placed(connection, _run(connection, _TIMED, statement, params))


def with_blocks_of(plan: Plan, second: Plan) -> Plan:
    """The plan of a first run with the blocks of a second one.

    A first run also reads what its connection does not hold yet: the roots of indexes, the catalog.
    """
    blocks = {key: second.totals[key] for key in ("hit", "read") if key in second.totals}
    return replace(plan, totals={**plan.totals, **blocks})


def _transaction(connection: psycopg.Connection[Any]) -> AbstractContextManager[Any]:
    if connection.info.transaction_status == TransactionStatus.IDLE:
        return connection.transaction(force_rollback=True)
    return nullcontext()


def _run(connection: psycopg.Connection[Any], prefix: str, statement: str, params: Sequence[Any]) -> Plan:
    with psycopg.RawCursor(connection, row_factory=tuple_row) as cursor:
        # The user may have registered another loader for json on the connection.
        cursor.adapters.register_loader("json", TextLoader)
        cursor.execute((prefix + statement).encode(connection.info.encoding), params or None, prepare=False)
        row = cursor.fetchone()
    return _parsed(row[0] if row else "null", version(connection))


def _parsed(text: str, server_version: str) -> Plan:
    """The plan of a JSON text; one that is nested too deeply to be read is unknown."""
    try:
        return parse(json.loads(text), server_version=server_version)
    except RecursionError:
        deep = ("a plan that is nested too deeply to be read",)
        return Plan("postgres", (), server_version=server_version, unknown=deep)


def version(connection: psycopg.Connection[Any]) -> str:
    """The server's version without the packager's words: "17.10"."""
    return (connection.info.parameter_status("server_version") or "").split(" ")[0]


def _may_repeat(plan: Plan) -> bool:
    return any(
        node.type in _REPEATING or node.detail.get("Parent Relationship") == "SubPlan" for node in plan.nodes
    ) and not _parallel(plan)


def _parallel(plan: Plan) -> bool:
    return any(node.type in ("Gather", "Gather Merge") for node in plan.nodes)


def _placed(connection: psycopg.Connection[Any], plan: Plan) -> Plan:
    return _with_roots(plan, _facts(connection, plan).partitions)


def _measured(
    connection: psycopg.Connection[Any], statement: str, params: Sequence[Any], before: Plan
) -> Plan:
    """EXPLAIN ANALYZE between two readings of the counters, less what planning alone reads.

    The planner looks up the ends of indexes (selfuncs.c, get_actual_variable_range), which counts as reading.
    """
    start = _facts(connection, before)
    _run(connection, _PLAIN, statement, params)
    planned = _facts(connection, before).counters
    plan = _run(connection, _ANALYZE, statement, params)
    end = _facts(connection, before)
    plan = _with_roots(plan, end.partitions)
    change = {
        key: (
            value[0] - 2 * planned[key][0] + start.counters[key][0],
            value[1] - 2 * planned[key][1] + start.counters[key][1],
        )
        for key, value in end.counters.items()
        if key in planned and key in start.counters
    }
    return plan if _parallel(plan) else replace(plan, relation_reads=_reads(plan, change))


def _facts(connection: psycopg.Connection[Any], plan: Plan) -> _Facts:
    names = sorted({(node.schema, node.relation) for node in plan.nodes if node.schema and node.relation})
    if not names:
        return _Facts(Partitions(), {})
    arguments = {"schemas": [name[0] for name in names], "relations": [name[1] for name in names]}
    with psycopg.Cursor(connection, row_factory=dict_row) as cursor:
        rows = cursor.execute(sql.load("plan_relations"), arguments, prepare=False).fetchall()
    return _Facts(
        _partitions(rows), {_key(row): (row["returned"], row["fetched"]) for row in rows if row["counted"]}
    )


def _key(row: Mapping[str, Any]) -> tuple[str, str, str | None]:
    return row["schema"], row["relation"], row["index"]


def _partitions(rows: Sequence[Mapping[str, Any]]) -> Partitions:
    inside = [row for row in rows if row["root_relation"] is not None]
    return Partitions(
        {(row["schema"], row["relation"]): (row["root_schema"], row["root_relation"]) for row in inside},
        {(row["schema"], row["index"]): row["root_index"] for row in inside if row["root_index"] is not None},
        {
            (row["schema"], row["index"] or row["relation"]): tuple((s, n) for s, n in row["ancestors"])
            for row in rows
            if row["ancestors"]
        },
    )


def _with_roots(plan: Plan, partitions: Partitions) -> Plan:
    nodes = (replace(n, **partitions.of(n.schema, n.relation, n.index)) for n in plan.nodes)
    return replace(plan, nodes=tuple(nodes))


def _reads(plan: Plan, change: Counters) -> dict[str, float]:
    """Rows read of each relation that some scan visits more than once, partitions under their root.

    A table counts what sequential and sample scans return and what bitmap heap scans fetch; an index what
    it fetches from the table, or for an index-only scan what it returns (pgstat_count_* in heapam.c and
    indexam.c). Left out is a relation where that is not exact: a Tid Scan counts nowhere, and an index in an
    index-only scan and in another scan of the same statement counts both in one number.
    """
    wanted, uses = _repeated(plan, change), _index_uses(plan)
    roots = {(node.schema, node.relation): _name(node) for node in plan.nodes if node.relation}
    reads: defaultdict[str, float] = defaultdict(float)
    for (schema, relation, index), (returned, fetched) in change.items():
        name = roots.get((schema, relation), "")
        if name not in wanted:
            continue
        if index is None:
            reads[name] += returned + fetched
        else:
            reads[name] += returned if "Index Only Scan" in uses.get((name, index), ()) else fetched
    return dict(reads)


def _repeated(plan: Plan, change: Counters) -> set[str]:
    """Relations with a scan of several loops whose counters are exact."""
    scans = [node for node in plan.nodes if node.type in SCANS and node.loops]
    repeated = {_name(node) for node in scans if (node.loops or 0) > 1}
    inexact = {_name(node) for node in scans if node.type == "Tid Scan"}
    inexact |= {_name(node) for node in scans if (node.schema, node.relation, None) not in change}
    mixed = (
        name
        for (name, _), kinds in _index_uses(plan).items()
        if "Index Only Scan" in kinds and len(kinds) > 1
    )
    return repeated - inexact - set(mixed)


def _index_uses(plan: Plan) -> dict[tuple[str, str], set[str]]:
    uses: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for node in plan.nodes:
        if node.index:
            uses[_name(node), node.index].add(node.type)
    return uses


def _name(node: Node) -> str:
    schema, relation = (
        (node.root_schema, node.root_relation) if node.root_relation else (node.schema, node.relation)
    )
    return f"{schema}.{relation}"
