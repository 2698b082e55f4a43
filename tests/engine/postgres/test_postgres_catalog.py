"""Every kind of difference that a migration can leave behind is told, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from dbtrust.engine.postgres.catalog import qualified, snapshot, to_json
from dbtrust.judge.catalog import diff
from dbtrust.model.catalog import Catalog

HERE = Path(__file__).parent / "catalog"
#: label: (change, kind, name, field), see changes.sql.
CHANGES = {
    label: (text.strip(), kind, name, field)
    for label, kind, name, field, text in re.findall(
        r"^-- (.+?) \| (.+?) \| (.+?) \| (.+)\n((?:(?!--).*\n)+)",
        (HERE / "changes.sql").read_text(),
        re.MULTILINE,
    )
}


@pytest.fixture(scope="module")
def base(catalog_base: tuple[psycopg.Connection[Any], str]) -> tuple[psycopg.Connection[Any], str]:
    return catalog_base


@pytest.fixture(scope="module")
def before(base: tuple[psycopg.Connection[Any], str]) -> Catalog:
    return snapshot(base[0])


@pytest.mark.parametrize("label", CHANGES)
def test_each_kind_of_change_is_told(
    label: str, base: tuple[psycopg.Connection[Any], str], before: Catalog
) -> None:
    connection, role = base
    change, kind, name, field = (part.replace("{role}", role) for part in CHANGES[label])
    with connection.transaction(force_rollback=True):
        connection.execute(change.encode())
        differences = diff(before, snapshot(connection))
    found = [d for d in differences if (d.kind, d.name) == (kind, name)]
    assert found, [str(d) for d in differences]
    assert field in {found[0].change, *found[0].fields}, str(found[0])
    assert diff(before, snapshot(connection)) == ()


def test_a_snapshot_leaves_the_session_as_it_was(pg: psycopg.Connection[Any]) -> None:
    pg.execute("SET search_path = pg_catalog; SET timezone = 'Asia/Tokyo'")
    snapshot(pg)
    assert pg.execute("SELECT current_setting('search_path'), current_setting('timezone')").fetchone() == (
        "pg_catalog", "Asia/Tokyo",
    )  # fmt: skip
    assert pg.info.transaction_status == TransactionStatus.IDLE


def test_the_sessions_settings_do_not_change_what_is_told(pg: psycopg.Connection[Any]) -> None:
    pg.execute(
        "CREATE TABLE t (a timestamptz DEFAULT '2020-01-01 00:00Z', b interval DEFAULT '1 day', "
        "c float8 DEFAULT 0.1)"
    )
    before = snapshot(pg)
    pg.execute(
        "SET datestyle = 'German'; SET intervalstyle = 'iso_8601';"
        " SET timezone = 'Asia/Tokyo'; SET search_path = ''"
    )
    assert diff(before, snapshot(pg)) == ()


def test_two_routes_to_one_schema_are_equal(pg: psycopg.Connection[Any]) -> None:
    pg.execute((HERE / "one_route.sql").read_bytes())
    one = snapshot(pg)
    pg.execute("DROP TABLE t, p; DROP TYPE state; DROP FUNCTION f(int)")
    pg.execute((HERE / "other_route.sql").read_bytes())
    other = snapshot(pg)
    assert [str(d) for d in diff(one, other)] == []
    assert one == other
    assert to_json(one) == to_json(other)


def test_another_owner_is_equal(base: tuple[psycopg.Connection[Any], str], before: Catalog) -> None:
    connection, role = base
    with connection.transaction(force_rollback=True):
        connection.execute(f"GRANT CREATE ON SCHEMA public TO {role}".encode())
        granted = snapshot(connection)
        connection.execute(f"ALTER TABLE t OWNER TO {role}; ALTER FUNCTION one() OWNER TO {role}".encode())
        assert diff(granted, snapshot(connection)) == ()


def test_the_ledger_extensions_and_temporary_tables_are_left_out(pg: psycopg.Connection[Any]) -> None:
    before = snapshot(pg)
    pg.execute(
        "CREATE TABLE dbtrust_migration (id serial PRIMARY KEY, name text UNIQUE CHECK (name <> ''));"
        "CREATE INDEX ON dbtrust_migration (name); COMMENT ON COLUMN dbtrust_migration.id IS 'x';"
        "CREATE TEMP TABLE scratch (id serial PRIMARY KEY)"
    )
    assert diff(before, snapshot(pg)) == ()
    pg.execute("CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION pg_trgm")
    assert {(d.kind, d.change) for d in diff(before, snapshot(pg))} == {("extension", "extra")}


def test_data_are_no_part_of_it(pg: psycopg.Connection[Any]) -> None:
    pg.execute("CREATE TABLE t (id serial PRIMARY KEY)")
    before = snapshot(pg)
    pg.execute("INSERT INTO t DEFAULT VALUES; ANALYZE")
    assert snapshot(pg) == before


def test_only_the_order_of_columns(pg: psycopg.Connection[Any]) -> None:
    pg.execute(
        "CREATE TABLE t (a int, b int, c int); CREATE STATISTICS s ON a, b FROM t; CREATE INDEX ON t (a, b)"
    )
    one = snapshot(pg)
    pg.execute(
        "DROP TABLE t; CREATE TABLE t (c int, b int, a int);"
        "CREATE STATISTICS s ON a, b FROM t; CREATE INDEX ON t (a, b)"
    )
    (difference,) = diff(one, snapshot(pg))
    assert dict(difference.fields) == {"column order": (["a", "b", "c"], ["c", "b", "a"])}
    assert diff(one, snapshot(pg), column_order=False) == ()


def test_names_with_dots_stay_apart(pg: psycopg.Connection[Any]) -> None:
    pg.execute(
        'CREATE SCHEMA "a.b"; CREATE TABLE "a.b".c (x int); CREATE SCHEMA a; CREATE TABLE a."b.c" (x int)'
    )
    names = {o.name for o in snapshot(pg).objects if o.kind == "table"}
    assert names == {'"a.b".c', 'a."b.c"'}
    assert qualified(("a", 'b"c')) == 'a."b""c"'


def test_uncommitted_changes_are_seen_and_kept(pg: psycopg.Connection[Any]) -> None:
    with pg.transaction():
        pg.execute("CREATE TABLE t (x int)")
        assert snapshot(pg).find("table", "public.t") is not None
    assert snapshot(pg).find("table", "public.t") is not None


def test_a_foreign_key_to_partitions_is_one_constraint(pg: psycopg.Connection[Any]) -> None:
    pg.execute(
        "CREATE TABLE p (k int PRIMARY KEY) PARTITION BY RANGE (k);"
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);"
        "CREATE TABLE t (k int REFERENCES p)"
    )
    keys = [o.name for o in snapshot(pg).objects if o.kind == "constraint" and o.definition["table"] == "t"]
    assert keys == ["public.t.t_k_fkey"]


def test_a_plain_role_sees_the_same(base: tuple[psycopg.Connection[Any], str], before: Catalog) -> None:
    connection, role = base
    with connection.transaction(force_rollback=True):
        connection.execute(f"SET LOCAL ROLE {role}".encode())
        assert diff(before, snapshot(connection)) == ()


def test_a_long_history_of_one_table(pg: psycopg.Connection[Any]) -> None:
    pg.execute("CREATE TABLE t (a int)")
    before = snapshot(pg)
    pg.execute("ALTER TABLE t ADD b int NOT NULL DEFAULT 1, ADD CHECK (a > b); CREATE INDEX ON t (b)")
    pg.execute("ALTER TABLE t ALTER a SET STATISTICS 5, ALTER a SET STORAGE PLAIN, SET (fillfactor = 50)")
    pg.execute("ALTER TABLE t DROP b, ALTER a SET STATISTICS -1, RESET (fillfactor)")
    pg.execute("COMMENT ON TABLE t IS 'x'; COMMENT ON TABLE t IS NULL; GRANT SELECT ON t TO public")
    pg.execute("REVOKE SELECT ON t FROM public")
    assert diff(before, snapshot(pg)) == ()
