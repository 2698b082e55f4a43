"""The example of docs/mutation.md, run as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "mutation.md"
FILE = re.compile(r"^<!-- file: (\S+) -->\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
RUN = re.compile(r"^<!-- with these files -->\n```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_example(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name, content in FILE.findall(text):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    (block,) = RUN.findall(text)
    _, *parts = re.split(r"^\$ dbtrust (.*)\n", block, flags=re.MULTILINE)
    assert len(parts) == 4
    for arguments, expected, code in zip(parts[::2], parts[1::2], (1, 0), strict=True):
        command = [sys.executable, "-m", "dbtrust", *arguments.split()]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == code, done.stderr
        pattern = ".*".join(map(re.escape, expected.split("...")))
        assert re.fullmatch(pattern, done.stdout, re.DOTALL), f"{done.stdout}\nis not\n{expected}"
