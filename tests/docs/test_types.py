"""The example project and the Python of the documentation pass the strictest type checker as they stand."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def problems(folder: Path) -> list[str]:
    """What basedpyright, strict, says of the Python files of a folder."""
    config = {
        "include": ["."], "typeCheckingMode": "strict", "pythonVersion": "3.11", "reportUnusedClass": "none",
        "executionEnvironments": [{"root": ".", "extraPaths": [str(ROOT / "src")]}],
    }  # fmt: skip
    (folder / "pyrightconfig.json").write_text(json.dumps(config), encoding="utf-8")
    program = shutil.which("basedpyright", path=str(Path(sys.executable).parent)) or "basedpyright"
    command = [program, "--outputjson", "--pythonpath", sys.executable, "-p", str(folder)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    assert found["summary"]["filesAnalyzed"] >= 1
    return [
        f"{d['file']}:{d['range']['start']['line'] + 1}: {d['message']}" for d in found["generalDiagnostics"]
    ]


def test_the_example_project(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / "shop" / "src", tmp_path / "src")
    assert problems(tmp_path / "src") == []


def test_the_pages(tmp_path: Path) -> None:
    blocks = {
        f"{p.stem}_{n}": b for p in PAGES for n, b in enumerate(BLOCK.findall(p.read_text(encoding="utf-8")))
    }
    assert len(blocks) >= 3
    for name, block in blocks.items():
        (tmp_path / f"{name.replace('-', '_')}.py").write_text(block, encoding="utf-8")
    assert problems(tmp_path) == []


MISUSE = """
from dbtrust import Affected, SqlQueries
class Q(SqlQueries, file="q.sql"):
    def one(self, id: int) -> str | None: ...
    def drop(self, id: int) -> Affected: ...
def use(q: Q) -> None:
    q.one(id=1).upper()
    q.one("x")
    q.on(1)
    len(q.drop(1))
"""


@pytest.mark.parametrize("line", [7, 8, 9, 10])
def test_a_misuse_is_seen(tmp_path_factory: pytest.TempPathFactory, line: int) -> None:
    """The checker sees the methods' real types: None, arguments, misspelt names, results."""
    folder = tmp_path_factory.mktemp("misuse")
    (folder / "code.py").write_text(MISUSE, encoding="utf-8")
    assert any(f"code.py:{line}:" in problem for problem in problems(folder))
