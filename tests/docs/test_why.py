"""The example of docs/why.md, run as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "why.md"
FILE = re.compile(r"^<!-- file: (\S+) -->\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
RUN = re.compile(r"^<!-- run -->\n```console\n\$ dbtrust ([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_example(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name, content in FILE.findall(text):
        (tmp_path / name).write_text(content, encoding="utf-8")
    ((arguments, expected),) = RUN.findall(text)
    command = [sys.executable, "-m", "dbtrust", *arguments.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for shown, printed in zip(expected.splitlines(), done.stdout.splitlines(), strict=True):
        pattern = ".*".join(map(re.escape, shown.split("...")))
        assert re.fullmatch(pattern, printed), f"{shown!r} is not {printed!r}"
