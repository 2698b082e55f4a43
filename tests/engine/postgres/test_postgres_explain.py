"""Plans of a real server, and rows read as its own counters tell."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import set_json_loads

from dbtrust.engine.postgres.explain import explain
from dbtrust.model.plan import Node, Plan

SETUP = """
CREATE TABLE a (id int PRIMARY KEY, k int, v text);
INSERT INTO a SELECT i, i % 37, 'x' FROM generate_series(1, 1000) i;
CREATE TABLE b (id int PRIMARY KEY, a int, v text, t timestamptz DEFAULT now(), n numeric);
INSERT INTO b SELECT i, i % 777, repeat('y', i % 10), now() - i * interval '1 h', i
  FROM generate_series(1, 10007) i;
CREATE INDEX ba ON b (a);
CREATE INDEX bav ON b (a, v);
CREATE INDEX bt ON b (t);
CREATE INDEX bn ON b (n);
CREATE TABLE p (k int, v int) PARTITION BY RANGE (k);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (500);
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (500) TO (5000) PARTITION BY RANGE (k);
CREATE TABLE p21 PARTITION OF p2 FOR VALUES FROM (500) TO (5000);
CREATE INDEX pk ON p (k);
INSERT INTO p SELECT i % 1000, i FROM generate_series(1, 4321) i;
"""
LOOPS = ("enable_hashjoin=off", "enable_mergejoin=off", "enable_memoize=off", "enable_material=off")


@pytest.fixture(scope="module")
def db(postgres_url: str) -> Iterator[psycopg.Connection[Any]]:
    name = f"t_{uuid4().hex[:12]}"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        url = psycopg.conninfo.make_conninfo(postgres_url, dbname=name)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(SETUP)
            connection.execute("VACUUM (ANALYZE)")
            yield connection
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def plan_of(db: psycopg.Connection[Any], statement: str, *settings: str, **options: Any) -> Plan:
    with db.transaction(force_rollback=True):
        for setting in settings:
            db.execute(f"SET LOCAL {setting}")
        return explain(db, statement, **options)


def first(plan: Plan, kind: str) -> Node:
    return next(node for node in plan.nodes if node.type == kind)


def test_an_index_only_scan(db: psycopg.Connection[Any]) -> None:
    plan = explain(db, "SELECT a FROM b WHERE a = $1", [5])
    node = first(plan, "Index Only Scan")
    assert (node.schema, node.relation, node.alias) == ("public", "b", "b")
    assert node.index in {"ba", "bav"}
    assert (node.rows, node.loops, node.heap_fetches) == (13, 1, 0)
    assert plan.totals["returned"] == 13
    assert plan.totals["hit"] + plan.totals["read"] == (node.hit or 0) + (node.read or 0) > 0
    assert plan.totals["cost"] == node.cost
    assert plan.analyzed and plan.unknown == () and plan.server_version.startswith("17.")
    assert plan.relation_reads is None


def test_a_parameter_is_planned_as_the_value_it_has(db: psycopg.Connection[Any]) -> None:
    few = explain(db, "SELECT v FROM b WHERE id <= $1", [3])
    many = explain(db, "SELECT v FROM b WHERE id <= $1", [9999])
    assert few.nodes[0].type == "Index Scan"
    assert many.nodes[0].type == "Seq Scan"


def test_a_parameter_has_the_type_that_psycopg_picks(db: psycopg.Connection[Any]) -> None:
    whole = explain(db, "SELECT v FROM b WHERE n = $1", [7])
    real = explain(db, "SELECT v FROM b WHERE n = $1", [7.0])
    assert whole.nodes[0].index == "bn"
    assert real.nodes[0].type == "Seq Scan"
    since = explain(
        db, "SELECT v FROM b WHERE t >= $1 - interval '1 day'", [datetime(2999, 1, 1, tzinfo=UTC)]
    )
    assert since.nodes[0].index == "bt"


def test_without_analyze_nothing_runs(db: psycopg.Connection[Any]) -> None:
    plan = explain(db, "DELETE FROM b WHERE a = $1", [5], analyze=False)
    assert not plan.analyzed
    assert "returned" not in plan.totals and plan.nodes[0].rows is None and plan.nodes[0].self_ms is None


def test_a_write_outside_a_transaction_is_rolled_back(db: psycopg.Connection[Any]) -> None:
    plan = explain(db, "INSERT INTO a (id) VALUES ($1) RETURNING id", [5000])
    assert (plan.nodes[0].type, plan.totals["returned"]) == ("ModifyTable", 1)
    assert db.execute("SELECT count(*) FROM a WHERE id = 5000").fetchone() == (0,)


def test_a_write_inside_a_transaction_is_the_callers(db: psycopg.Connection[Any]) -> None:
    with db.transaction(force_rollback=True):
        explain(db, "INSERT INTO a (id) VALUES ($1)", [5000])
        assert db.execute("SELECT count(*) FROM a WHERE id = 5000").fetchone() == (1,)


def test_a_write_in_a_loop_runs_once(db: psycopg.Connection[Any]) -> None:
    with db.transaction(force_rollback=True):
        db.execute("; ".join(f"SET LOCAL {setting}" for setting in LOOPS))
        plan = explain(db, "UPDATE a SET k = a.k + 1 FROM b WHERE b.a = a.id AND b.id <= 5")
        assert first(plan, "Nested Loop")
        assert db.execute("SELECT sum(k) FROM a WHERE id <= 5").fetchone() == (sum(range(2, 7)),)


BITMAP = ("enable_seqscan=off", "enable_indexscan=off", "enable_indexonlyscan=off")


def test_a_bitmap_scan_is_of_its_heap_scans_relation(db: psycopg.Connection[Any]) -> None:
    plan = plan_of(db, "SELECT * FROM b WHERE a = 5 OR n = 7", *BITMAP)
    assert first(plan, "BitmapOr")
    indexes = {(n.schema, n.relation, n.index) for n in plan.nodes if n.type == "Bitmap Index Scan"}
    assert len(indexes) == 2 and {name[:2] for name in indexes} == {("public", "b")}


def test_a_partition_counts_as_its_root(db: psycopg.Connection[Any]) -> None:
    plan = plan_of(db, "SELECT * FROM p WHERE k IN (3, 900)", "enable_seqscan=off", "enable_bitmapscan=off")
    scans = [node for node in plan.nodes if node.type == "Index Scan"]
    assert {node.relation for node in scans} == {"p1", "p21"}
    assert {(n.root_schema, n.root_relation, n.root_index) for n in scans} == {("public", "p", "pk")}
    bitmap = plan_of(db, "SELECT * FROM p WHERE k = 900", *BITMAP)
    assert first(bitmap, "Bitmap Index Scan").root_index == "pk"


JOIN = "SELECT * FROM a JOIN b ON b.a = a.id"
PLAIN = ("enable_seqscan=off", "enable_bitmapscan=off")


@pytest.mark.parametrize(
    ("statement", "settings", "reads"),
    [
        # 10,007 rows of which 12 have a = 0: the mean of 9.995 a loop is shown as 10.
        (JOIN, (*LOOPS, *PLAIN), {"public.b": 9995}),
        (JOIN + " WHERE b.v = 'yyy'", (*LOOPS, *BITMAP), {"public.a": 1000}),
        ("SELECT id, (SELECT count(*) FROM b WHERE b.a = a.id) FROM a", PLAIN, {"public.b": 9995}),
        (
            "SELECT id, (SELECT count(*) FROM b WHERE b.a = a.k AND v LIKE '%yyy%') FROM a WHERE id < 20",
            (*BITMAP[1:], "enable_bitmapscan=off"),
            {"public.b": 19 * 10007},
        ),
        (JOIN + " WHERE a.id < 50 AND b.id < 5000", (*LOOPS, *BITMAP[1:], "enable_bitmapscan=off"), None),
        ("SELECT * FROM a JOIN p ON p.k = a.id", (*LOOPS, *PLAIN), None),
        ("SELECT * FROM b b1 JOIN b b2 ON b2.ctid = b1.ctid WHERE b1.id < 50", LOOPS, {}),
        ("SELECT * FROM a WHERE EXISTS (SELECT FROM b WHERE a = a.id LIMIT 1)", (*PLAIN, *LOOPS), None),
    ],
)
def test_rows_read_are_exact(
    db: psycopg.Connection[Any], statement: str, settings: tuple[str, ...], reads: dict[str, float] | None
) -> None:
    plan = plan_of(db, statement, *settings)
    assert plan.relation_reads is not None
    if reads is not None:
        assert dict(plan.relation_reads) == reads
    for name in plan.relation_reads:
        scans = [n for n in plan.nodes if root(n) == name and n.type != "Bitmap Index Scan"]
        told = sum(((n.rows or 0) + (n.removed_filter or 0)) * (n.loops or 0) for n in scans)
        assert abs(plan.relation_reads[name] - told) <= sum(node.loops or 0 for node in scans)


def root(node: Node) -> str:
    return f"{node.root_schema or node.schema}.{node.root_relation or node.relation}"


def test_partitions_are_summed_under_their_root(db: psycopg.Connection[Any]) -> None:
    plan = plan_of(db, "SELECT * FROM a JOIN p ON p.k = a.id", *LOOPS, *PLAIN)
    (rows,) = db.execute("SELECT count(*) FROM p WHERE k BETWEEN 1 AND 1000").fetchone() or (0,)
    assert plan.relation_reads == {"public.p": rows}


def test_planning_that_reads_the_ends_of_an_index_is_not_counted(db: psycopg.Connection[Any]) -> None:
    statement = "SELECT * FROM a JOIN b ON b.id = a.id WHERE b.id > 9990 - $1"
    with db.transaction(force_rollback=True):
        db.execute("; ".join(f"SET LOCAL {setting}" for setting in (*LOOPS, *PLAIN)))
        plan = explain(db, statement, [9960])
    (name,) = plan.relation_reads or {}
    inner = [node for node in plan.nodes if (node.loops or 0) > 1]
    assert {f"{node.schema}.{node.relation}" for node in inner} == {name}
    assert (plan.relation_reads or {})[name] == plan.totals["returned"]


def test_an_index_in_two_kinds_of_scan_is_left_out(db: psycopg.Connection[Any]) -> None:
    statement = "SELECT x.a, (SELECT sum(y.n) FROM b y WHERE y.a = x.a) FROM b x WHERE x.a < 9"
    with db.transaction(force_rollback=True):
        db.execute("DROP INDEX bav")
        plan = plan_of(db, statement, *PLAIN)
    assert {n.type for n in plan.nodes if n.index == "ba"} == {"Index Only Scan", "Index Scan"}
    assert plan.relation_reads == {}


def test_without_counters_nothing_is_claimed(db: psycopg.Connection[Any]) -> None:
    assert plan_of(db, JOIN, *LOOPS, *PLAIN, counters=False).relation_reads is None
    assert plan_of(db, JOIN, *LOOPS, *PLAIN, "track_counts=off").relation_reads == {}


PARALLEL = (
    "parallel_setup_cost=0", "parallel_tuple_cost=0", "min_parallel_table_scan_size=0",
    "min_parallel_index_scan_size=0", "max_parallel_workers_per_gather=2",
)  # fmt: skip


def test_a_parallel_plan(db: psycopg.Connection[Any]) -> None:
    plan = plan_of(db, "SELECT count(*) FROM b WHERE v LIKE '%yy%'", *PARALLEL)
    assert first(plan, "Gather").detail["Workers Planned"] >= 1
    assert first(plan, "Seq Scan").detail["Parallel Aware"] is True
    joined = plan_of(db, JOIN, *PARALLEL, *LOOPS, *PLAIN)
    assert first(joined, "Gather") and joined.relation_reads is None


def test_self_time_is_the_nodes_own(db: psycopg.Connection[Any]) -> None:
    plan = plan_of(
        db, "WITH c AS MATERIALIZED (SELECT v, pg_sleep(0.05) FROM a LIMIT 1) SELECT v FROM c ORDER BY v"
    )
    assert sum(node.self_ms or 0 for node in plan.nodes) == pytest.approx(plan.nodes[0].time_ms, rel=0.05)
    assert max(plan.nodes, key=lambda node: node.self_ms or 0).type not in {"CTE Scan", "Sort"}


def test_a_declared_cursor(db: psycopg.Connection[Any]) -> None:
    plan = explain(db, "DECLARE c CURSOR FOR SELECT v FROM b WHERE a = $1", [5])
    assert plan.nodes[0].relation == "b"


def test_every_node_is_known(db: psycopg.Connection[Any]) -> None:
    statements = [
        "WITH RECURSIVE r AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM r WHERE x < 5) SELECT * FROM r",
        "SELECT a, rank() OVER (ORDER BY n), row_number() OVER (PARTITION BY a) FROM b",
        "SELECT a FROM b INTERSECT SELECT id FROM a",
        "SELECT DISTINCT a FROM b ORDER BY a LIMIT 3",
        "SELECT * FROM b TABLESAMPLE system (10)",
        "SELECT * FROM b WHERE ctid = '(0,1)'",
        "SELECT * FROM b WHERE ctid < '(1,1)'",
        "SELECT generate_series(1, 3), unnest('{1,2}'::int[])",
        "SELECT * FROM (VALUES (1), (2)) v FULL JOIN a ON a.id = column1",
        "SELECT * FROM a FOR UPDATE",
        "SELECT * FROM xmltable('/r' PASSING '<r/>' COLUMNS x text)",
        "INSERT INTO a (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET k = 1",
        "MERGE INTO a USING b ON a.id = b.id WHEN MATCHED THEN DELETE",
        "SELECT (SELECT max(id) FROM b), k FROM a GROUP BY ROLLUP (k)",
    ]
    for statement in statements:
        plan = explain(db, statement)
        assert plan.unknown == (), statement
        assert all(node.parent is None or node.parent < node.id for node in plan.nodes)


def test_several_plans_of_a_rewritten_statement(pg: psycopg.Connection[Any]) -> None:
    pg.execute("CREATE TABLE t (a int); CREATE TABLE log (a int)")
    pg.execute("CREATE RULE also AS ON INSERT TO t DO ALSO INSERT INTO log VALUES (NEW.a)")
    plan = explain(pg, "INSERT INTO t VALUES ($1)", [1])
    assert [node.relation for node in plan.children(None)] == ["t", "log"]
    pg.execute("CREATE OR REPLACE RULE also AS ON INSERT TO t DO INSTEAD NOTHING")
    nothing = explain(pg, "INSERT INTO t VALUES ($1)", [1])
    assert nothing.unknown and nothing.nodes == ()


def test_settings_are_told(db: psycopg.Connection[Any]) -> None:
    plan = plan_of(db, "SELECT 1", "random_page_cost=1.1")
    assert plan.totals["settings"]["random_page_cost"] == "1.1"


def test_the_callers_json_loader_does_not_matter(pg: psycopg.Connection[Any]) -> None:
    set_json_loads(lambda _: "mine", pg)
    assert explain(pg, "SELECT 1").nodes[0].type == "Result"


def test_a_temporary_table(pg: psycopg.Connection[Any]) -> None:
    pg.execute("CREATE TEMP TABLE scratch AS SELECT generate_series(1, 1000) AS x")
    plan = explain(pg, "SELECT (SELECT count(*) FROM scratch t WHERE t.x < s.x) FROM scratch s WHERE x < 9")
    assert (plan.nodes[-1].hit or 0) > 0
    assert plan.relation_reads == {}


def test_a_statement_that_fails_is_psycopgs_error(db: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.errors.UndefinedColumn):
        explain(db, "SELECT nothing FROM a")
    assert db.execute("SELECT 1").fetchone() == (1,)


def test_a_statement_without_a_plan(db: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.errors.SyntaxError):
        explain(db, "CREATE TABLE x (a int)")
