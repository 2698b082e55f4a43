"""The tree of decisions of real PostgreSQL plans: what is in it, and what is not."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from dbtrust.engine.postgres.catalog import snapshot
from dbtrust.engine.postgres.explain import explain
from dbtrust.judge.expressions import without_values
from dbtrust.judge.outcomes import known_names
from dbtrust.judge.signature import index_named, postgres_lines, unquoted

Pg = psycopg.Connection[Any]
TABLE = """
CREATE TABLE t (id int PRIMARY KEY, a int, b int, v text);
INSERT INTO t SELECT n, n % 100, n % 1000, 'v' || n FROM generate_series(1, 20000) AS n;
CREATE INDEX t_a ON t (a); CREATE INDEX t_b ON t (b);
VACUUM ANALYZE t;
"""
PARTS = """
CREATE TABLE e (id int, at date NOT NULL, k int) PARTITION BY RANGE (at);
CREATE TABLE e1 PARTITION OF e FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
CREATE TABLE e2 PARTITION OF e FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
CREATE TABLE e3 PARTITION OF e FOR VALUES FROM ('2024-03-01') TO ('2024-04-01');
INSERT INTO e SELECT n, date '2024-01-01' + n % 90, n % 50 FROM generate_series(1, 9000) AS n;
CREATE INDEX e_at ON e (at);
ANALYZE e;
"""


def run(pg: Pg, script: str) -> None:
    for statement in filter(str.strip, script.split(";")):
        pg.execute(statement.encode())


def tree(pg: Pg, statement: str, *params: Any) -> list[str]:
    names = known_names(snapshot(pg).objects, "postgres")
    return [line.text for line in postgres_lines(explain(pg, statement, params, analyze=False), names.keys)]


def test_values_are_no_decisions(pg: Pg) -> None:
    run(pg, TABLE)
    first = tree(pg, "SELECT * FROM t WHERE id = $1 AND v <> $2", 7, "x")
    assert first == [
        "Index Scan using t_pkey on t", "    Index: btree (id)", "    Index Cond: (t.id = ?)",
    ]  # fmt: skip
    assert tree(pg, "SELECT * FROM t WHERE id = $1 AND v <> $2", 19_999_999, "it's") == first
    assert tree(pg, "SELECT * FROM t WHERE id = $1 AND v <> 'other' AND b > 3", 8) == first, (
        "filters are none"
    )


def test_a_self_join_keeps_its_sides_apart(pg: Pg) -> None:
    """The same indexes on the same relation, but by the other side."""
    run(pg, TABLE)
    one = tree(pg, "SELECT * FROM t x, t y WHERE x.a = 5 AND y.b = 7")
    two = tree(pg, "SELECT * FROM t x, t y WHERE x.b = 7 AND y.a = 5")
    assert (
        sorted(filter(None, map(index_named, one)))
        == sorted(filter(None, map(index_named, two)))
        == ["t_a", "t_b"]
    )
    assert one != two
    assert one == [
        line.replace("t x", "t ?")
        .replace("t y", "t x")
        .replace("t ?", "t y")
        .replace("(x.", "(?.")
        .replace("(y.", "(x.")
        .replace("(?.", "(y.")
        for line in two
    ]


def test_bitmaps_are_in_no_order(pg: Pg) -> None:
    run(pg, TABLE)
    both = tree(pg, "SELECT * FROM t WHERE a = 5 AND b = 105")
    assert [line.strip().split(" using ")[0] for line in both if "Index" not in line.split(":")[0]] == [
        "Bitmap Heap Scan on t", "BitmapAnd",
    ]  # fmt: skip
    assert both == tree(pg, "SELECT * FROM t WHERE b = 205 AND a = 5")
    either = tree(pg, "SELECT * FROM t WHERE a = 5 OR b = 7")
    assert either[1].strip() == "BitmapOr" and either == tree(pg, "SELECT * FROM t WHERE b = 9 OR a = 1")
    assert both != either


def test_partitions_count_as_their_parent_and_pruning_is_a_decision(pg: Pg) -> None:
    run(pg, PARTS)
    one = tree(pg, "SELECT count(*) FROM e WHERE at = $1::date", "2024-01-15")
    assert one == tree(pg, "SELECT count(*) FROM e WHERE at = $1::date", "2024-03-02"), "another partition"
    assert "e_at" in "\n".join(one) and "e1" not in "\n".join(one)
    all_of_them = tree(pg, "SELECT * FROM e WHERE k = 3")
    assert all_of_them == ["Append", "  3 x Seq Scan on e"]
    assert tree(pg, "SELECT * FROM e WHERE k = 3 AND at >= '2024-02-01'") == ["Append", "  2 x Seq Scan on e"]
    run_time = tree(
        pg, "SELECT * FROM e WHERE at > date_trunc('day', timestamp '2024-03-02' + (now() - now()))"
    )
    assert "pruned at run time" in run_time[0]


def test_subplans_ctes_and_their_ways(pg: Pg) -> None:
    run(pg, TABLE)
    hashed = tree(pg, "SELECT * FROM t WHERE a NOT IN (SELECT b FROM t WHERE v = 'x')")
    assert hashed[0] == "Seq Scan on t" and hashed[1].startswith("  SubPlan 1 (hashed): Seq Scan on t t_1")
    looped = tree(pg, "SELECT * FROM t x WHERE a <> ALL (SELECT b FROM t y WHERE y.id = x.id)")
    assert "(hashed)" not in "\n".join(looped) and any("SubPlan 1: Index Scan" in line for line in looped)
    cte = tree(
        pg, "WITH w AS MATERIALIZED (SELECT a FROM t) SELECT * FROM w WHERE a = (SELECT max(id) FROM t)"
    )
    text = "\n".join(cte)
    assert "CTE Scan on w" in text and "  CTE w: Seq Scan on t" in text and "InitPlan" in text


def test_ways_to_join_sort_and_group(pg: Pg) -> None:
    run(pg, TABLE)
    query = "SELECT x.a, count(*) FROM t x LEFT JOIN t y ON x.a = y.b GROUP BY x.a ORDER BY x.a DESC"
    seen = {"\n".join(tree(pg, query))}
    for way in ("hashjoin", "nestloop", "mergejoin", "hashagg"):
        pg.execute("RESET ALL")
        pg.execute(f"SET enable_{way} = off".encode())
        seen.add("\n".join(tree(pg, query)))
    pg.execute("SET enable_nestloop = off")
    pg.execute("SET enable_hashjoin = off")
    seen.add("\n".join(tree(pg, query)))
    assert len(seen) >= 3
    assert any("Hash Join (Left)" in text or "Hash Join (Right)" in text for text in seen)
    assert any("Merge Join (Left)" in text or "Merge Join (Right)" in text for text in seen)
    pg.execute("RESET ALL")
    assert tree(pg, "SELECT * FROM t ORDER BY v")[:2] == ["Sort", "    Sort Key: t.v"]
    assert "Backward" in tree(pg, "SELECT * FROM t ORDER BY id DESC LIMIT 1")[1]
    written = tree(pg, "INSERT INTO t (id) VALUES ($1) ON CONFLICT (id) DO NOTHING", 1)
    assert written == ["ModifyTable (Insert) on t", "    Conflict Arbiter Indexes: t_pkey", "  Result"]


def test_an_index_of_the_same_name_over_other_columns_is_another_decision(pg: Pg) -> None:
    run(pg, TABLE + "CREATE INDEX swap ON t (v, b); ANALYZE t")
    one = tree(pg, "SELECT b, v FROM t WHERE v = 'v7' AND b = 7")
    run(pg, "DROP INDEX swap; CREATE INDEX swap ON t (b, v)")
    pg.execute("DROP INDEX t_b")
    two = tree(pg, "SELECT b, v FROM t WHERE v = 'v7' AND b = 7")
    assert "swap" in "\n".join(one) and "swap" in "\n".join(two) and one != two


def test_names_are_quoted_and_read_back(pg: Pg) -> None:
    run(pg, 'CREATE SCHEMA s; CREATE TABLE s."Odd t" (id int); CREATE INDEX "i "" x" ON s."Odd t" (id)')
    pg.execute("SET enable_seqscan = off")
    pg.execute("SET enable_bitmapscan = off")
    lines = tree(pg, 'SELECT * FROM s."Odd t" WHERE id = 5')
    named = index_named(lines[0])
    assert named == 's."i "" x"' and unquoted(named) == ("s", 'i " x')
    assert [index_named(line) for line in lines[1:]] == [None, None]


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("((u.name)::text = 'it''s E'::text)", "((u.name)::text = ?)"),
        ("(a.at > '2024-01-01 00:00:00+00'::timestamp with time zone)", "(a.at > ?)"),
        ("(x = ANY ('{1,2}'::integer[]))", "(x = ANY (?))"),
        ('(("Odd 1".col2 = 5) AND (c1 < 1.5e10))', '(("Odd 1".col2 = ?) AND (c1 < ?))'),
        ("(NOT (ANY (a = (hashed SubPlan 1).col1)))", "(NOT (ANY (a = (hashed SubPlan 1).col1)))"),
        ("(v = E'a\\\\b'::text)", "(v = ?)"),
        ("(v = NULL::text) AND (w IS NOT NULL)", "(v = ?) AND (w IS NOT NULL)"),
        ("(s = 'a'::public.\"Odd type\"[])", "(s = ?)"),
        ("((x)::numeric(8,2) = '5'::numeric)", "((x)::numeric(?,?) = ?)"),
        ("(a.k = $0)", "(a.k = $0)"),
    ],
)  # fmt: skip
def test_constants_of_conditions(text: str, bare: str) -> None:
    assert without_values(text) == bare


def test_aliases_of_partitions() -> None:
    assert without_values("(e_1.at = e_1)", {"e_1": "e"}) == "(e.at = e_1)"


def test_no_depth_is_too_much(pg: Pg) -> None:
    run(pg, "CREATE TABLE t (id int)")
    query = "SELECT * FROM t"
    for number in range(350):
        query = f"SELECT id + {number} AS id FROM ({query} OFFSET 0) AS s"
    lines = tree(pg, query)
    assert len(lines) >= 350 and lines[-1].endswith("Seq Scan on t")
