"""Statements into shapes, shapes into queries, and the text of both files."""

from __future__ import annotations

import ast
import datetime
import tomllib
import uuid
from typing import Any

import bson
import postgast
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbtrust.judge.drafting import budget
from dbtrust.judge.mongo_recording import MongoRecording
from dbtrust.judge.recorded_mongo import block as mongo_block
from dbtrust.judge.recorded_mongo import blocks as mongo_blocks
from dbtrust.judge.recorded_mongo import document as mongo_document
from dbtrust.judge.recorded_mongo import edited, literal
from dbtrust.judge.recorded_sql import block, blocks, document, merged
from dbtrust.judge.recording import RecordedQuery, Recording
from dbtrust.judge.sql_forms import one_line, quoted
from dbtrust.judge.toml_edit import add_table, add_to_list
from dbtrust.model.recorded import Executed, Sent
from dbtrust.source.queries import parse_queries


def executed(
    text: str, *parameters: str | None, rows: float = 1, cost: float = 1, kind: str = "Index Scan"
) -> Executed:
    return Executed(text, "s1", parameters or None, kind, rows, cost, frozenset({("public", "t")}))


def recording(*given: Executed) -> Recording:
    found = Recording()
    for one in given:
        found.add(one)
    return found


def only(*given: Executed) -> RecordedQuery:
    (found,) = recording(*given).queries()
    return found


def test_constants_that_differ_become_parameters() -> None:
    found = only(
        executed("SELECT a FROM t WHERE b = 1 AND c = 'x' LIMIT 5"),
        executed("SELECT a  FROM t -- trace 17\n WHERE b = -2 AND c = 'x' LIMIT 5", rows=9),
        executed("SELECT a FROM t WHERE b = 3 AND c = 'x' LIMIT 5"),
        executed("SELECT a FROM t WHERE b = 3 AND c = 'x' LIMIT 5", cost=7),
    )
    assert found.sql == "SELECT a FROM t WHERE b = :p1 AND c = 'x' LIMIT 5"
    assert found.executions == 4 and found.name.startswith("select_t_by_b_c_")
    assert found.examples == (("common", ("3",)), ("most rows", ("-2",)))


def test_parameters_that_were_sent_stay_parameters() -> None:
    found = only(executed("SELECT a FROM t WHERE b = $1 AND c = $2", "it's", None))
    assert found.sql == "SELECT a FROM t WHERE b = :p1 AND c = :p2"
    assert found.examples == (("common", ("'it''s'", "NULL")),)
    assert found.literal is None


def test_executions_whose_parameters_stand_elsewhere_are_one_query() -> None:
    """Whichever came first and last, and whichever is the commoner."""
    sent_both = executed("UPDATE t SET a = $1 WHERE id = $2", "par", "5", kind="Update", cost=99)
    one = executed("UPDATE t SET a = 'lit' WHERE  id = $1", "6", kind="Update", rows=9)
    for several in ([sent_both, one], [one, sent_both], [one, one, sent_both]):
        query = only(*several)
        assert " ".join(query.sql.split()) == "UPDATE t SET a = :p1 WHERE id = :p2"
        assert query.executions == len(several) and query.parameters == ("p1", "p2")
        assert {values for _, values in query.examples} == {("'par'", "'5'"), ("'lit'", "'6'")}


def test_a_constant_that_is_a_parameter_elsewhere() -> None:
    query = only(
        executed("SELECT * FROM t WHERE a = 1 AND id = $1", "6"),
        executed("SELECT * FROM t WHERE a = $1 AND id = 7", "2"),
        executed("SELECT * FROM t WHERE a = $1 AND id = $1", "3"),
    )
    assert query.sql == "SELECT * FROM t WHERE a = :p2 AND id = :p1"
    assert query.executions == 3 and len(query.examples) >= 1


def test_an_execution_that_is_no_example_is_named() -> None:
    long = recording(
        executed("SELECT * FROM t WHERE a = $1", "x"), executed("SELECT * FROM t WHERE a = $1", "x" * 5000)
    )
    assert [q.executions for q in long.queries()] == [2]
    (lost,) = long.lost()
    assert "longer than 4,000 characters" in lost.reason and lost.executions == 1
    other = recording(
        executed("SELECT * FROM t WHERE a > now() - interval '1 day'"),
        executed("SELECT * FROM t WHERE a > now() - interval '2 day'"),
    )
    assert len(other.queries()) == 1
    assert other.passed["rarer writings of the same statement"] == 1


def test_the_same_constant_twice_is_one_parameter() -> None:
    text = "SELECT date_trunc('{}', d) FROM t GROUP BY date_trunc('{}', d)"
    found = only(executed(text.format("day", "day")), executed(text.format("week", "week")))
    assert found.sql == "SELECT date_trunc(:p1, d) FROM t GROUP BY date_trunc(:p1, d)"
    assert [len(values) for _, values in found.examples] == [1, 1][: len(found.examples)]


def test_what_is_no_expression_stays() -> None:
    texts = [
        f"SELECT a::numeric(1{n}, 2) FROM t WHERE d > now() - interval '{n} day' ORDER BY {n}" for n in (1, 2)
    ]
    found = recording(*map(executed, texts)).queries()
    assert [query.parameters for query in found] == [()]
    assert found[0].executions == 2


@pytest.mark.parametrize(
    ("one", "other"), [("b = 1", "b IN (1)"), ("b = $1", "b = ANY ($1)"), ("b = 1", "b < 1")]
)
def test_other_shapes(one: str, other: str) -> None:
    texts = [f"SELECT a FROM t WHERE {where}" for where in (one, other)]
    assert len(recording(*(executed(text, "1") for text in texts)).queries()) == 2


def test_lists_of_other_lengths_are_one_shape() -> None:
    texts = [f"SELECT a FROM t WHERE b IN ({', '.join('1' * n)})" for n in (1, 2, 2, 5)]
    assert only(*map(executed, texts)).sql == "SELECT a FROM t WHERE b IN (1, 1)"


def test_several_statements_in_one_text() -> None:
    text = "INSERT INTO t VALUES (1); SELECT a FROM t WHERE b = 2; SELECT a FROM t WHERE b = 3"
    found = recording(
        *(executed(text, kind=kind) for kind in ("Insert", "Seq Scan", "Seq Scan") * 2)
    ).queries()
    assert {query.name[:6]: query.executions for query in found} == {"insert": 2, "select": 4}


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("SELECT 1", "statements that read no table"),
        ("SELECT relname FROM pg_class", "statements about the catalog"),
        ("COPY (SELECT * FROM t) TO STDOUT", "COPY, DDL and EXPLAIN"),
        ("CREATE TABLE x AS SELECT * FROM t", "COPY, DDL and EXPLAIN"),
    ],
)
def test_what_is_passed_over(text: str, passed: str) -> None:
    found = recording(executed(text))
    assert found.queries() == [] and dict(found.passed) == {passed: 1}


def test_what_is_lost_has_a_reason() -> None:
    odd = "SELECT a FROM t WHERE c = {}"
    found = recording(
        executed("no sql at all"), executed("SELECT a FROM t WHERE b = $1"), executed(odd.format(f"'{'x' * 5000}'")),
        executed('SELECT "a\nb" FROM t'),
    )  # fmt: skip
    assert found.queries() == []
    reasons = " | ".join(lost.reason for lost in found.lost())
    for word in ("grammar does not read", "log does not tell", "line break"):
        assert word in reasons


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_value_is_one_printable_line_and_the_same_value(value: str) -> None:
    text = quoted(value)
    assert text.isprintable()
    node = postgast.parse(f"SELECT {text}").stmts[0].stmt.select_stmt.target_list[0].res_target.val.a_const
    assert node.sval.sval == value
    assert one_line(text) == text


HOSTILE = st.text(st.sampled_from("ab'\"\\\n\r\t -:;{}$/*e?%")) | st.sampled_from(
    ["\n-- name: x\n", "$$", "*/", ":p1"]
)


@given(HOSTILE, HOSTILE, HOSTILE)
def test_hostile_values_are_read_back_as_one_query(first: str, second: str, comment: str) -> None:
    literal_ = "'" + first.replace("'", "''") + "'"
    note = comment.replace("*/", "").replace("/*", "")
    text = f"SELECT a /*{note} */ FROM t\n  WHERE b = {literal_} AND c = $1"
    query = only(executed(text, second))
    one = block(query, {"p1": "text"}, ["no sort"])
    read = parse_queries(document("", [one]), "recorded/postgres.sql")
    assert not read.errors and [q.name for q in read.queries] == [query.name]
    assert read.queries[0].sql == query.sql + ";" and len(read.queries[0].examples) == 1
    assert not one.edited and [b.text for b in blocks(document("", [one]))[1]] == [one.text]


def test_merging() -> None:
    queries = [only(executed(f"SELECT a FROM t WHERE {column} = 1")) for column in "bcd"]
    b, c, d = (block(query, {}, ["cost at most 10"]) for query in queries)
    head, old = blocks(document("", [c, b]).replace("at most 10", "at most 11", 1))
    assert [one.edited for one in old] == [True, False] and head.startswith("-- Written by")
    found = merged(old, [b, c, d], {c.name})
    assert [one.text for one in found] == [old[0].text, b.text, d.text]


@pytest.mark.parametrize(
    ("seen", "number"), [(0, 1), (0.4, 1), (1, 2), (8.3, 17), (61, 130), (20000, 40000), (1234, 2500)]
)
def test_budgets(seen: float, number: int) -> None:
    assert budget(seen) == number


@pytest.mark.parametrize(
    ("text", "edited_"),
    [
        ("[a]\n# none\nx = 1\n\n[b]\n", '[a]\n# none\nx = 1\nk = ["v"]\n\n[b]\n'),
        ('[a]\nk = ["]", "#"] # c\n', '[a]\nk = ["]", "#", "v"] # c\n'),
        (
            '[a]\nk = [\n    "x", # one\n    "y" # two\n]\n',
            '[a]\nk = [\n    "x", # one\n    "y", # two\n    "v",\n]\n',
        ),
        ("[a]", '[a]\nk = ["v"]\n'),
        ("[b]\nk = []\n[a]\nk = []\n", '[b]\nk = []\n[a]\nk = ["v"]\n'),
        ("a = {k = []}\n", None),
        ("a.k = []\n", None),
        ("x = '''\n[a]\n'''\n[a]\n", None),
    ],
)
def test_toml(text: str, edited_: str | None) -> None:
    assert add_to_list(text, ["a"], "k", "v") == edited_
    if edited_ is not None:
        assert tomllib.loads(edited_)["a"]["k"][-1] == "v"


def test_a_new_table_of_toml() -> None:
    assert add_table("x = 1\n\n", ["data", "s.t"], [("rows", 3)]) == 'x = 1\n\n[data."s.t"]\nrows = 3\n'
    assert add_table("data = {}\n", ["data", "t"], [("rows", 3)]) is None


VALUES: list[Any] = [
    None, True, 5, bson.Int64(5), 2.5, float("inf"), 'a"\\\n\u2028', b"\0x", bson.ObjectId(b"0" * 12), uuid.UUID(int=3),
    bson.Decimal128("1.5"), bson.Regex("^a", 2), bson.MinKey(), bson.Binary(b"x", 5), {"a": [1, {"b": None}]},
    datetime.datetime(2024, 1, 2, 3, 4, 5, 6000, tzinfo=datetime.UTC),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=[type(v).__name__ for v in VALUES])
def test_a_literal_is_the_value(value: Any) -> None:
    text = literal(value)
    assert text.isprintable()
    assert eval(text, {"bson": bson, "datetime": datetime, "uuid": uuid}) == value  # noqa: S307


def test_a_value_without_a_literal() -> None:
    with pytest.raises(ValueError, match="DBRef has no literal"):
        literal(bson.DBRef("c", 1))


def sent(command: dict[str, Any], returned: float = 1, examined: float = 1) -> Sent:
    return Sent(command, returned, examined)


def test_commands_of_one_shape() -> None:
    found = MongoRecording()
    for value in (1, 1, "x"):
        found.add(
            sent(
                {
                    "find": "c",
                    "filter": {"a": value, "b": {"$in": [1] * 3}, "e": {"$exists": True}},
                    "sort": {"a": 1},
                }
            )
        )
    found.add(
        sent({"find": "c", "filter": {"a": 1, "b": {"$in": [2]}, "e": {"$exists": False}}, "sort": {"a": 1}})
    )
    found.add(
        sent({"find": "c", "filter": {"a": 1, "b": {"$in": [2]}, "e": {"$exists": True}}, "sort": {"a": -1}})
    )
    found.add(sent({"$truncated": "c"}))
    commands = found.commands()
    assert sorted(command.executions for command in commands) == [1, 1, 3]
    assert [list(c.names.values()) for c in commands if c.executions == 3] == [["p1"]]
    assert all(command.name.startswith("find_c_by_a_b_e_") for command in commands)
    assert [lost.executions for lost in found.lost()] == [1]


def test_the_module_is_read_back() -> None:
    found = MongoRecording()
    for value in ('"""', "'\n"):
        found.add(
            sent(
                {
                    "update": "c",
                    "updates": [{"q": {"upsert": value}, "u": {"$set": {"x": value}}, "multi": True}],
                }
            )
        )
    (command,) = found.commands()
    one = mongo_block(command, ["no collection scan"])
    text = mongo_document("", [one])
    ast.parse(text)
    head, again = mongo_blocks(text)
    assert [b.text for b in again] == [one.text] and not edited(again[0])
    assert mongo_document(head, again) == text
    assert edited(mongo_blocks(text.replace("no collection scan", "covered"))[1][0])
