"""The console examples of the documentation, marked `<!-- run -->`: they print what the page says.

`<!-- run stdout -->`: what goes to stderr is not on the page. `<!-- file: NAME -->` above a block makes it a file.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^<!-- run( stdout)? -->\n```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^<!-- file: (\S+) -->\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLES = [
    pytest.param(page, block, bool(stdout), id=f"{page.stem}-{number}")
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    for number, (stdout, block) in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")))
]


def steps(block: str) -> list[tuple[str, str]]:
    """Each command with the output that stands below it."""
    parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)
    assert not parts[0]
    return list(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize(("page", "block", "stdout"), EXAMPLES)
def test_it_prints_what_the_page_says(page: Path, block: str, stdout: bool, tmp_path: Path) -> None:
    """`...` on the page stands for any text. All commands of a block run in one shell."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, command in (("dbtrust", [sys.executable, "-m", "dbtrust"]), ("python", [sys.executable])):
        (programs / name).write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', encoding="utf-8")
        (programs / name).chmod(0o755)
    folder = tmp_path / "work"
    folder.mkdir()
    for name, text in FILE.findall(page.read_text(encoding="utf-8")):
        (folder / name).write_text(text, encoding="utf-8")
    mark = "====="
    script = "".join(f"{command}\necho {mark}\n" for command, _ in steps(block))
    path = os.pathsep.join([str(programs), os.environ["PATH"]])
    environment = {
        **os.environ,
        "PATH": path,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PYTHONIOENCODING": "utf-8",
    }
    done = subprocess.run(
        ["bash", "-c", f"{'' if stdout else 'exec 2>&1'}\n{script}"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )  # fmt: skip
    for (command, expected), printed in zip(steps(block), done.stdout.split(f"{mark}\n"), strict=False):
        pattern = ".*".join(re.escape(part) for part in expected.split("..."))
        assert re.fullmatch(pattern, printed, re.DOTALL), (
            f"$ {command}\n{printed}\nis not\n{expected}\n{done.stderr}"
        )
