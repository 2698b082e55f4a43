"""Mutants as data: forms of a CHECK, other defaults, tables that hang together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbtrust.judge.mutants.columns import changed_default
from dbtrust.judge.mutants.expressions import check_parts, conjuncts, variants
from dbtrust.judge.mutants.mongo import Held, mongo_mutants
from dbtrust.judge.mutants.postgres import kind_of, postgres_mutants, reach
from dbtrust.model.catalog import Catalog, CatalogObject
from dbtrust.model.mutants import Aim, Mutant


@pytest.mark.parametrize(
    ("definition", "parts"),
    [
        ("CHECK ((n > 0))", ("(n > 0)", "")),
        ("CHECK ((n > 0)) NO INHERIT", ("(n > 0)", " NO INHERIT")),
        ("CHECK ((n > 0)) NOT VALID", ("(n > 0)", "")),
        ("UNIQUE (n)", None),
    ],
)
def test_the_expression_of_a_check(definition: str, parts: tuple[str, str] | None) -> None:
    assert check_parts(definition) == parts


def test_conjuncts_and_boundaries() -> None:
    expression = "((a >= 3) AND (b < 5))"
    assert conjuncts(expression) == ["a >= 3", "b < 5"]
    assert [(v.operator, v.expression) for v in variants(expression)] == [
        ("weaken", "(b < 5)"), ("weaken", "(a >= 3)"),
        ("boundary", "a > 3 AND b < 5"), ("boundary", "a >= 3 AND b <= 5"),
    ]  # fmt: skip
    assert variants("email ~ '^a'") == []


@given(st.text(max_size=40))
def test_any_text_has_forms_or_none(text: str) -> None:
    assert all(v.operator in ("weaken", "boundary") for v in variants(text))


@pytest.mark.parametrize(
    ("default", "type_", "other"),
    [
        ("true", "boolean", "false"),
        ("0", "integer", "(0 + 1)"),
        ("'0'::numeric", "numeric(8,2)", "('0'::numeric + 1)"),
        ("'x'::text", "text", "('x'::text || '?'::text)"),
        ("'{}'::jsonb", "jsonb", "'[]'::jsonb"),
        ("now()", "timestamp with time zone", "(now() + '1 day'::interval)"),
        ("CURRENT_DATE", "date", "(CURRENT_DATE + 1)"),
        ("'sad'::public.mood", "public.mood", "'it''s'::public.mood"),
        ("gen_random_uuid()", "uuid", None),
        ("'1'::text", "integer[]", "('1'::text || '?'::text)"),
        ("nextval('s'::regclass)", "bigint", None),
    ],
)
def test_another_default(default: str, type_: str, other: str | None) -> None:
    assert changed_default(default, type_, {"public.mood": ["sad", "it's"]}) == other


def constraint(table: str, name: str, target: str) -> CatalogObject:
    structure = {"type": "foreign key", "columns": ["x"], "references": target, "no_inherit": False}
    told = {"schema": "public", "table": table, "name": name, "definition": "FOREIGN KEY (x) REFERENCES y(x)"}
    return CatalogObject(
        "constraint", f"public.{table}.{name}", {**told, "structure": structure, "enforced": True}
    )


def test_tables_hang_together_by_foreign_keys_and_triggers() -> None:
    function = CatalogObject(
        "function", "public.log()", {"body": "INSERT INTO audit DEFAULT VALUES;", "language": "plpgsql"}
    )
    tables = [
        CatalogObject("table", f"public.{n}", {"schema": "public", "name": n, "columns": []})
        for n in ("a", "audit", "z")
    ]
    trigger = CatalogObject("trigger", "public.a.t", {
        "schema": "public", "table": "a", "name": "t", "function": "public.log()", "state": "enabled",
        "definition": "CREATE TRIGGER t AFTER INSERT ON public.a FOR EACH ROW EXECUTE FUNCTION public.log()",
    })  # fmt: skip
    keys = [constraint("a", "k", "public.b"), constraint("c", "k", "d"), constraint("b", "k", "other.e")]
    groups = reach(Catalog("postgres", (*keys, function, *tables, trigger)))
    together = {t for t, group in groups.items() if group == groups["public", "a"]}
    assert together == {("public", "a"), ("public", "b"), ("public", "audit"), ("other", "e")}
    assert groups["public", "c"] == groups["public", "d"] != groups["public", "a"]
    assert ("public", "z") not in groups
    made = postgres_mutants(Catalog("postgres", tuple(keys)))
    assert [m.what for m in made if m.subject == "constraint:a.k"] == [
        "FOREIGN KEY k dropped", "FOREIGN KEY k has ON DELETE CASCADE for NO ACTION",
    ]  # fmt: skip


def test_what_may_be_tested_together() -> None:
    def kind(subject: str, operator: str, aim: str) -> str:
        return kind_of(Mutant("postgres", subject, operator, "", aim=Aim(aim)))

    assert kind("constraint:t.n_not_null", "drop", "not_null") == "weaker"
    assert kind("constraint:t.c", "boundary", "check") == ""
    assert kind("constraint:t.n_default", "drop", "default") == ""
    assert kind("constraint:t.f", "action", "delete") == ""
    assert kind("index:i", "unique", "") == "plan"


def test_clauses_below_and_of_a_match_expression() -> None:
    validator = {"$and": [{"n": {"$gt": 0}}, {"$expr": {"$lt": ["$n", "$m"]}}], "$or": [{"a": 1}, {"b": 1}]}
    held = Held("c", {"validator": validator}, [{"name": "_id_", "key": {"_id": 1}}])
    made = mongo_mutants(Catalog("mongo", ()), [held, Held("bare", {}, [])])
    assert [m.operator for m in made] == ["condition", "condition", "condition", "action", "level"]
    assert [m.aim.name for m in made][:1] == ["n"]
    assert {m.subject for m in made} == {"collection:c"}
