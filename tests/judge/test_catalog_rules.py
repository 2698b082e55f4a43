"""The rules over catalogs of a real server: true cases, and cases that look like them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from dbtrust.engine.postgres.catalog import snapshot
from dbtrust.judge.rules import foreign_keys_without_index, pipe_in_class, redundant_indexes
from dbtrust.model.catalog import Catalog

TABLE = "CREATE TABLE t (id int PRIMARY KEY, a int, b int NOT NULL, c text, d int, j jsonb, r int4range);"

KEYS = "CREATE TABLE parent (x int, y text, PRIMARY KEY (x), UNIQUE (x, y));"


def cases(name: str) -> dict[str, str]:
    """The cases of a file: the line above each one to its SQL. The head of a file is no case."""
    text = (Path(__file__).parent / "rules" / f"{name}.sql").read_text()
    return dict(re.findall(r"^-- (.+)\n((?:(?!--).+\n)+)", text, re.MULTILINE))


REDUNDANT = {
    label.split(" | ")[0]: (body, label.split(" | ")[1].split()) for label, body in cases("redundant").items()
}
FINE, UNSERVED, SERVED = cases("needed"), cases("unserved"), cases("served")

PIPES = {
    "range": "c ~ '^[A-Z|a-z]+$'",
    "without case": "c ~* '[a-z|0-9]'",
    "not": "c !~ '[a|b]'",
    "negated class": "c ~ '^[^a|b]+$'",
    "bracket first": "c ~ '[]a|]'",
    "negated bracket first": "c ~ '[^]|]'",
    "posix class": "c ~ '[[:alpha:]|[:digit:]]'",
    "dash first": "c ~ '[-|+]'",
    "escaped dash": r"c ~ '[a\-|b]'",
    "after an escaped bracket": r"c ~ '\[[x|y]\]'",
    "second class": "c ~ '^[a-z]+@[a-z|0-9]+$'",
    "in and": "b > 0 AND (c ~ '^[a-z]' OR c ~ '[x|y]')",
    "function": "regexp_like(c, '[x|y]', 'i')",
    "match": "regexp_match(c, '[x|y]') IS NOT NULL",
    "similar": "c SIMILAR TO '[a-z|0-9]+'",
    "similar with escape": "c SIMILAR TO '#[[x|y]' ESCAPE '#'",
    "any": "c ~ ANY (ARRAY['[a-z]', '[x|y]'])",
    "concatenated": "c ~ ('^' || '[x|y]')",
    "quote before it": "c <> 'it''s ~' AND c ~ '''[x|y]'",
    "extended": "c ~ '(?x) a # [\n [x|y]'",
    "varchar": "c::varchar ~ '[x|y]'",
    "lower": "lower(c) ~ '[x|y]'",
}
NO_PIPES = {
    "alternatives": "c ~ '^([A-Z]|[a-z])+$'",
    "escaped brackets": r"c ~ '\[a|b\]'",
    "after bracket first": "c ~ '[]a]|x'",
    "after a posix class": "c ~ '[[:alpha:]]|x'",
    "after an escaped member": r"c ~ '[\]]|[a]'",
    "only the bar": "c ~ '^[|]$' AND c ~ '[^|]'",
    "escaped bar": r"c ~ '[a\|b]'",
    "end of a range": "c ~ '[{-|]' AND c ~ '[|-~]'",
    "plain text": "c <> '[a|b]' AND c LIKE '[a|b]'",
    "literal by flag": "regexp_like(c, '[a|b]', 'q')",
    "literal by director": "c ~ '***=[a|b]'",
    "comment": "c ~ '(?#[a|b])x' AND c ~ '(?x)a#[a|b]'",
    "replacement": "regexp_replace(c, 'x', '[a|b]') = 'y'",
    "similar escaped": "c SIMILAR TO '#[a|b#]' ESCAPE '#'",
    "bitwise": "(~ b) < 0 AND c <> '[a|b]'",
    "named like it": "\"c\" <> ' ~ [a|b]'",
    "unfinished": "c ~ 'x' OR c = '[a|'",
    "another column": "c ~ c",
    "built from a column": "c ~ ('[a|' || b || ']')",
}


@pytest.fixture(scope="module")
def db(postgres_url: str) -> Iterator[psycopg.Connection[Any]]:
    name = f"t_{uuid4().hex[:12]}"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        with psycopg.connect(
            psycopg.conninfo.make_conninfo(postgres_url, dbname=name), autocommit=True
        ) as connection:
            yield connection
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def catalog_of(db: psycopg.Connection[Any], *statements: str) -> Catalog:
    with db.transaction(force_rollback=True):
        for statement in statements:
            db.execute(statement.encode())
        return snapshot(db)


@pytest.mark.parametrize("case", REDUNDANT)
def test_redundant(db: psycopg.Connection[Any], case: str) -> None:
    statements, expected = REDUNDANT[case]
    findings = redundant_indexes(catalog_of(db, TABLE, statements))
    assert sorted(f.subject for f in findings) == [f"index:{name}" for name in expected]
    assert {(f.rule, f.severity, f.engine) for f in findings} == {("index.redundant", "error", "postgres")}


@pytest.mark.parametrize("case", REDUNDANT)
def test_the_fix_leaves_nothing_redundant(db: psycopg.Connection[Any], case: str) -> None:
    statements, _ = REDUNDANT[case]
    fixes = [finding.fix for finding in redundant_indexes(catalog_of(db, TABLE, statements))]
    assert redundant_indexes(catalog_of(db, TABLE, statements, *fixes)) == []


def test_the_keeper_is_named(db: psycopg.Connection[Any]) -> None:
    (first, second) = redundant_indexes(catalog_of(db, TABLE, REDUNDANT["prefix of a prefix"][0]))
    assert {first.evidence["keeper_name"], second.evidence["keeper_name"]} == {"i3"}
    assert "is covered by i3" in first.message
    (same,) = redundant_indexes(catalog_of(db, TABLE, REDUNDANT["the primary key's"][0]))
    assert "i1 on t repeats t_pkey" in same.message and same.fix == "DROP INDEX public.i1;"


@pytest.mark.parametrize("case", FINE)
def test_not_redundant(db: psycopg.Connection[Any], case: str) -> None:
    assert [f.message for f in redundant_indexes(catalog_of(db, TABLE, FINE[case]))] == []


@pytest.mark.parametrize("case", UNSERVED)
def test_a_foreign_key_without_an_index(db: psycopg.Connection[Any], case: str) -> None:
    (finding,) = foreign_keys_without_index(catalog_of(db, KEYS, UNSERVED[case]))
    assert (finding.rule, finding.severity) == ("foreign_key.no_index", "warning")
    assert finding.subject == "constraint:f.fk"
    assert foreign_keys_without_index(catalog_of(db, KEYS, UNSERVED[case], finding.fix)) == []


@pytest.mark.parametrize("case", SERVED)
def test_a_foreign_key_with_an_index(db: psycopg.Connection[Any], case: str) -> None:
    assert foreign_keys_without_index(catalog_of(db, KEYS, SERVED[case])) == []


def test_a_partitioned_foreign_key_is_told_once(db: psycopg.Connection[Any]) -> None:
    catalog = catalog_of(db, KEYS, SERVED["partitioned"].replace("CREATE INDEX ON f (x);\n", ""))
    assert [f.subject for f in foreign_keys_without_index(catalog)] == ["constraint:f.f_x_fkey"]


@pytest.mark.parametrize("case", PIPES)
def test_a_pipe_in_a_class(db: psycopg.Connection[Any], case: str) -> None:
    catalog = catalog_of(db, f"CREATE TABLE t (b int, c text, CONSTRAINT k CHECK ({PIPES[case]}))")
    (finding,) = pipe_in_class(catalog)
    assert (finding.rule, finding.severity) == ("constraint.pipe_in_class", "error")
    assert finding.subject == "constraint:t.k"
    assert "|" in finding.evidence["class"]


@pytest.mark.parametrize("case", NO_PIPES)
def test_no_pipe_in_a_class(db: psycopg.Connection[Any], case: str) -> None:
    catalog = catalog_of(db, f"CREATE TABLE t (b int, c text, CONSTRAINT k CHECK ({NO_PIPES[case]}))")
    assert [f.message for f in pipe_in_class(catalog)] == []


def test_pipes_of_domains_types_and_other_schemas(db: psycopg.Connection[Any]) -> None:
    catalog = catalog_of(
        db,
        "CREATE SCHEMA s; CREATE DOMAIN s.d AS text CONSTRAINT k CHECK (VALUE ~ '[a|b]')",
        "CREATE EXTENSION citext; CREATE TABLE t (c citext CONSTRAINT k CHECK (c ~ '[a|b]'))",
        "CREATE TABLE p (k text CONSTRAINT k CHECK (k ~ '[a|b]')) PARTITION BY LIST (k)",
        "CREATE TABLE p1 PARTITION OF p DEFAULT",
    )
    assert [f.subject for f in pipe_in_class(catalog)] == [
        "constraint:p.k",
        "constraint:t.k",
        "constraint:s.d.k",
    ]


@pytest.mark.parametrize("case", ["one of two", "gap", "collation"])
def test_a_key_that_an_index_serves_in_part_is_not_called_scanned(db: Any, case: str) -> None:
    (finding,) = foreign_keys_without_index(catalog_of(db, KEYS, UNSERVED[case]))
    assert finding.message.endswith("a delete of a referenced row looks through all rows with its x")


@pytest.mark.parametrize("case", ["hash", "without nulls", "hash without nulls", "both without nulls"])
def test_the_server_looks_up_by_what_serves(pg: psycopg.Connection[Any], case: str) -> None:
    """The text of the server's own trigger (ri_triggers.c), in a plan that knows no value."""
    where = "$1 = x AND $2 = y" if case.startswith("both") else "$1 = x"
    types, values = ("int, text", "1, 'a'") if case.startswith("both") else ("int", "1")
    with pg.transaction(force_rollback=True):
        pg.execute((KEYS + SERVED[case]).encode())
        pg.execute("SET LOCAL enable_seqscan = off; SET LOCAL plan_cache_mode = force_generic_plan")
        pg.execute(f"PREPARE ri ({types}) AS SELECT 1 FROM ONLY f WHERE {where} FOR KEY SHARE".encode())
        plan = "\n".join(row[0] for row in pg.execute(f"EXPLAIN EXECUTE ri ({values})".encode()))
        pg.execute("DEALLOCATE ALL")
    assert "Index Cond" in plan, plan
