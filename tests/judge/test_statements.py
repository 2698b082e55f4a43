"""Scripts into statements and examples into expressions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbtrust.judge.statements import SqlSyntaxError, Target, creates, explainable, parse_binds, split
from dbtrust.queries.placeholders import bind_params, parameters


def test_offsets_are_characters_of_the_first_token() -> None:
    sql = "-- é\n/* x /* y */ */ select 'é;';  \n\n insert into t values ($$;$$);;"
    found = split(sql)
    assert [s.kind for s in found] == ["SelectStmt", "InsertStmt"]
    assert [sql[s.offset : s.offset + 6] for s in found] == ["select", "insert"]
    assert found[0].text == "select 'é;'"


@pytest.mark.parametrize(
    ("sql", "offset", "said"),
    [
        ("select 'éé'; selec 2", 13, "selec"), ("select (", 8, "end of input"), ("\\d users\nselect 1", 0, "psql"),
        ("copy t from stdin;\n1\n", 18, "no line with"), ("select 'a", 7, "unterminated"),
    ],
)  # fmt: skip
def test_an_error_has_its_character(sql: str, offset: int, said: str) -> None:
    with pytest.raises(SqlSyntaxError) as caught:
        split(sql)
    assert said in caught.value.message or "psql" in caught.value.message
    assert caught.value.offset in (offset, sql.find("\\"))


def test_binds() -> None:
    text = "a = 1, b = now() - interval '7 days, x', c = array[1,2], d=f(1,(2)), é = 'é,' || ',', f = x >= 1"
    assert parse_binds(text) == [
        ("a", "1"), ("b", "now() - interval '7 days, x'"), ("c", "array[1,2]"), ("d", "f(1,(2))"), ("é", "'é,' || ','"), ("f", "x >= 1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("a", 0),
        ("a = ", 4),
        ("x = 0, a = 1 2", 13),
        ("a=1,", 4),
        ("a = 1, a = 2", 6),
        ("a = 1); drop table t; --", 25),
    ],
)
def test_wrong_binds(text: str, offset: int) -> None:
    with pytest.raises(SqlSyntaxError) as caught:
        parse_binds(text)
    assert abs(caught.value.offset - offset) <= 6


def test_explainable() -> None:
    assert explainable("select :a::int")
    assert explainable("merge into t using s on t.id = s.id when matched then delete")
    assert not explainable("create table x ()")
    assert not explainable("select 1; select 2")
    assert explainable("selec 1")


def test_creates() -> None:
    assert creates("CREATE TABLE IF NOT EXISTS s.t (a int)") == Target("table", "s", "t")
    assert creates("CREATE INDEX IF NOT EXISTS i ON s.t (a)") == Target("index", "s", "i")
    assert creates("CREATE SEQUENCE IF NOT EXISTS q") == Target("sequence", None, "q")
    assert creates("CREATE MATERIALIZED VIEW IF NOT EXISTS m AS SELECT 1") == Target("view", None, "m")
    assert creates("CREATE TABLE IF NOT EXISTS m AS SELECT 1 AS a") == Target("table", None, "m")
    assert creates("ALTER TABLE t ADD COLUMN IF NOT EXISTS c int") == Target("column", None, "t", "c")
    assert creates("CREATE SCHEMA IF NOT EXISTS s") is None


def test_parameters_are_found_where_values_stand() -> None:
    sql = """select a[1:n], x::int, ':no', E'\\':no', $$ :no $$, $a$ :no $a$, ":no" -- :no
    /* :no /* :no */ :no */, :yes, '$.a'::jsonpath, (:yes), a[x:y], a[(:i):(:j)], f(b := :k), U&':no', 100%, '%s', :é"""
    bound = bind_params(sql)
    assert bound.names == ("yes", "i", "j", "k", "é")
    assert bound.text.count("$1") == 2
    assert "%" in bound.text


def test_positions_come_back() -> None:
    sql = "select :first, :second, wrong, :first from t"
    bound = bind_params(sql)
    assert bound.text == "select $1, $2, wrong, $1 from t"
    for word in ("select", "wrong", "from"):
        assert bound.source_offset(bound.text.index(word)) == sql.index(word)
    assert bound.source_offset(bound.text.index("$2")) == sql.index(":second")


PIECES = st.sampled_from(
    [
        "select ",
        ":a",
        "'",
        '"',
        "$$",
        "$x$",
        "--",
        "\n",
        "/*",
        "*/",
        "[",
        "]",
        "(",
        ")",
        "::",
        ":=",
        "E'",
        "\\",
        "1",
        " ",
        ",",
        "é",
        ";",
        "x",
    ]
)


@given(st.lists(PIECES, max_size=25).map("".join))
def test_nothing_makes_them_raise_anything_else(sql: str) -> None:
    bound = bind_params(sql)
    assert [sql[start:end] for start, end, _ in parameters(sql)] == [
        f":{name}" for _, _, name in parameters(sql)
    ]
    for offset in range(len(bound.text)):
        assert 0 <= bound.source_offset(offset) <= len(sql)
    for parse in (split, parse_binds):
        try:
            parse(sql)
        except SqlSyntaxError as error:
            assert 0 <= error.offset <= len(sql) + 8
