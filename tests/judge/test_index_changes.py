"""Index changes are SQL that the grammar reads, and differ from what is there."""

from __future__ import annotations

from dbtrust.judge.conditions import wants
from dbtrust.judge.index_changes import index_changes
from dbtrust.judge.statements import split
from dbtrust.model.plan import Node, Plan
from dbtrust.model.whatif import Condition, Index, Table, Wants

COLUMNS = {"a": "integer", "b": "integer", "name": "character varying", "user": "text", "data": "jsonb"}


def table(*definitions: str) -> Table:
    indexes = (Index(n, "public", f"i{n}", text) for n, text in enumerate(definitions))
    return Table("public", "Odd t", COLUMNS, tuple(indexes))


def scan(**detail: object) -> Plan:
    nodes = (Node(0, None, "Seq Scan", relation="Odd t", schema="public", alias="x", detail=detail),)
    return Plan("postgres", nodes)


def test_conditions_as_the_server_writes_them() -> None:
    text = (
        "(((x.a)::numeric = '5'::numeric) AND (7 > x.b) AND ((x.name)::text ~~ 'al%'::text) AND (lower(x.\"user\") = 'z'::text) "
        "AND (x.data @> '{}'::jsonb) AND (x.b <> 9) AND (x.a = x.b))"
    )
    found = wants([scan(Filter=text), scan(Filter="(hashed SubPlan 1)")], table())
    assert found.conditions == (
        Condition("equality", "a", ("a",), "pg_catalog.numeric"), Condition("range", "b", ("b",)),
        Condition("pattern", "name", ("name",), "text"), Condition("equality", 'lower("user")', ("user",)),
        Condition("other", "data", ("data",)), Condition("unserved", "b", ("b",)),
    )  # fmt: skip


def test_the_order_of_a_sort_over_one_relation() -> None:
    sort = Node(1, 0, "Sort", detail={"Sort Key": ["x.b DESC NULLS LAST", "(lower(x.name))"]})
    plan = scan()
    plan = Plan("postgres", (*plan.nodes, sort))
    assert wants([plan], table()).order == (("b", "DESC NULLS LAST"), ("lower(name)", ""))
    other = Node(1, 0, "Sort", detail={"Sort Key": ["x.b", "other.c"]})
    assert wants([Plan("postgres", (*scan().nodes, other))], table()).order == ()


def test_each_change_is_one_difference() -> None:
    base = 'CREATE INDEX i0 ON public."Odd t" USING btree (b, "user") WHERE (a > 1)'
    asked = Wants(
        (Condition("equality", '"user"', ("user",)), Condition("pattern", "name", ("name",))),
        (("b", "DESC"),),
        ("a", "b", "user"),
    )
    changes = index_changes(table(base), asked, table(base).indexes)
    made = {change.statements[-1].split(" USING ")[1] for change in changes}
    assert 'btree (b, "user") INCLUDE (a) WHERE a > 1' in made
    assert 'btree (b, "user")' in made
    assert 'btree ("user", b) WHERE a > 1' in made
    assert 'btree (b, "user", name text_pattern_ops) WHERE a > 1' in made
    assert 'btree ("user", b DESC, name text_pattern_ops)' in made
    assert all(split("; ".join(change.statements)) for change in changes)
    assert [change.size for change in changes] == sorted(change.size for change in changes)


def test_a_unique_index_stays() -> None:
    base = 'CREATE UNIQUE INDEX i0 ON public."Odd t" USING btree (b)'
    changes = index_changes(
        table(base), Wants((Condition("equality", "a", ("a",)),), (), ("a", "b")), table(base).indexes
    )
    keyed = [change for change in changes if "INCLUDE" not in change.title and change.size == 2]
    assert keyed and all(
        len(change.statements) == 1 and "UNIQUE" not in change.statements[0] for change in keyed
    )
    payload = next(change for change in changes if change.size == 1)
    assert payload.statements[1] == 'CREATE UNIQUE INDEX i0 ON public."Odd t" USING btree (b) INCLUDE (a)'


def test_other_operators_ask_for_gin() -> None:
    changes = index_changes(table(), Wants((Condition("other", "data", ("data",)),)), ())
    assert [change.statements for change in changes] == [
        ('CREATE INDEX "Odd t_data_idx" ON public."Odd t" USING gin (data)',)
    ]
