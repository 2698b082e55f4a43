"""The example of docs/record.md, as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "record.md"
FILE = re.compile(r"^<!-- file: (\S+) -->\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
RUN = re.compile(r"^<!-- run -->\n```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_example(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name, body in FILE.findall(text):
        (tmp_path / name).write_text(body, encoding="utf-8")
    (example,) = RUN.findall(text)
    for command, output in re.findall(r"^\$ ([^\n]*)\n(.*?)(?=^\$ |\Z)", example, re.MULTILINE | re.DOTALL):
        script = f'dbtrust() {{ "{sys.executable}" -m dbtrust "$@"; }}; {command}'
        done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
        pattern = ".*".join(map(re.escape, output.split("...")))
        assert re.fullmatch(pattern, done.stdout, re.DOTALL), (command, done.stdout, done.stderr)
