"""The example of docs/explain.md, run as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "explain.md").read_text(encoding="utf-8")


def test_the_example_prints_what_the_page_shows(tmp_path: Path) -> None:
    plan = re.findall(r"^```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[0]
    (tmp_path / "plan.txt").write_text(plan, encoding="utf-8")
    (console,) = re.findall(r"^<!-- run -->\n```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    commands = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", console, re.MULTILINE)
    assert len(commands) == 2
    own = f'dbtrust() {{ "{sys.executable}" -m dbtrust "$@"; }}\n'
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    for command, expected in commands:
        done = subprocess.run(
            ["bash", "-c", own + command], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, encoding="utf-8", check=False,
        )  # fmt: skip
        assert done.stdout == expected
