"""Every kind of difference of a PostgreSQL database is told on its subject; equal catalogs give one verdict that holds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dbtrust.engine.postgres.catalog import Refusals, snapshot
from dbtrust.engine.postgres.reading import owner_of, reading
from dbtrust.model.catalog import Catalog, CatalogObject
from dbtrust.model.location import NOWHERE, Location
from dbtrust.model.report import NotExamined, Verdict
from dbtrust.schema.drift import Live
from dbtrust.schema.drift_postgres import judge_drift

HERE = Path(__file__).parents[1] / "engine" / "postgres" / "catalog"
CHANGES = {
    label: (text, kind, name)
    for label, kind, name, text in re.findall(
        r"^-- (.+?) \| (.+?) \| (.+?) \| .+\n((?:(?!--).*\n)+)",
        (HERE / "changes.sql").read_text(),
        re.MULTILINE,
    )
}
SAME = Live("postgres", "shop", "live", "17.10", "17.10")


@pytest.fixture(scope="module")
def base(catalog_base: tuple[psycopg.Connection[Any], str]) -> tuple[psycopg.Connection[Any], str]:
    return catalog_base


@pytest.fixture(scope="module")
def before(base: tuple[psycopg.Connection[Any], str]) -> Catalog:
    return snapshot(base[0])


def nowhere(*names: str) -> Location:
    return NOWHERE


def drift(
    declared: Catalog, found: Catalog, live: Live = SAME, **refused: str
) -> tuple[list[Verdict], list[NotExamined]]:
    return judge_drift(live, declared, found, refused, "postgres", nowhere)


@pytest.mark.parametrize("label", CHANGES)
def test_each_kind_is_told_on_its_subject(
    label: str, base: tuple[psycopg.Connection[Any], str], before: Catalog
) -> None:
    connection, role = base
    change, kind, name = (part.replace("{role}", role) for part in CHANGES[label])
    with connection.transaction(force_rollback=True):
        connection.execute(change.encode())
        verdicts, left_out = drift(before, snapshot(connection))
    subject = f"{kind.replace(' ', '_')}:{name.removeprefix('public.')}"
    assert subject in {v.subject for v in verdicts}
    assert {(v.check, v.verdict, v.engine) for v in verdicts} == {("schema.drift", "refuted", "postgres")}
    assert all(v.next == v.evidence["repair"] and v.message for v in verdicts)
    assert not left_out


def test_equal_catalogs_give_one_verdict(base: tuple[psycopg.Connection[Any], str], before: Catalog) -> None:
    (verdict,), left_out = drift(before, snapshot(base[0]))
    assert (verdict.verdict, verdict.subject) == ("holds", "database:shop")
    assert verdict.evidence["objects"] == len(before.objects) > 40
    assert not left_out


def test_a_role_with_nothing_but_connect_sees_all_and_changes_nothing(
    base: tuple[psycopg.Connection[Any], str], before: Catalog
) -> None:
    connection, role = base
    url = psycopg.conninfo.make_conninfo(connection.info.dsn, user=role)
    refusals = Refusals()
    with reading(url) as live:
        (verdict,), _ = drift(before, snapshot(live, refusals))
        assert verdict.verdict == "holds" and not refusals.of
        assert owner_of(live) == "postgres"
        shown = {
            name: live.execute(f"SHOW {name}").fetchone() for name in ("statement_timeout", "lock_timeout")
        }
        assert shown == {"statement_timeout": ("1min",), "lock_timeout": ("2s",)}
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            live.execute("CREATE TEMP TABLE x (a int)")


def test_what_a_role_may_not_read_is_not_examined(
    base: tuple[psycopg.Connection[Any], str], before: Catalog
) -> None:
    connection, role = base
    url = psycopg.conninfo.make_conninfo(connection.info.dsn, user=role)
    connection.execute("DROP POLICY pol ON t")
    connection.execute("REVOKE SELECT ON pg_catalog.pg_policy, pg_catalog.pg_default_acl FROM public")
    try:
        refusals = Refusals()
        with reading(url) as live:
            found = snapshot(live, refusals)
        assert set(refusals.of) == {"policies", "default_privileges", "grants"}
        (verdict,), left_out = drift(before, found, **refusals.of)
    finally:
        connection.execute("GRANT SELECT ON pg_catalog.pg_policy, pg_catalog.pg_default_acl TO public")
        connection.execute("CREATE POLICY pol ON t FOR SELECT USING (a > 1)")
    assert (verdict.verdict, verdict.reason) == (
        "unproved",
        "undecided",
    ) and "3 not examined" in verdict.message
    assert {item.what for item in left_out} == {"live: policy", "live: grants", "live: default privileges"}
    assert all(
        item.needs.startswith("needs the right") and "permission denied" in item.needs for item in left_out
    )


def test_a_catalog_that_cannot_be_read_at_all(before: Catalog) -> None:
    (verdict,), (left_out,) = drift(before, Catalog("postgres", ()), relations="permission denied")
    assert (verdict.verdict, verdict.reason) == ("unproved", "missing_object")
    assert "tables and columns" in left_out.what


def test_the_order_of_columns_can_be_left_out(pg: psycopg.Connection[Any]) -> None:
    pg.execute("CREATE TABLE t (a int, b int)")
    one = snapshot(pg)
    pg.execute("DROP TABLE t; CREATE TABLE t (b int, a int)")
    other = snapshot(pg)
    (told,), _ = drift(one, other)
    assert told.subject == "table:t" and "--ignore-column-order" in told.next
    (equal,), _ = judge_drift(SAME, one, other, {}, "postgres", nowhere, column_order=False)
    assert equal.verdict == "holds"


def test_what_goes_with_a_dropped_table_is_told_once(pg: psycopg.Connection[Any]) -> None:
    empty = snapshot(pg)
    pg.execute("CREATE SCHEMA s; CREATE TABLE s.t (a serial PRIMARY KEY, b int UNIQUE)")
    verdicts, _ = drift(empty, snapshot(pg))
    assert [v.subject for v in verdicts] == ["table:s.t", "schema:s"]
    assert verdicts[0].evidence["destructive"] and verdicts[0].next.startswith("-- DESTRUCTIVE")
    missing, _ = drift(snapshot(pg), empty)
    assert {v.subject for v in missing} == {
        "schema:s", "table:s.t", "sequence:s.t_a_seq", "constraint:s.t.t_pkey", "constraint:s.t.t_b_key",
    }  # fmt: skip


def view(text: str) -> Catalog:
    definition = {
        "definition": text,
        "grants": {"owner": ["MAINTAIN", "SELECT"] if text.startswith("a") else ["SELECT"]},
    }
    return Catalog(
        "postgres",
        (CatalogObject("view", "public.v", definition | {"persistence": "permanent"}, ("public", "v")),),
    )


def test_texts_of_two_majors_are_unproved_and_facts_are_not() -> None:
    """The server of another major may write the same view in other words; MAINTAIN is known to one of them alone."""
    apart = Live("postgres", "shop", "live", "16.4", "17.10")
    (verdict,), _ = drift(view("a.x"), view("x"), apart)
    assert (verdict.verdict, verdict.reason) == ("unproved", "version")
    assert set(verdict.evidence["fields"]) == {"definition"} and "16.4" in verdict.message
    (missing,), _ = drift(view("a.x"), Catalog("postgres", ()), apart)
    assert missing.verdict == "refuted"
    (equal,), _ = drift(view("a"), Catalog("postgres", view("a").objects), apart)
    assert equal.verdict == "holds"
