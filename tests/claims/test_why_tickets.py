"""`claims why` where an index would refuse long values, where it sorts behind a join, and where the time is over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from tests.claims.test_why_postgres import Staged, _whole, opened, smallest

from dbtrust.claims.why_postgres import explain_claims
from dbtrust.claims.why_rows import Bounds
from dbtrust.report.why import render_why_json, render_why_text

TICKETS = Path(__file__).parents[1] / "projects" / "tickets"


@pytest.fixture(scope="module")
def staged(postgres_url: str) -> Iterator[Staged]:
    with opened(TICKETS, postgres_url) as found:
        yield found


def test_an_index_on_the_sort_key_behind_a_join(staged: Staged) -> None:
    (found,) = staged.why("newest")
    change = smallest(found)
    assert change.kind == "index" and change.warning == ""
    assert change.statements[-1].endswith("(opened DESC)")


def test_an_index_that_refuses_long_values_says_so(staged: Staged) -> None:
    """What it warns of is what the server then does."""
    (found,) = staged.why("colored")
    change = smallest(found)
    assert "rows whose" in change.warning and "attrs is longer than about 2,700 bytes" in change.warning
    assert "longest now, in bytes" in change.warning
    text = render_why_text(_whole(staged, "colored", [found]))
    assert "warning: rows whose" in text
    assert '"warning": "rows whose' in render_why_json(_whole(staged, "colored", [found]))
    assert staged.stage.data is not None
    with (
        staged.stage.copy(staged.stage.data) as name,
        staged.stage.owner(name) as connection,
    ):
        for statement in change.statements:
            connection.execute(statement.encode())
        long = "SELECT jsonb_build_object('color', string_agg(md5(n::text), '')) FROM generate_series(1, 400) AS n"
        insert = f"INSERT INTO vehicle SELECT 100000, 'x', ({long}), 'x', 'x'"
        with pytest.raises(psycopg.errors.ProgramLimitExceeded):
            connection.execute(insert.encode())


def test_bounded_columns_and_those_already_indexed_are_no_danger(staged: Staged) -> None:
    """plate is a key of an index today, so no row that can be written is refused for it by another one."""
    (found,) = staged.why("coded")
    assert smallest(found).warning == ""
    (found,) = staged.why("owned")
    assert "owner is longer than" in smallest(found).warning


def test_changes_with_a_warning_stand_last(staged: Staged) -> None:
    for query in ("colored", "owned"):
        (found,) = staged.why(query)
        warned = [bool(change.warning) for change in found.changes]
        assert any(warned) and warned == sorted(warned)


def test_the_seconds_bound_the_whole_run(staged: Staged) -> None:
    case = replace(staged.case("newest"), bounds=Bounds(8, 0.0))
    (found,) = explain_claims(case, only_refuted=True)
    assert found.verdict == "refuted" and found.changes == ()
    assert "the 0 seconds of the run were over" in found.notes[-1]


def test_every_change_is_told_while_it_is_tried(staged: Staged) -> None:
    told: list[str] = []
    (found,) = explain_claims(replace(staged.case("newest"), progress=told.append), only_refuted=True)
    assert {f"trying: {c.title}" for c in found.changes if c.kind == "index"} <= set(told)
