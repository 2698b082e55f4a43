"""A script in parts, its COPY blocks, and what cannot run in a transaction."""

from __future__ import annotations

import pytest

from dbtrust.judge.effects import outside_effect, refused_effect
from dbtrust.judge.script_parts import script_parts
from dbtrust.judge.statements import SqlSyntaxError, split

COPIED = "CREATE TABLE é (a int);\nCOPY é FROM stdin;\n1\n\\N\n\\.\nCOPY é (a) FROM STDIN WITH (FORMAT csv);\n3\n\\.\nSELECT 'COPY é FROM STDIN;\n';\n"


def test_rows_belong_to_their_copy_and_words_in_strings_are_no_copy() -> None:
    found = split(COPIED)
    assert [(s.kind, s.data) for s in found] == [
        ("CreateStmt", None), ("CopyStmt", "1\n\\N\n"), ("CopyStmt", "3\n"), ("SelectStmt", None),
    ]  # fmt: skip
    assert all(COPIED.startswith(s.text, s.offset) for s in found)


def test_an_error_behind_rows_has_its_character() -> None:
    with pytest.raises(SqlSyntaxError) as caught:
        split(COPIED + "SELEC 1")
    assert caught.value.offset == len(COPIED)


def test_parts_end_behind_each_copy_and_leave_an_outermost_pair_out() -> None:
    sql = f"-- BEGIN;\nBEGIN ISOLATION LEVEL SERIALIZABLE;\n{COPIED}/* COMMIT */ COMMIT;\n"
    found = script_parts(sql)
    assert found.modes == "ISOLATION LEVEL SERIALIZABLE"
    assert [sql[p.start : p.end].split()[0] for p in found.parts] == ["CREATE", "COPY", "SELECT"]
    assert [p.data and sql[slice(*p.data)] for p in found.parts] == ["1\n\\N\n", "3\n", None]


def test_a_long_script_is_cut_between_statements() -> None:
    line = "INSERT INTO t VALUES ('" + "COMMIT; " * 1000 + "'); -- COMMIT;\n"
    sql = line * 300
    parts = script_parts(sql).parts
    assert len(parts) == 3
    assert all(p.end - p.start <= 1_000_000 for p in parts)
    assert sum(sql[p.start : p.end].count("INSERT") for p in parts) == 300


@pytest.mark.parametrize("word", ["COMMIT", "ROLLBACK", "BEGIN", "END"])
def test_what_would_end_the_transaction_is_refused_with_its_place(word: str) -> None:
    with pytest.raises(SqlSyntaxError, match="inside a migration that is one transaction") as caught:
        script_parts(f"SELECT 1;\n{word};\nSELECT 2")
    assert caught.value.offset == 10


def test_two_phase_commit_is_refused_for_what_it_is() -> None:
    with pytest.raises(SqlSyntaxError, match="PREPARE TRANSACTION cannot be done in a migration") as caught:
        script_parts("SELECT 1;\nPREPARE TRANSACTION 'x';\nSELECT 2")
    assert caught.value.offset == 10


def test_savepoints_and_bodies_of_functions_are_left_alone() -> None:
    sql = "SAVEPOINT a; ROLLBACK TO a; RELEASE a;\nDO $$ BEGIN COMMIT; END $$;\nPREPARE p AS SELECT 1"
    part = script_parts(sql).parts[0]
    assert sql[part.start : part.end] == sql


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("CREATE INDEX CONCURRENTLY ON t (a)", "index"), ("DROP INDEX CONCURRENTLY s.i", "drop index"),
        ("REINDEX (CONCURRENTLY) TABLE t", "reindex"), ("REINDEX (CONCURRENTLY off) TABLE t", None),
        ("ALTER TABLE t DETACH PARTITION p CONCURRENTLY", "detach"), ("ALTER TABLE t DETACH PARTITION p", None),
        ("VACUUM t", "repeat"), ("ANALYZE t", None), ("ALTER SYSTEM RESET work_mem", "repeat"),
        ("CREATE DATABASE x", "named"), ("DROP TABLESPACE x", "named"), ("CREATE INDEX ON t (a)", None),
        ("CALL p()", None), ("SELECT 'VACUUM t'", None),
    ],
)  # fmt: skip
def test_the_grammar_tells_what_cannot_run_in_a_transaction(sql: str, kind: str | None) -> None:
    effect = outside_effect(sql)
    assert (effect.kind if effect else None) == kind


def test_what_the_server_refused_is_repeated_only_where_that_is_harmless() -> None:
    assert refused_effect("CALL p()").kind == "unknown"
    assert refused_effect("REINDEX SCHEMA s").kind == "reindex"
    assert refused_effect("CLUSTER").kind == "repeat"
    assert refused_effect("DROP SUBSCRIPTION s").gone
