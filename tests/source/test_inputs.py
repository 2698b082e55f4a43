"""What a Python generator may load is in the key of its data; what it cannot load is not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dbtrust.source import inputs
from dbtrust.source.config import load_config
from dbtrust.source.inputs import inputs_digest

CONFIG = """
[project]
name = "small"
python = ["../lib", "src"]

[data.item]
file = "data/gen.py"
rows = 10
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    found = tmp_path / "project"
    for folder in ("data/more", "src/pack", "env/lib", ".hidden", "node_modules"):
        (found / folder).mkdir(parents=True)
    (tmp_path / "lib").mkdir()
    (found / "dbtrust.toml").write_text(CONFIG)
    (found / "data/gen.py").write_text("def rows(n, now, seed):\n    return []\n")
    (found / "data/kinds.txt").write_text("0")
    (found / "env/pyvenv.cfg").touch()
    return found


def digest(root: Path) -> str:
    config = load_config(root)
    return inputs_digest(config, config.data)


@pytest.mark.parametrize(
    "file", ["src/pack/helper.py", "data/kinds.txt", "deep.py", "../lib/shared.py", "data/none"]
)
def test_what_it_may_load_changes_the_key(root: Path, file: str) -> None:
    before = digest(root)
    (root / file).write_text("1")
    assert digest(root) != before
    (root / file).write_text("2")
    assert digest(root) != before


@pytest.mark.parametrize(
    "file", ["src/pack/notes.txt", "data/more/x.txt", "env/lib/a.py", ".hidden/a.py", "node_modules/a.py", "data/.swp"]
)  # fmt: skip
def test_what_is_not_seen_leaves_the_key(root: Path, file: str) -> None:
    before = digest(root)
    (root / file).write_text("1")
    assert digest(root) == before


def test_a_large_file_counts_by_size_and_time(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "READ_LIMIT", 3)
    before = digest(root)
    (root / "data/kinds.txt").write_text("four")
    large = digest(root)
    assert large != before
    (root / "data/kinds.txt").write_text("fours")
    assert digest(root) != large


def _link_to_itself(root: Path) -> None:
    (root / "src/loop").symlink_to(root / "src")


def _dangling(root: Path) -> None:
    (root / "data/gone.txt").symlink_to(root / "nowhere")
    (root / "src/gone.py").symlink_to(root / "nowhere")


@pytest.mark.parametrize("odd", [_link_to_itself, _dangling])
def test_links_end(root: Path, odd: Callable[[Path], None]) -> None:
    odd(root)
    assert digest(root) == digest(root)


def test_a_copy_has_the_same_key_and_sql_alone_has_none(root: Path, tmp_path: Path) -> None:
    copied = tmp_path / "other" / "project"
    shutil.copytree(root, copied)
    shutil.copytree(root / "../lib", copied / "../lib")
    assert digest(copied) == digest(root)
    (root / "dbtrust.toml").write_text(CONFIG.replace("gen.py", "gen.sql"))
    assert digest(root) == ""
