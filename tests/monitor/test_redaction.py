"""No literal, comment or odd program name leaves a snapshot unless literals are wanted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.monitor.conftest import Seen

from dbtrust.monitor.postgres import redacted
from dbtrust.monitor.redaction import DROPPED, with_literals, without_literals
from dbtrust.monitor.rules.postgres._common import who


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("SELECT 'geheim', 42, 1.5, B'101', X'AF'", "SELECT ?, ?, ?, ?, ?"),
        ("SELECT v FROM t WHERE id = $1 /* geheim */ -- geheim", "SELECT v FROM t WHERE id = $1"),
        ("CREATE ROLE r PASSWORD 'geheim'", "CREATE ROLE r PASSWORD ?"),
        ("DO $x$ geheim $x$", "DO ?"),
        ("SELECT E'geh\\'eim', U&'geheim'", "SELECT ?, ?"),
        ("SELECT \"täble\" FROM x WHERE a = 'ä'", 'SELECT "täble" FROM x WHERE a = ?'),
        ("SELECT 'cut in the mid", DROPPED),
        ("SELECT $tag$ cut", DROPPED),
        ("SELECT 1 /* cut", DROPPED),
        ("<insufficient privilege>", "<insufficient privilege>"),
        ("", ""),
        (r"SELECT 'a\'SECRET\'b'", DROPPED),
        (r"SELECT 'a\' || SECRET", DROPPED),
        (r"SELECT a \ SECRET", DROPPED),
        ("ALTER USER u PASSWORD SECRET", DROPPED),
        (r"ALTER USER u PASSWORD 'a\'SECRET'", DROPPED),
        ("SELECT password FROM t WHERE id = 3", "SELECT password FROM t WHERE id = ?"),
        ("SET my.token = secret", "SET my.token = ?"),
        ("SET LOCAL my.token TO secret, other; SELECT 1", "SET LOCAL my.token TO ?; SELECT ?"),
        ("ALTER ROLE r SET my.token = secret", "ALTER ROLE r SET my.token = ?"),
        ("SET x TO DEFAULT", "SET x TO DEFAULT"),
        ("UPDATE t SET a = b", "UPDATE t SET a = b"),
        ("SELEC SECRET FROM t", DROPPED),
        (
            "SELECT CAST('a' AS varchar(20)), interval '3 days' LIMIT 5",
            "SELECT CAST(? AS varchar(?)), interval ? LIMIT ?",
        ),
    ],
)
def test_literals_and_comments_go(text: str, shown: str) -> None:
    assert without_literals(text) == shown
    assert without_literals(shown) == shown


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("ALTER USER u PASSWORD SECRET", False),
        (r"ALTER USER u PASSWORD 'a\'SECRET'", False),
        ("ALTER USER u PASSWORD 'SECRET'", True),
        ("SELECT password FROM t", True),
        ("SELEC 1", True),
    ],
)
def test_an_unclear_password_goes_with_literals_as_well(text: str, kept: bool) -> None:
    assert with_literals(text) == (text if kept else DROPPED)


@given(st.text())
def test_any_literal_goes(secret: str) -> None:
    quoted = "'" + f"geheim{secret}".replace("'", "''").replace("\x00", "") + "'"
    assert "geheim" not in without_literals(f"SELECT v FROM t WHERE v = {quoted} AND id = 3")


@given(st.text())
def test_no_text_is_too_odd(text: str) -> None:
    assert isinstance(without_literals(text), str)


def test_a_snapshot_without_them(ill: Seen) -> None:
    queries = [str(row["query"]) for row in ill.snapshot.sections["activity"]]
    assert any("4111" in query for query in queries)
    clean = redacted(ill.snapshot)
    shown = [str(row["query"]) for row in (*clean.sections["activity"], *clean.sections["statement_texts"])]
    assert not any("4111" in query or "geheim" in query for query in shown)
    assert any(query == "UPDATE twins SET v = v WHERE id = ?" for query in shown)
    assert redacted(clean) == clean


def test_a_program_that_is_left_out_stands_in_one_pair_of_parentheses() -> None:
    assert who({"pid": 1, "role": "r", "application": "(left out)"}) == "session 1 of r (left out)"
    assert who({"pid": 1, "role": "r", "application": "psql"}) == "session 1 of r (psql)"
