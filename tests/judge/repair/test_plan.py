"""Every kind of difference between two PostgreSQL catalogs: its repair, run in both directions, takes it away."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dbtrust.engine.postgres.catalog import snapshot
from dbtrust.judge.catalog import diff
from dbtrust.judge.repair.plan import Repair, repairs, told_apart
from dbtrust.model.catalog import Catalog, Difference

HERE = Path(__file__).parents[2] / "engine" / "postgres" / "catalog"
CHANGES: dict[str, str] = {
    label: text.strip()
    for path in (HERE / "changes.sql", Path(__file__).parent / "more_changes.sql")
    for label, text in re.findall(r"^-- (.+?) \|.*\n((?:(?!--).*\n)+)", path.read_text(), re.MULTILINE)
}
THERE, BACK = "declared is the changed one", "declared is the base"
#: What no statement repairs, or what is repaired but for the place of a column: label -> direction -> words of the note.
_PLACE = "can only be added at the end"
ALONE = {
    ("enum label added", BACK): "can neither be removed nor moved",
    ("composite scale", BACK): _PLACE,
    ("composite scale", THERE): "refused while a table has a column of this type",
    ("column dropped", BACK): _PLACE,
    ("generated lost", BACK): "stands last",
    ("column order", BACK): "order of columns cannot be changed",
    ("column order", THERE): "order of columns cannot be changed",
    ("index invalid", THERE): "builds an invalid index",
    ("operator class", THERE): "run the declaring file's statements",
}


@pytest.fixture(scope="module")
def base(catalog_base: tuple[psycopg.Connection[Any], str]) -> tuple[psycopg.Connection[Any], str]:
    return catalog_base


@pytest.fixture(scope="module")
def before(base: tuple[psycopg.Connection[Any], str]) -> Catalog:
    return snapshot(base[0])


def plan(expected: Catalog, found: Catalog) -> list[Repair]:
    return repairs(expected, found, told_apart(expected, found, diff(expected, found)), "CURRENT_USER")


def run(connection: psycopg.Connection[Any], made: Sequence[Repair]) -> None:
    """Runs the statements in one transaction, where CONCURRENTLY cannot be."""
    for repair in made:
        for statement in repair.statements:
            if not statement.startswith("--"):
                connection.execute(statement.replace("INDEX CONCURRENTLY", "INDEX").encode())


def left(connection: psycopg.Connection[Any], expected: Catalog) -> list[Difference]:
    return list(diff(expected, snapshot(connection)))


@pytest.mark.parametrize("label", CHANGES)
def test_back_to_the_base(label: str, base: tuple[psycopg.Connection[Any], str], before: Catalog) -> None:
    connection, role = base
    with connection.transaction(force_rollback=True):
        connection.execute(CHANGES[label].replace("{role}", role).encode())
        made = plan(before, snapshot(connection))
        assert made
        run(connection, made)
        rest = left(connection, before)
    judge(label, BACK, made, rest)


@pytest.mark.parametrize("label", CHANGES)
def test_on_to_the_change(label: str, base: tuple[psycopg.Connection[Any], str], before: Catalog) -> None:
    connection, role = base
    with connection.transaction(force_rollback=True):
        connection.execute(CHANGES[label].replace("{role}", role).encode())
        changed = snapshot(connection)
    with connection.transaction(force_rollback=True):
        made = plan(changed, before)
        if (label, THERE) == ("composite scale", THERE):
            with pytest.raises(psycopg.errors.FeatureNotSupported):
                run(connection, made)
            rest = list(diff(changed, before))
        else:
            run(connection, made)
            rest = left(connection, changed)
    judge(label, THERE, made, rest)


def judge(label: str, direction: str, made: Sequence[Repair], rest: Sequence[Difference]) -> None:
    scripts = "\n".join(r.script for r in made)
    if (label, direction) in ALONE:
        assert ALONE[label, direction] in scripts
        assert rest
    else:
        assert not rest, f"{[str(d) for d in rest]}\n{scripts}"


def test_a_whole_schema_from_nothing_and_back(
    base: tuple[psycopg.Connection[Any], str], before: Catalog, pg: Any
) -> None:
    """All of base.sql is made by repairs alone, and dropped again by them, in their order."""
    empty = snapshot(pg)
    with pg.transaction():
        made = plan(before, empty)
        run(pg, made)
    assert [str(d) for d in left(pg, before)] == []
    assert [r.order for r in made] == list(range(1, len(made) + 1))
    with pg.transaction():
        back = plan(empty, before)
        run(pg, back)
    assert [str(d) for d in left(pg, empty)] == []
    assert any(r.destructive for r in back) and not any(r.destructive for r in made)


def test_concurrently_outside_a_transaction(pg: psycopg.Connection[Any]) -> None:
    pg.execute("CREATE TABLE t (a int, b int); CREATE UNIQUE INDEX i ON t (a)")
    before = snapshot(pg)
    pg.execute("DROP INDEX i; CREATE INDEX extra ON t (b); CREATE INDEX i ON t (a)")
    made = plan(before, snapshot(pg))
    assert all("CONCURRENTLY" in r.script for r in made)
    for repair in made:
        for statement in repair.statements:
            if not statement.startswith("--"):
                pg.execute(statement.encode())
    assert left(pg, before) == []


HOSTILE = (
    "it's",
    'quo"te',
    "a.b",
    "li\nne",
    "naïve ☃",
    "--x",
    "SELECT",
    "$$",
    "back\\slash",
    "ON ONLY x",
    "a(b",
)


def hostile(name: str) -> str:
    """Objects of many kinds with that name in a schema of that name."""
    q = '"' + name.replace('"', '""') + '"'
    text = "'" + name.replace("'", "''") + "'"
    return f"""
      CREATE SCHEMA {q};
      CREATE TYPE {q}.{q} AS ENUM ({text}, 'x');
      CREATE DOMAIN {q}.{'"d' + q[1:]} AS text CONSTRAINT {q} CHECK (VALUE <> {text});
      CREATE FUNCTION {q}.{q}({q} {q}.{q}) RETURNS text LANGUAGE sql SET search_path = {q} AS $f${"SELECT " + text}$f$;
      CREATE TABLE {q}.{'"t' + q[1:]} ({q} int PRIMARY KEY, b {q}.{q} DEFAULT {text}, s serial,
        CONSTRAINT {'"c' + q[1:]} CHECK ({q} > 0), CONSTRAINT {'"u' + q[1:]} UNIQUE (b));
      CREATE INDEX {'"i' + q[1:]} ON {q}.{'"t' + q[1:]} ({q}) WHERE b = {text};
      CREATE VIEW {q}.{'"v' + q[1:]} AS SELECT {q} FROM {q}.{'"t' + q[1:]};
      COMMENT ON COLUMN {q}.{'"t' + q[1:]}.{q} IS {text};
      CREATE POLICY {q} ON {q}.{'"t' + q[1:]} USING (b = {text});
      CREATE FUNCTION {q}.{'"tf' + q[1:]}() RETURNS trigger LANGUAGE plpgsql AS $f$begin return new; end$f$;
      CREATE TRIGGER {q} BEFORE UPDATE ON {q}.{'"t' + q[1:]} FOR EACH ROW EXECUTE FUNCTION {q}.{'"tf' + q[1:]}();
      CREATE STATISTICS {q}.{'"st' + q[1:]} ON {q}, b FROM {q}.{'"t' + q[1:]};
    """


@pytest.mark.parametrize("name", HOSTILE, ids=[str(n) for n in range(len(HOSTILE))])
def test_hostile_names(name: str, pg: psycopg.Connection[Any]) -> None:
    empty = snapshot(pg)
    with pg.transaction(force_rollback=True):
        pg.execute(hostile(name).encode())
        full = snapshot(pg)
    with pg.transaction(force_rollback=True):
        run(pg, plan(full, empty))
        assert [str(d) for d in left(pg, full)] == []
        run(pg, plan(empty, full))
        assert [str(d) for d in left(pg, empty)] == []
