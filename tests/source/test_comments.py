"""What counts as a line comment: declarations in text that only looks like one are none."""

from __future__ import annotations

import pytest

from dbtrust.source.comments import line_comments
from dbtrust.source.layouts.scripts import half, options_of
from dbtrust.source.migrations import read_scripts

LINE = "\n-- lossy: column q.v\n"
HIDDEN = [
    f"UPDATE q SET v = '{LINE}';", f"UPDATE q SET v = E'\\'{LINE}';", f"SELECT 1 /* /* */ {LINE} */;", f"DO $x$ BEGIN {LINE} END $x$;",
    f'SELECT 1 AS "{LINE}";', f"COPY q FROM STDIN;{LINE}\\.\n",
]  # fmt: skip
SEEN = [
    f"UPDATE q SET v = 'it''s';{LINE}", f"SELECT a$b$ FROM t; -- don't{LINE}", f"UPDATE q SET v = '\\';{LINE}", f"SELECT 1;{LINE}",
    f"SELECT 'never closed;{LINE}",
]  # fmt: skip


@pytest.mark.parametrize("sql", HIDDEN)
def test_text_inside_something_else_declares_nothing(sql: str) -> None:
    script = half(sql, sql, "m/1.sql").script
    assert script is not None and script.lossy == (), script
    assert read_scripts(sql, "m/1.sql")[0].lossy == ()
    assert [len(x) for x in line_comments(sql).split("\n")] == [len(x) for x in sql.split("\n")]


@pytest.mark.parametrize("sql", SEEN)
def test_a_comment_between_statements_declares(sql: str) -> None:
    script = half(sql, sql, "m/1.sql").script
    assert script is not None and script.lossy == ("column q.v",), script
    assert read_scripts(sql, "m/1.sql")[0].lossy == ("column q.v",)


def test_a_mark_or_a_claim_in_a_string_is_none() -> None:
    up, down = read_scripts("SELECT '\n-- migrate:down\n-- verify: false\n';\n-- verify: true\n", "m/1.sql")
    assert down is None and [line.text for line in up.verify] == ["true"]


def test_many_lines_of_comments_are_read_once() -> None:
    """Each line was searched to the end of the file: this took hours."""
    assert options_of("ALTER TABLE a ADD w int;\n" + "-- pad pad pad pad\n" * 200_000 + "VACUUM a;\n") == {
        "transaction": "false"
    }
