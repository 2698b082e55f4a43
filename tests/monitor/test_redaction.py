"""No literal, comment or odd program name leaves a snapshot unless literals are wanted."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbtrust.engine.postgres.monitor import read_sections, read_snapshot
from dbtrust.model.snapshot import ReadOptions
from dbtrust.monitor.postgres import redacted
from dbtrust.monitor.redaction import DROPPED, MOST, goes_on, with_literals, without_literals


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
    ("text", "shown"),
    [
        ("ALTER USER u PASSWORD SECRET", DROPPED),
        (r"ALTER USER u PASSWORD 'a\'SECRET'", DROPPED),
        ("ALTER USER u PASSWORD 'SECRET'", "ALTER USER u PASSWORD '***'"),
        ("SELECT password FROM t WHERE a = 'b'", "SELECT password FROM t WHERE a = 'b'"),
        ("SELEC 1", "SELEC 1"),
    ],
)
def test_a_password_goes_with_literals_as_well(text: str, shown: str) -> None:
    assert with_literals(text) == shown
    assert with_literals(shown) == shown


#: A text with a word in every place that is no name, and the scanner's every kind of literal.
_FULL = r"""SELECT 'geheim''geheim', E'geheim\'geheim'
  'gehe\'im', U&'geheim\0041' UESCAPE '!', N'geheim', B'10111', X'1F2E', $tag$geheim $x$ geheim$tag$, $$geheim$$,
  "na""me", U&"n\0061me" /* geheim /* geheim */ geheim */, 'ä geheim' AS "ü" -- geheim
  FROM t WHERE a = 'geheim' AND b = 31415926.5e10 AND c = $1 AND d ->> 'geheim' = 'x' || 'geheim'"""
_LITERAL = "geh"


def test_wherever_a_text_is_cut_no_literal_is_shown() -> None:
    for text in (_FULL[:end] for end in range(7, len(_FULL))):
        shown = without_literals(text, cut=True, parsed=True)
        assert shown.startswith("SELECT") and shown.endswith(" …"), text
        assert not any(part in shown for part in (_LITERAL, "314", "101", "1F")), text
        assert without_literals(shown, cut=True, parsed=True) == shown
        # Of one that failed nobody knows where its literals end.
        assert without_literals(text, cut=True) in (DROPPED, shown, shown.removesuffix(" …"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (r"SELECT a, 'x\'geheim\'y', b", "SELECT a,"),
        (r"SELECT a \ geheim", "SELECT a"),
        (r"SELECT a, 'C:\' AS b, 'geheim'", "SELECT a,"),
        ("ALTER USER u PASSWORD geheim", "ALTER USER u PASSWORD"),
    ],
)
def test_behind_a_place_that_two_settings_read_differently_nothing_is_shown(text: str, shown: str) -> None:
    """standard_conforming_strings decides whether a backslash hides a quote."""
    found = without_literals(text, parsed=True)
    assert found.startswith(f"{shown} … (the rest is left out") and "geheim" not in found
    assert without_literals(found, cut=True, parsed=True) == found


def test_literals_go_before_a_text_is_cut() -> None:
    values = ", ".join(["'geheim'"] * 300)
    shown = without_literals(f"SELECT a FROM t WHERE b IN ({values}) ORDER BY c", parsed=True)
    assert shown.endswith("?) ORDER BY c")
    names = ", ".join(f"column_{n}" for n in range(400))
    shown = without_literals(f"SELECT {names} FROM t", parsed=True)
    assert shown.startswith("SELECT column_0, ") and len(shown) == MOST + 2 and goes_on(shown)
    assert without_literals(shown, cut=True, parsed=True) == shown


def test_a_password_that_is_cut_goes_with_literals_as_well() -> None:
    text = "ALTER USER u VALID UNTIL 'x' PASSWORD 'geheim geheim geheim geheim'"
    shown = [with_literals(text[:end], cut=True, parsed=True) for end in range(20, 70)]
    assert not any("gehe" in one for one in shown) and shown[-1].startswith("ALTER USER u VALID UNTIL 'x' ")


@given(
    st.lists(
        st.sampled_from(["'", "\\", "E'", '"', "$$", "$a$", "/*", "*/", "--", "\n", "x", " ", "U&'", "1"])
    )
)
def test_a_beginning_that_is_shown_is_the_whole_ones_beginning(parts: list[str]) -> None:
    """What a scanner makes of the beginning of a text does not depend on what follows."""
    text = "SELECT a, " + "".join(parts)
    whole = without_literals(text, parsed=True)
    for end in range(10, len(text)):
        begun = without_literals(text[:end], cut=True, parsed=True)
        if whole != DROPPED and not goes_on(whole):
            known = begun.removesuffix(" …").rstrip(" ?\n") if begun != DROPPED else ""
            assert re.sub(r"\W+", "", whole).startswith(re.sub(r"\W+", "", known)[:-1])


@pytest.mark.parametrize(
    "literal",
    [
        "'geheim {}'",
        "E'geheim \\' {}'",
        "U&'geheim {}'",
        "$x$geheim {}$x$",
        "'1' /* geheim {} */",
        'U&"geheim {}"',
    ],
)
@pytest.mark.parametrize("setting", ["on", "off"])
def test_a_statement_that_the_server_has_cut(
    pg: psycopg.Connection[Any], pg_database: str, literal: str, setting: str
) -> None:
    """pg_stat_activity keeps 1,023 bytes, here up to the middle of a literal."""
    if literal.startswith("U&") and setting == "off":
        literal = "'geheim\\' {}'"
    statement = f"SELECT id, name FROM t WHERE name = {literal.format('ä geheim ' * 300)} OR id = 5"
    with psycopg.connect(pg_database) as other, suppress(psycopg.errors.UndefinedColumn):
        pg.execute("CREATE TABLE t (id int, name text)")
        other.execute("SELECT set_config('standard_conforming_strings', %s, false)", [setting])
        other.execute("SELECT set_config('escape_string_warning', 'off', false)")
        if 'U&"' in literal:
            statement = f"SELECT id, name FROM t AS {literal.format('ä geheim ' * 300)}"
        other.execute(statement.encode(), prepare=False)
        seen = redacted(read_sections(pg, frozenset({"activity"})))
        (row,) = (r for r in seen.sections["activity"] if r["pid"] == other.info.backend_pid)
    assert row["query"].startswith("SELECT id, name FROM t ") and "geheim" not in row["query"]
    assert goes_on(row["query"]) and redacted(seen) == seen


def test_a_statement_that_failed_is_left_out(pg: psycopg.Connection[Any], pg_database: str) -> None:
    """A quote too many: what was meant as a value stands outside of what the scanner takes for one."""
    with psycopg.connect(pg_database, autocommit=True) as other:
        with pytest.raises(psycopg.errors.SyntaxError):
            other.execute(f"SELECT 'O'geheim, {'geheim ' * 300}', 'x'".encode())
        seen = read_sections(pg, frozenset({"activity"}))
        (row,) = (r for r in seen.sections["activity"] if r["pid"] == other.info.backend_pid)
    assert "geheim" in row["query"] and row["cut"] and not row["parsed"]
    (row,) = (r for r in redacted(seen).sections["activity"] if r["pid"] == row["pid"])
    assert row["query"] == DROPPED


def test_long_statements_that_are_counted_are_shown_from_their_beginning(
    counting: psycopg.Connection[Any], pg_database: str
) -> None:
    counting.execute(f"DO $x$ BEGIN PERFORM 'geheim {'geheim ' * 2000}'; END $x$".encode())
    counting.execute(f"COMMENT ON SCHEMA public IS E'geheim\\' {'geheim ' * 2000}'".encode())
    many = " + ".join(f"length('geheim{n}')" for n in range(900))
    counting.execute(f"SELECT {many} AS long_one".encode())
    shown = redacted(read_snapshot(pg_database, ReadOptions())).sections["statement_texts"]
    texts = [row["query"] for row in shown]
    assert any(text.startswith("DO") for text in texts) and "COMMENT ON SCHEMA public IS …" in texts
    assert any(text.startswith("SELECT length(") and goes_on(text) for text in texts)
    assert not any("geheim" in text for text in texts) and DROPPED not in texts


@pytest.fixture
def latin(pg: psycopg.Connection[Any], postgres_url: str) -> Iterator[dict[str, str]]:
    """URLs of a database without an encoding and of one in Latin-1."""
    names = {encoding: f"t_{uuid.uuid4().hex[:12]}" for encoding in ("SQL_ASCII", "LATIN1")}
    for encoding, name in names.items():
        made = f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
        pg.execute(made.encode())
    yield {e: psycopg.conninfo.make_conninfo(postgres_url, dbname=name) for e, name in names.items()}
    for name in names.values():
        pg.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_session_of_another_encoding_is_read(
    pg_database: str, latin: dict[str, str], encoding: str
) -> None:
    """From its own database, and from one in UTF-8, which shows its bytes as they are."""
    with psycopg.connect(latin[encoding], client_encoding=encoding) as other:
        other.execute(b"SELECT 'geheim \xff\xe4' AS one")
        for url in (latin[encoding], pg_database):
            seen = redacted(read_snapshot(url, ReadOptions()))
            queries = [r["query"] for r in seen.sections["activity"] if r["pid"] == other.info.backend_pid]
            assert queries == ["SELECT ? AS one"]
            json.dumps([row for rows in seen.sections.values() for row in rows])
            assert not any("answer" in item.needs for item in seen.not_examined)
