# @TEST:DB-007 | Every source file carries a tag with its spec and its test or code
# SPEC: SPEC-DB-007.md | CODE: src/shop/*.py
"""Tags: what `dbtrust check` follows must be there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = [
    path
    for folder, kind in [("migrations", "*"), ("schema", "*.sql"), ("src/shop", "*"), ("proofs", "*.sql"), ("data", "*")]
    for path in sorted((ROOT / folder).glob(kind))
    if path.suffix in {".sql", ".py"} and path.name != "__init__.py"
]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_a_file_names_its_spec(path: Path) -> None:
    head = path.read_text(encoding="utf-8").split("\n")[:2]
    assert re.search(r"@(CODE|TEST):DB-\d{3}", head[0])
    spec = re.search(r"SPEC: (SPEC-DB-\d{3}\.md)", head[1])
    assert spec and (ROOT / "specs" / spec[1]).is_file()
