"""The order over both engines: pending, late, edited, unknown, and that nothing is passed over without a word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbtrust.migrate.order import (
    Order,
    Refused,
    agreeing,
    down_work,
    order_of,
    parse_number,
    up_work,
)
from dbtrust.model.errors import FAILED, NO_SERVER, USAGE
from dbtrust.model.ledger import Entry
from dbtrust.model.location import Location
from dbtrust.model.plan import Engine
from dbtrust.model.project import Migration, Script


def sql(number: int, text: str = "SELECT 1;\n", *, down: bool = True) -> Migration:
    file = f"migrations/{number:04}_m.sql"
    script = Script(text, file, Location(file, 1, 1))
    return Migration(
        "postgres", f"{number:04}", "m", Location(file, 1, 1), up=script, down=script if down else None
    )


def py(number: int, text: str = "steps = []\n") -> Migration:
    return Migration(
        "mongo", f"{number:04}", "m", Location(f"migrations/{number:04}_m.py", 1, 1), python=text
    )


def entry(of: Migration, state: Any = "done", source: str | None = None) -> Entry:
    kept = of if source is None else _with_text(of, source)
    return Entry(int(of.number), of.number, of.name, of.engine, state, "applied", kept.checksum, kept.text)


def _with_text(of: Migration, text: str) -> Migration:
    return replace(of, python=text) if of.up is None else replace(of, up=replace(of.up, sql=text))


def order(
    migrations: list[Migration], *applied: Entry, targets: tuple[Engine, ...] = ("postgres", "mongo")
) -> Order:
    ledgers: dict[Engine, dict[int, Entry]] = {engine: {} for engine in targets}
    for one in applied:
        ledgers[one.engine][one.number] = one
    return order_of(migrations, ledgers)


def numbers(items: Any) -> list[int]:
    return [item.number for item in items]


def test_what_is_pending_comes_in_one_order_over_both_engines() -> None:
    found = order([py(2), sql(3), sql(1)], entry(sql(1)))
    assert numbers(up_work(found).items) == [2, 3]
    assert numbers(up_work(found, to=2).items) == [2]
    assert numbers(up_work(found, only={"postgres"}).items) == [3]


def test_a_number_added_below_an_applied_one_is_refused_and_named() -> None:
    found = order([sql(1), sql(2), sql(3)], entry(sql(1)), entry(sql(3)))
    with pytest.raises(
        Refused, match=r"0002 is not applied, and a higher number of PostgreSQL is"
    ) as refused:
        up_work(found)
    assert (refused.value.code, refused.value.subject) == (FAILED, "migration:0002")
    assert numbers(up_work(found, out_of_order=True).items) == [2]
    assert numbers(up_work(found, to=1).items) == []


def test_a_lower_number_of_the_other_engine_is_not_late() -> None:
    found = order([sql(1), py(2), sql(3)], entry(sql(1)), entry(sql(3)))
    assert numbers(up_work(found).items) == [2]


def test_a_number_below_one_that_only_the_ledger_knows_is_late() -> None:
    found = order([sql(1), sql(2)], entry(sql(1)), entry(sql(9)))
    with pytest.raises(Refused, match="0002"):
        up_work(found)


def test_an_edited_file_is_refused_with_a_diff() -> None:
    found = order([sql(1, "SELECT 2;\n"), sql(2)], entry(sql(1)))
    with pytest.raises(Refused, match=r"0001_m.sql was applied and has been edited since") as refused:
        up_work(found)
    assert [line for line in refused.value.difference if line[:1] in "+-"][2:] == ["-SELECT 1;", "+SELECT 2;"]
    with pytest.raises(Refused):
        up_work(found, to=2)
    assert up_work(found, only={"mongo"}).items == ()


@pytest.mark.parametrize(
    ("then", "now"),
    [
        (sql(1, "SELECT 1;"), "-- why\nSELECT\n   1 /* so */ ;\n"),
        (py(1, "steps = [1]"), "# why\nsteps = [\n    1,\n]\n"),
    ],
)
def test_comments_and_blanks_may_be_edited(then: Migration, now: str) -> None:
    found = order([_with_text(then, now), sql(2)], entry(then))
    assert numbers(up_work(found).items) == [2]
    assert found.items[0].edit is not None and found.items[0].edit.harmless


@pytest.mark.parametrize(
    ("then", "now"),
    [
        (sql(1, "SELECT '-- a'"), "SELECT '-- b'"),
        (sql(1, "SELECT 1"), "SELECT $$"),
        (py(1, "steps = [1]"), "steps = [2]"),
        (py(1, "steps = [1]"), "steps = ["),
    ],
)
def test_anything_else_is_an_edit(then: Migration, now: str) -> None:
    with pytest.raises(Refused):
        up_work(order([_with_text(then, now)], entry(then)))


def test_an_edit_of_a_text_that_was_not_kept_is_refused_all_the_same() -> None:
    kept = replace(entry(sql(1)), source=None)
    with pytest.raises(Refused) as refused:
        up_work(order([sql(1, "SELECT 2")], kept))
    assert "too long to keep" in refused.value.difference[0]


def test_what_a_crash_left_is_finished_first() -> None:
    found = order([sql(1), sql(2), sql(3)], entry(sql(1)), entry(sql(2), "running"))
    assert [(i.number, i.state) for i in up_work(found).items] == [(2, "running"), (3, "pending")]
    found = order([sql(1), sql(2)], entry(sql(1)), entry(sql(2), "reverting"))
    assert [(i.number, i.state) for i in up_work(found).items] == [(2, "reverting")]
    with pytest.raises(Refused, match="half applied"):
        down_work(order([sql(1)], entry(sql(1), "running")))
    with pytest.raises(Refused, match=r"half done.*its file is gone"):
        up_work(order([sql(1)], entry(sql(7), "running")))


def test_it_stops_before_a_migration_whose_engine_has_no_target() -> None:
    found = order([sql(1), py(2), sql(3)], targets=("postgres",))
    work = up_work(found)
    assert numbers(work.items) == [1] and numbers(work.left) == [2, 3]
    assert work.stop is not None and work.stop.code == NO_SERVER and "0002" in work.stop.message
    assert numbers(up_work(found, only={"postgres"}).items) == [1, 3]


def test_numbers_without_a_file_stop_nobody_but_are_not_undone() -> None:
    found = order([sql(1)], entry(sql(1)), entry(sql(5)))
    assert up_work(found).items == ()
    with pytest.raises(Refused, match=r"0005 \(m\) is applied in PostgreSQL, and its file is gone"):
        down_work(found)


def test_a_number_in_the_other_engine_s_ledger_is_a_conflict() -> None:
    with pytest.raises(
        Refused, match=r"number 0001 is applied in MongoDB's ledger, and the file is for PostgreSQL"
    ):
        up_work(order([sql(1)], entry(py(1))))


def test_down_takes_the_highest_over_both_or_all_above_a_number() -> None:
    found = order([sql(1), py(2), sql(3), py(4)], entry(sql(1)), entry(py(2)), entry(sql(3)))
    assert numbers(down_work(found)) == [3]
    assert numbers(down_work(found, to=0)) == [3, 2, 1]
    assert numbers(down_work(found, to=2)) == [3]
    assert numbers(down_work(found, only={"mongo"})) == [2]
    assert down_work(order([sql(1)])) == []
    with pytest.raises(Refused, match="no target"):
        down_work(order([sql(1), py(2)], entry(sql(1)), targets=("postgres",)))


def test_numbers_are_read_as_a_person_writes_them() -> None:
    found = order([sql(3)])
    assert parse_number("3", found, "--to") == parse_number("0003", found, "--to") == 3
    assert parse_number("0", found, "--to") == 0
    for wrong in ("4", "x", "-1", "9" * 5000, "³", ""):
        with pytest.raises(Refused) as refused:
            parse_number(wrong, found, "--to")
        assert refused.value.code == USAGE


def test_a_baseline_agrees_with_the_ledger_or_is_refused() -> None:
    found = order([sql(1), sql(2)], entry(sql(1)))
    assert numbers(agreeing(found.items)) == [2]
    for other in (entry(sql(1), source="SELECT 7"), entry(sql(1), "running"), entry(sql(9)), entry(py(1))):
        with pytest.raises(Refused, match="does not agree"):
            agreeing(order([sql(1), sql(2)], other).items)


# --- nothing is passed over without a word

_STATES = st.sampled_from(["absent", "done", "running", "reverting", "edited"])


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Migration], dict[int, str], tuple[Engine, ...]]:
    """A folder, what the ledgers say of each number (unknown ones included), and the engines with a target."""
    known = draw(st.sets(st.integers(1, 12), max_size=8))
    migrations = [sql(n) if draw(st.booleans()) else py(n) for n in sorted(known)]
    states = {n: draw(_STATES) for n in draw(st.sets(st.integers(1, 14), max_size=10))}
    targets = draw(st.sampled_from([("postgres",), ("mongo",), ("postgres", "mongo")]))
    return migrations, states, targets


def _ledgers(
    migrations: list[Migration], states: Mapping[int, str], targets: tuple[Engine, ...]
) -> dict[Engine, dict[int, Entry]]:
    known = {int(m.number): m for m in migrations}
    ledgers: dict[Engine, dict[int, Entry]] = {engine: {} for engine in targets}
    for number, state in states.items():
        migration = known.get(number, sql(number) if number % 2 else py(number))
        if state != "absent" and migration.engine in ledgers:
            source = "SELECT 99" if state == "edited" else None
            told = "done" if state == "edited" else state
            ledgers[migration.engine][number] = entry(migration, told, source)
    return ledgers


@given(
    worlds(), st.none() | st.integers(0, 14), st.booleans(), st.sampled_from([(), ("postgres",), ("mongo",)])
)
def test_no_pending_migration_is_skipped_in_silence(
    world: tuple[list[Migration], dict[int, str], tuple[Engine, ...]], to: int | None, late: bool, only: Any
) -> None:
    migrations, states, targets = world
    ledgers = _ledgers(migrations, states, targets)
    done = {n for entries in ledgers.values() for n, e in entries.items() if e.state == "done"}
    wanted = [m for m in migrations if (not only or m.engine in only) and (to is None or int(m.number) <= to)]
    open_ones = [int(m.number) for m in wanted if int(m.number) not in done]
    try:
        work = up_work(order_of(migrations, ledgers), to=to, out_of_order=late, only=only)
    except Refused as refused:
        assert refused.subject and refused.message and refused.next
        return
    assert numbers(work.items) + numbers(work.left) == open_ones
    assert (work.stop is None) == (not work.left)
    assert all(item.engine in targets for item in work.items)
    if not late:
        top = {e: max((n for n, x in entries.items()), default=0) for e, entries in ledgers.items()}
        assert all(i.state != "pending" or i.number > top[i.engine] for i in work.items)


@given(worlds(), st.none() | st.integers(0, 14))
def test_down_undoes_exactly_what_is_above(
    world: tuple[list[Migration], dict[int, str], tuple[Engine, ...]], to: int | None
) -> None:
    migrations, states, targets = world
    ledgers = _ledgers(migrations, states, targets)
    there = sorted((n for entries in ledgers.values() for n in entries), reverse=True)
    try:
        items = down_work(order_of(migrations, ledgers), to=to)
    except Refused as refused:
        assert refused.message and refused.next
        return
    assert numbers(items) == (there[:1] if to is None else [n for n in there if n > to])
