"""The files of the folder baselines: read as they were written, and refused with a place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbtrust.model.baseline import Baseline, Decision, Example
from dbtrust.model.errors import ConfigError, DbtrustError
from dbtrust.model.location import Location
from dbtrust.source.baselines import check_writable, parse, path_of, read_baselines, render, write

FILE = "baselines/postgres/users.by_id.json"
ONE = Baseline(
    "query:users.by_id",
    "postgres",
    "17",
    {"rows": {"users": 5}},
    (
        Example(
            "a",
            "id = 'ü'",
            {"by": "id"},
            (Decision(("Limit", "  Seq Scan on t"), 12.3), Decision(("Result",))),
        ),
    ),
    Location(FILE, 1, 1),
)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
EXAMPLES = st.builds(
    Example, WORDS, WORDS, st.dictionaries(WORDS, WORDS, max_size=2),
    st.lists(
        st.builds(Decision, st.lists(WORDS, min_size=1, max_size=3).map(tuple), st.none() | st.floats(0, 1e9)), max_size=2
    ).map(tuple),
)  # fmt: skip


def test_a_round_trip() -> None:
    assert parse(render(ONE), FILE) == ONE
    assert render(ONE).endswith("}\n") and "ü" in render(ONE) and "\r" not in render(ONE)


@given(st.lists(EXAMPLES, max_size=3).map(tuple))
def test_any_round_trip(examples: tuple[Example, ...]) -> None:
    one = Baseline(ONE.subject, "postgres", "17", {}, examples, ONE.location)
    assert parse(render(one), FILE) == one


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ('"format": 1', '"format": 2', 2, "a newer dbtrust (format 2; this one reads 1)"),
        ('"format": 1', '"format": true', 2, "format is missing or wrong"),
        ('"format": 1,', "", 1, "format is missing"),
        ('"engine": "postgres"', '"engine": "oracle"', 4, "engine is missing or wrong"),
        ('"server": "17"', '"server": 17', 5, "server is missing or wrong"),
        ("users.by_id", "users.by_name", 3, "whose file is baselines/postgres/users.by_name.json"),
        ('"cost": 12.3', '"cost": "12"', 20, "cost is missing or wrong"),
        ('"Limit"', "7", 21, "tree is missing or wrong"),
        ('"plans"', "<<<<<<< HEAD", 18, "no baseline: "),
        ('"by": "id"', '"by": 4', 15, "choices is missing or wrong"),
    ],
)
def test_what_is_no_baseline(old: str, new: str, line: int, said: str) -> None:
    text = render(ONE)
    assert old in text
    with pytest.raises(ConfigError) as caught:
        parse(text.replace(old, new, 1), FILE)
    assert said in caught.value.message and caught.value.next
    assert (caught.value.location.file, caught.value.location.line) == (FILE, line)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | WORDS,
        lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner),
    )
)
def test_no_json_is_an_exception_of_another_kind(value: object) -> None:
    import json

    with pytest.raises(DbtrustError):
        parse(json.dumps(value), FILE)
    with pytest.raises(DbtrustError):
        parse(json.dumps({"format": 1, "subject": value, "engine": "postgres"}), FILE)


def test_a_folder(tmp_path: Path) -> None:
    assert read_baselines(tmp_path) == ([], [])
    write(tmp_path, [(FILE, render(ONE)), ("baselines/mongo/C.m.json", "{")])
    (tmp_path / "baselines/postgres/.users.tmp.json").write_text("half", encoding="utf-8")
    found, errors = read_baselines(tmp_path)
    assert found == [ONE] and [e.location.file for e in errors] == ["baselines/mongo/C.m.json"]
    write(tmp_path, [(FILE, None), (path_of("mongo", "query:C.gone"), None)])
    assert read_baselines(tmp_path)[0] == []


def test_what_cannot_be_written(tmp_path: Path) -> None:
    check_writable(tmp_path)
    (tmp_path / "baselines").write_text("a file", encoding="utf-8")
    for attempt in (lambda: check_writable(tmp_path), lambda: write(tmp_path, [(FILE, "{}")])):
        with pytest.raises(ConfigError, match="cannot write baselines"):
            attempt()
    assert [path.name for path in tmp_path.iterdir()] == ["baselines"]
