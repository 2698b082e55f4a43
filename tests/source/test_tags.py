"""Tags and links."""

from __future__ import annotations

from pathlib import Path

from dbtrust.judge.links import resolve
from dbtrust.source.tags import find_tags, resolver


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text, encoding="utf-8")


def test_links_resolve_or_do_not(tmp_path: Path) -> None:
    write(tmp_path, "specs/SPEC-DB-001.md", "---\nid: DB-001\n---\n@SPEC:DB-001 | CODE: src/a.sql\n")
    write(
        tmp_path,
        "src/a.sql",
        "-- @CODE:DB-001:QUERY | queries\n-- SPEC: SPEC-DB-001.md | TEST: tests/test_a.py::test_one\nSELECT 1;\n",
    )
    write(
        tmp_path,
        "src/b.py",
        '"""Text."""\n# @CODE:DB-002 | no spec\n# TEST: tests/*.py | DOC: docs/none.md\n',
    )
    write(tmp_path, "tests/test_a.py", "# @TEST:DB-001\n# SPEC: SPEC-DB-009.md\ndef test_one(): ...\n")
    write(tmp_path, "node_modules/x.sql", "-- @CODE:DB-009\n")
    write(tmp_path, ".hidden/x.sql", "-- @CODE:DB-009\n")
    write(tmp_path, "README.md", "A sentence about @CODE:DB-003 is no tag.\n```\n@CODE:DB-004\n```\n")
    (tmp_path / "src/binary.sql").write_bytes(b"\xff\x00@CODE:DB-001")
    verdicts = resolve(find_tags(tmp_path, specs="specs"), resolver(tmp_path), "specs")
    found = {(v.subject, v.claim): v.verdict for v in verdicts}
    assert found == {
        ("file:specs/SPEC-DB-001.md", "@SPEC:DB-001 CODE: src/a.sql"): "holds",
        ("file:src/a.sql", "@CODE:DB-001:QUERY SPEC: SPEC-DB-001.md"): "holds",
        ("file:src/a.sql", "@CODE:DB-001:QUERY TEST: tests/test_a.py::test_one"): "holds",
        ("file:src/b.py", "@CODE:DB-002"): "refuted",
        ("file:src/b.py", "@CODE:DB-002 TEST: tests/*.py"): "holds",
        ("file:src/b.py", "@CODE:DB-002 DOC: docs/none.md"): "refuted",
        ("file:tests/test_a.py", "@TEST:DB-001 SPEC: SPEC-DB-009.md"): "refuted",
    }
    assert all(v.location.line for v in verdicts)


def test_a_missing_test_function_is_refuted(tmp_path: Path) -> None:
    write(tmp_path, "a.sql", "-- @CODE:DB-001 | TEST: t.py::test_gone[param]\n")
    write(tmp_path, "t.py", "def test_here(): ...\n")
    (verdict,) = resolve(find_tags(tmp_path), resolver(tmp_path), None)
    assert (verdict.verdict, str(verdict.location)) == ("refuted", "a.sql:1:19")
