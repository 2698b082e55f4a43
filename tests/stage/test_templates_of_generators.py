"""Cached data are made anew when what a Python generator reads has changed."""

from __future__ import annotations

from pathlib import Path

from tests.claims.projects import CONFIG, outcomes

from dbtrust import check

SCHEMA = "CREATE TABLE item (id int PRIMARY KEY, kind int NOT NULL); CREATE INDEX item_kind ON item (kind);"
QUERY = "-- name: q\n-- claim: no seq scan\nSELECT id FROM item WHERE kind = 0;\n"
GENERATOR = """
from pathlib import Path
from helper import kinds

def rows(n, now, seed):
    step = int((Path(__file__).parent / "step.txt").read_text())
    return ({"id": i, "kind": i * step % kinds} for i in range(n))
"""
DATA = '\n[data.item]\nfile = "data/gen.py"\nrows = 20000\n'


def written(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_a_changed_helper_or_file_beside_the_generator_makes_new_data(tmp_path: Path) -> None:
    config = CONFIG.replace('name = "small"', 'name = "small"\npython = ["src"]') + DATA
    written(tmp_path, {
        "dbtrust.toml": config, "schema.sql": SCHEMA, "q.sql": QUERY, "data/gen.py": GENERATOR, "data/step.txt": "1",
        "src/helper.py": "kinds = 1000",
    })  # fmt: skip

    def seen() -> str:
        return outcomes(check(tmp_path, only=["claim."]))["q: no seq scan"]

    assert seen() == "holds"
    written(tmp_path, {"data/step.txt": "0"})
    assert seen() == "refuted"
    written(tmp_path, {"data/step.txt": "1"})
    assert seen() == "holds"
    written(tmp_path, {"src/helper.py": "kinds = 1"})
    assert seen() == "refuted"
