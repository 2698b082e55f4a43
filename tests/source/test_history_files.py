"""What a folder of migrations may hold: every file is read, or an error names it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dbtrust.model.errors import ConfigError, QueryFileError
from dbtrust.model.project import Migration
from dbtrust.source.config import load_config
from dbtrust.source.hooks import read_hooks
from dbtrust.source.migrations import History, read_history
from dbtrust.source.new_migration import next_number, write_migration

Files = Callable[..., History]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """files(name=text): the history of a folder with these files."""

    def read(**texts: str) -> History:
        return _read(tmp_path, {name: text.encode() for name, text in texts.items()})

    return read


def _read(root: Path, texts: dict[str, bytes]) -> History:
    for name, text in texts.items():
        path = root / "m" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    return read_history(root, "m")


def test_line_ends_and_a_byte_order_mark_change_nothing(tmp_path: Path) -> None:
    history = _read(
        tmp_path, {"1_a.sql": b"\xef\xbb\xbfSELECT 1;\r\nSELECT 2;\r\n", "2_a.sql": b"SELECT 1;\nSELECT 2;\n"}
    )
    assert not history.errors
    assert len({m.checksum for m in history.migrations}) == 1


def test_two_files_with_one_number_are_told_whatever_their_digits(tmp_path: Path) -> None:
    history = _read(tmp_path, {"1_a.sql": b"SELECT 1", "0001_b.py": b"steps = []"})
    assert [str(e) for e in history.errors] == [
        "m/1_a.sql:1:1: number 1 is taken by m/0001_b.py (give one of them another number)"
    ]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("0002_a.down.sql", "a down without an up for number 0002"),
        ("add_users.sql", "no number in the file's name"),
        ("0001-add.sql", "no number in the file's name"),
        ("٣_a.sql", "no number in the file's name"),
        ("0001_a.SQL", ".SQL is not read as a migration"),
        ("99999999999999999999_a.sql", "the number is above 9223372036854775807"),
        (f"{'9' * 200}_a.sql", "the number is above 9223372036854775807"),
        ("old/0001_a.sql", "migrations in a sub-folder are not read"),
    ],
)
def test_what_is_no_migration_is_named(name: str, said: str, tmp_path: Path) -> None:
    history = _read(tmp_path, {name: b"SELECT 1"})
    assert [e.message for e in history.errors] == [said]
    assert history.errors[0].location.file == f"m/{name}" and history.errors[0].next
    assert not history.migrations


def test_the_largest_number_that_a_ledger_keeps_and_leading_zeros(tmp_path: Path) -> None:
    history = _read(tmp_path, {f"{2**63 - 1}_a.sql": b"SELECT 1", f"{'0' * 40}1_b.sql": b"SELECT 1"})
    assert not history.errors
    assert [int(m.number) for m in history.migrations] == [1, 2**63 - 1]


def test_links_are_followed_and_a_broken_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.sql").write_text("SELECT 1", encoding="utf-8")
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "0001_a.sql").symlink_to(tmp_path / "elsewhere.sql")
    (tmp_path / "m" / "0002_b.sql").symlink_to(tmp_path / "gone.sql")
    history = read_history(tmp_path, "m")
    assert [m.number for m in history.migrations] == ["0001"]
    assert [e.message for e in history.errors] == ["a link that leads nowhere"]


def test_what_is_nobody_s_migration_is_left_alone(tmp_path: Path) -> None:
    texts = {
        "README.md": b"",
        "__init__.py": b"",
        ".0001_a.sql": b"",
        "notes/why.md": b"",
        "__pycache__/x.pyc": b"\0",
    }
    history = _read(tmp_path, texts)
    assert history == History((), ())


def test_hooks_are_no_migrations(tmp_path: Path) -> None:
    history = _read(
        tmp_path, {"0001_a.sql": b"SELECT 1", "after_up.sql": b"ANALYZE", "before_each.sql": b"SELECT 2"}
    )
    assert not history.errors and len(history.migrations) == 1
    assert {name: script.sql for name, script in read_hooks(tmp_path, "m").items()} == {
        "after_up": "ANALYZE",
        "before_each": "SELECT 2",
    }


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    history = _read(tmp_path, {"0001_a.sql": b"\xff\xfe", "0002_b.sql": b"a\0b"})
    assert [e.message for e in history.errors] == ["not UTF-8", "holds a NUL byte: a binary file"]


# --- the next one


def _migration(number: str) -> Migration:
    from dbtrust.model.location import NOWHERE

    return Migration("postgres", number, "m", NOWHERE)


def test_the_next_number_has_the_folder_s_digits() -> None:
    now = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    assert next_number([]) == "0001"
    assert next_number([_migration("0009"), _migration("2")]) == "0010"
    assert next_number([_migration("99")]) == "100"
    assert next_number([_migration("20250101000000")], now) == "20260304050607"
    assert next_number([_migration("20270101000000")], now) == "20270101000001"


def _project(root: Path, more: str = '[migrations]\nfolder = "m"\n') -> Path:
    (root / "dbtrust.toml").write_text(f'[project]\nname = "x"\n{more}', encoding="utf-8")
    return root


def test_new_writes_files_that_are_read_again(tmp_path: Path) -> None:
    config = load_config(_project(tmp_path))
    assert write_migration(config, "Add users!", "postgres") == [
        "m/0001_add_users.sql",
        "m/0001_add_users.down.sql",
    ]
    assert write_migration(config, "products", "mongo") == ["m/0002_products.py"]
    history = read_history(tmp_path, "m")
    assert not history.errors
    assert [(m.number, m.name, m.engine) for m in history.migrations] == [
        ("0001", "add_users", "postgres"),
        ("0002", "products", "mongo"),
    ]
    assert history.migrations[0].down is not None and not history.migrations[0].up.verify  # pyright: ignore[reportOptionalMemberAccess]


def test_new_refuses_what_has_no_place(tmp_path: Path) -> None:
    config = load_config(_project(tmp_path))
    with pytest.raises(ConfigError, match="no letter or digit"):
        write_migration(config, "…", "postgres")
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "x.sql").write_text("", encoding="utf-8")
    with pytest.raises(QueryFileError, match="no number"):
        write_migration(config, "a", "postgres")
    with pytest.raises(ConfigError, match="names no folder"):
        write_migration(load_config(_project(tmp_path, "")), "a", "postgres")
