"""A query as the server itself resolved it: the tree that it keeps of a function's body, and the catalog around it.

A function with a BEGIN ATOMIC body stores the analysed query (PostgreSQL 14 and later, pg_proc.prosqlbody), so one
made and rolled back at once gives names, operators, casts and joins without a guess from the text. Nothing is planned:
a plan tree swaps LEFT and RIGHT joins.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg.rows import dict_row

from dbtrust.engine.postgres import questions, sql
from dbtrust.model.facts import (
    Analysed,
    Column,
    Facts,
    ForeignKey,
    Function,
    Key,
    Operator,
    Relation,
    trees_of,
)
from dbtrust.model.tree import Node, parse_nodes, walk

_MAKE = "CREATE FUNCTION pg_temp.dbtrust_contract({}) RETURNS void LANGUAGE sql BEGIN ATOMIC "
_FUNCTIONS = {"funcid", "aggfnoid", "winfnoid", "opfuncid", "outfunc"}


def analyse(
    connection: psycopg.Connection[Any], text: str, parameters: Sequence[str], known: Facts | None = None
) -> Analysed:
    """The tree of one statement whose $1 … have these types (as SQL names them), and the facts around it.

    `known` keeps what was read of one unchanging database for the next statement. What no function can hold (a
    pseudo type, a utility statement) gives no tree and the server's words.
    """
    try:
        with connection.transaction(force_rollback=True):
            tree = _tree(connection, text, parameters)
            return Analysed(tree, read_facts(connection, [tree], known))
    except (psycopg.Error, ValueError) as error:
        return Analysed(None, Facts(), " ".join(str(error).split("\n")[0].split()))


def keep_tree(connection: psycopg.Connection[Any], text: str, parameters: Sequence[str]) -> None:
    """Makes the temporary function whose body is the statement; the caller rolls back. Raises psycopg.Error."""
    # The types come from the server's own format_type, the statement from the project's file.
    make = _MAKE.format(", ".join(parameters)) + text + "\n; END"
    with psycopg.RawCursor(connection) as cursor:
        cursor.execute(make.encode(connection.info.encoding))


def _tree(connection: psycopg.Connection[Any], text: str, parameters: Sequence[str]) -> Node:
    keep_tree(connection, text, parameters)
    row = connection.execute(sql.load("contract_tree")).fetchone()
    assert row is not None
    found = [node for node in walk(parse_nodes(row[0])) if node.tag == "QUERY"]
    if not found:
        raise ValueError("the statement has no tree")
    return found[0]


def read_facts(
    connection: psycopg.Connection[Any], trees: Iterable[Any], known: Facts | None = None
) -> Facts:
    """Everything that the trees name, and what those relations' own trees name in turn.

    What `known` holds already is not asked again, and what is asked is added to it.
    """
    known = Facts() if known is None else known
    if not known.asked_collations:
        rows = connection.execute(sql.load("contract_collations")).fetchall()
        known.loose_collations, known.asked_collations = frozenset(row[0] for row in rows), True
    facts = Facts(loose_collations=known.loose_collations)
    pending: list[Any] = list(trees)
    while pending:
        nodes = [node for tree in pending for node in walk(tree)]
        named = {n.number("relid") for n in nodes if n.tag in ("RANGETBLENTRY", "RTE") and n.number("relid")}
        wanted = sorted(named - set(facts.relations))
        known.relations.update(_relations(connection, [oid for oid in wanted if oid not in known.relations]))
        fresh = {oid: known.relations[oid] for oid in wanted if oid in known.relations}
        facts.relations.update(fresh)
        _named(connection, facts, known, nodes)
        pending = [tree for relation in fresh.values() for tree in trees_of(relation) if tree is not None]
    return facts


def relations_named(connection: psycopg.Connection[Any], oids: Sequence[int]) -> dict[int, Relation]:
    """Relations by OID, as `Facts` holds them."""
    return _relations(connection, oids)


def _named(connection: psycopg.Connection[Any], facts: Facts, known: Facts, nodes: Iterable[Node]) -> None:
    functions, operators, types = set[int](), set[int](), set[int]()
    for node in nodes:
        functions |= {node.number(name) for name in _FUNCTIONS if node.get(name) is not None}
        if node.tag in ("OPEXPR", "SCALARARRAYOPEXPR", "DISTINCTEXPR", "NULLIFEXPR"):
            operators.add(node.number("opno"))
        if node.tag == "SORTGROUPCLAUSE":
            operators.add(node.number("eqop"))
        if node.tag == "ROWCOMPAREEXPR":
            operators |= set(node.list("opnos"))
        types |= {node.number(name) for name in ("resulttype", "vartype") if node.get(name) is not None}
    for row in _ask(connection, "contract_functions", functions - set(known.functions)):
        known.functions[row["oid"]] = Function(
            row["name"], row["strict"], row["builtin"], row["returns_set"], row["categories"], row["volatile"]
        )
    for row in _ask(connection, "contract_operators", operators - set(known.operators)):
        equality = frozenset(row["equality"])
        known.operators[row["oid"]] = Operator(row["name"], row["builtin"], equality, row["categories"])
    known.not_null_types |= {
        row["oid"] for row in _ask(connection, "contract_types", types - known.asked_types)
    }
    known.asked_types |= types
    facts.functions |= {oid: known.functions[oid] for oid in functions if oid in known.functions}
    facts.operators |= {oid: known.operators[oid] for oid in operators if oid in known.operators}
    facts.not_null_types |= known.not_null_types & types


def _ask(connection: psycopg.Connection[Any], name: str, oids: Iterable[int]) -> list[dict[str, Any]]:
    wanted = sorted(set(oids) - {0})
    if not wanted:
        return []
    with connection.cursor(row_factory=dict_row) as cursor:
        return questions.ask(cursor, name, {"oids": wanted})


#: What is asked for `relations_named`.
ABOUT_RELATIONS = ("contract_columns", "contract_keys", "contract_constraints", "contract_relations")


def _relations(connection: psycopg.Connection[Any], oids: Sequence[int]) -> dict[int, Relation]:
    columns, keys = defaultdict[int, dict[int, Column]](dict), defaultdict[int, list[Key]](list)
    for row in _ask(connection, "contract_columns", oids):
        columns[row["relation"]][row["number"]] = _column(row)
    for row in _ask(connection, "contract_keys", oids):
        keys[row["relation"]].append(_key(row))
    foreign = defaultdict[int, list[ForeignKey]](list)
    checks = defaultdict[int, dict[str, tuple[tuple[int, ...], str, Node | None]]](dict)
    for row in _ask(connection, "contract_constraints", oids):
        if row["kind"] == "f":
            key = ForeignKey(
                row["name"],
                tuple(row["columns"]),
                row["target"],
                tuple(row["target_columns"]),
                row["deferrable"],
            )
            foreign[row["relation"]].append(key)
        else:
            checks[row["relation"]][row["name"]] = (tuple(row["columns"]), row["text"], _one(row["tree"]))
    return {
        row["oid"]: Relation(
            row["oid"], row["schema"], row["name"], row["kind"], columns[row["oid"]], tuple(keys[row["oid"]]),
            tuple(foreign[row["oid"]]), checks[row["oid"]], _view(row["query"]), frozenset(row["before"]),
            frozenset(row["rules"]), row["inherited"],
        )
        for row in _ask(connection, "contract_relations", oids)
    }  # fmt: skip


def _column(row: Mapping[str, Any]) -> Column:
    return Column(
        row["name"], row["type"], row["base"], row["category"], bool(row["not_null"]), _one(row["default"]),
        row["generated"], row["identity"], tuple(row["labels"]), row["length"],
        row["domain"], row["plain"],
    )  # fmt: skip


def _key(row: Mapping[str, Any]) -> Key:
    expressions: list[Node] = parse_nodes(row["expressions"]) if row["expressions"] else []
    predicate = parse_nodes(row["predicate"]) if row["predicate"] else None
    return Key(
        row["name"], tuple(row["columns"]), tuple(row["families"]), tuple(row["collations"]), tuple(expressions),
        _single(predicate), row["immediate"],
    )  # fmt: skip


def _one(text: str | None) -> Node | None:
    return _single(parse_nodes(text)) if text else None


def _single(tree: Any) -> Node | None:
    """pg_index.indpred is a list with an implicit AND; the others are one node."""
    if isinstance(tree, list):
        return Node("BOOLEXPR", {"boolop": "and", "args": tree}) if tree else None
    return tree


def _view(text: str | None) -> Node | None:
    return next((n for n in walk(parse_nodes(text)) if n.tag == "QUERY"), None) if text else None
