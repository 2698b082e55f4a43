"""A mark that is another tool's, or nearly ours, would be a comment, and the down would run behind the up."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbtrust.model.errors import QueryFileError
from dbtrust.source.hooks import read_hooks
from dbtrust.source.layouts.registry import find_histories
from dbtrust.source.migrations import read_history

STRANGE = [
    ("-- +goose Up", "-- +goose Down"),
    ("-- +goose Up", "-- +goose StatementBegin"),
    ("-- +migrate Up", "-- +migrate Down"),
    ("--+micrate up", "--+micrate down"),
    ("-- Migrate:Up", "-- Migrate:Down"),
    ("-- migrate: up", "-- migrate: down"),
    ("-- Migrate:UP transaction:false", "-- Migrate:DOWN"),
    ("--- migrate:up", "--- migrate:down"),
    ("# migrate:up", "/* migrate:down */"),
    ("-- migrate up", "-- migrate down"),
    ("-- migration:up", "-- migration:down"),
    ("-- Up Migration", "-- Down Migration"),
    ("-- rambler up", "-- rambler down"),
    ("-- !Ups", "-- !Downs"),
    ("-- up", "-- down"),
    ("-- migrate:up", "-- migrate:dwon"),
    ("-- migrate:up", "-- migrate:Down"),
    ("-- the table", "---- create above / drop below ----"),
]


def read(root: Path, **files: str) -> list[str]:
    for name, text in files.items():
        (root / f"{name.replace('__', '.')}.sql").write_text(text, encoding="utf-8")
    return [str(error) for error in read_history(root, ".").errors]


@pytest.mark.parametrize(("up", "down"), STRANGE)
def test_a_strange_mark_is_refused_with_its_line(up: str, down: str, tmp_path: Path) -> None:
    errors = read(tmp_path, **{"0001_a": f"{up}\nCREATE TABLE t (id int);\n{down}\nDROP TABLE t;\n"})
    assert len(errors) == 1 and errors[0].startswith("0001_a.sql:"), errors
    assert "did you mean -- migrate:" in errors[0]


def test_what_is_no_mark_is_left_alone(tmp_path: Path) -> None:
    texts = {
        "0001_a": "-- migrate:up transaction:false\nSELECT 1;\n-- migrate:down\nSELECT 2;\n",
        "0002_b": "-- The migration down to version 3 is slow: up to an hour.\n-- up\nSELECT 1 -- down\n;\n",
        "0002_b__down": "-- down\nSELECT 1;\n",
        "0003_c": "--migrate:up\n-- down: not here\nSELECT '+goose Down';\n--migrate:down\n-- down\nSELECT 1;\n",
        "0004_d": "-- Migrations: 12, sign-up of users\nSELECT 1;\n",
    }
    assert read(tmp_path, **texts) == []


def test_a_down_of_its_own_and_a_hook_are_read_the_same_way(tmp_path: Path) -> None:
    (tmp_path / "before_up.sql").write_text("-- +goose Up\nSELECT 1;\n")
    with pytest.raises(QueryFileError, match=r"before_up.sql:1:1: a mark that is not read here"):
        read_hooks(tmp_path, ".")
    errors = read(tmp_path, **{"0001_a": "SELECT 1;\n", "0001_a__down": "-- +goose Down\nSELECT 1;\n"})
    assert errors[0].startswith("0001_a.down.sql:1:1: ")


def test_prove_still_reads_the_layouts_of_others(tmp_path: Path) -> None:
    for tool in ("goose", "migrate"):
        folder = tmp_path / tool
        folder.mkdir()
        (folder / "0001_a.sql").write_text(f"-- +{tool} Up\nSELECT 1;\n-- +{tool} Down\nSELECT 2;\n")
    assert [(r.layout, len(r.reads), r.errors) for r in find_histories(tmp_path).readings] == [
        ("goose", 1, []),
        ("sql-migrate", 1, []),
    ]


@pytest.mark.parametrize(
    "option",
    ["transaction:no", "transaction:False", "lock_timeout:abc", "statement_timeout:x", "retry:x", "retry:-1"],
)
def test_a_value_that_an_option_does_not_have_is_refused_when_read(option: str, tmp_path: Path) -> None:
    errors = read(tmp_path, **{"0001_a": f"-- migrate:up {option}\nSELECT 1;\n"})
    assert errors[0].startswith(f"0001_a.sql:1:15: {option}: no value of {option.partition(':')[0]}")


def test_the_values_that_options_have(tmp_path: Path) -> None:
    for number, option in enumerate(
        ("transaction:true", "lock_timeout:0", "lock_timeout:1.5s", "statement_timeout:10min", "retry:0")
    ):
        assert read(tmp_path, **{f"{number}_a": f"-- migrate:up {option}\nSELECT 1;\n"}) == []
