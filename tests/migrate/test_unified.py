"""A patch is one that git and patch take: from the project's root, to the byte, whatever the file is called."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.patching import TOOLS

from dbtrust.migrate.unified import unified

#: label: (file, what is there, what it becomes)
FILES: dict[str, tuple[str, bytes | None, bytes]] = {
    "a new file": ("m/1_a.down.sql", None, b"DROP TABLE a;\n"),
    "a new file without an end": ("1.sql", None, b"DROP TABLE a;"),
    "an empty file": ("m/1.sql", b"", b"DROP TABLE a;\n"),
    "no end before": ("m/1.sql", b"SELECT 1;\nSELECT 2;", b"SELECT 1;\nSELECT 2;\nSELECT 3;\n"),
    "no end in both": ("m/1.sql", b"SELECT 1;\nSELECT 2;", b"SELECT 3;\nSELECT 1;\nSELECT 2;"),
    "CRLF": ("m/1.sql", b"SELECT 1;\r\nSELECT 2;\r\n", b"SELECT 1;\r\nSELECT 3;\r\nSELECT 2;\r\n"),
    "CRLF in some lines": ("m/1.sql", b"SELECT 1;\r\nSELECT 2;\n", b"SELECT 1;\r\nSELECT 3;\r\nSELECT 2;\n"),
    "a byte order mark": ("m/1.sql", b"\xef\xbb\xbfSELECT 1;\n", b"\xef\xbb\xbfSELECT 1;\nSELECT 2;\n"),
    "blanks": ("my migrations/1 first file.sql", b"SELECT 1;\n", b"SELECT 2;\n"),
    "a new file with blanks": ("my migrations/1 first file.sql", None, b"SELECT 2;\n"),
    "letters": ("Änderungen/1_größe_表.sql", b"SELECT 1;\n", "SELECT 'größe';\n".encode()),
    "quotes": ('m/1_"a\\b".sql', b"SELECT 1;\n", b"SELECT 2;\n"),
    "other ends of lines": ("m/1.sql", "SELECT 1;\x0c\u2028 x\x85\n-- \x1c\nSELECT 2;\n".encode(), "SELECT 1;\x0c\u2028 x\x85\n-- \x1c\n".encode()),
    "long": ("m/1.sql", b"".join(b"SELECT %d;\n" % n for n in range(90)), b"".join(b"SELECT %d;\n" % (n + n // 40) for n in range(90))),
}  # fmt: skip


@pytest.mark.parametrize("repository", [False, True])
@pytest.mark.parametrize("label", FILES)
@pytest.mark.parametrize("command", TOOLS, ids=lambda command: command[0])
def test_it_is_applied(tmp_path: Path, label: str, command: list[str], repository: bool) -> None:
    file, old, new = FILES[label]
    root = tmp_path / "project"
    path = root / file
    path.parent.mkdir(parents=True)
    if old is not None:
        path.write_bytes(old)
    made = unified(file, old.decode() if old is not None else None, new.decode())
    if repository:  # the project is a folder of it
        subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    done = subprocess.run(command, cwd=root, input=made.encode(), capture_output=True)
    assert done.returncode == 0, (made, done.stdout, done.stderr)
    assert path.read_bytes() == new
    assert [p for p in root.rglob("*") if p.is_file()] == [path]
