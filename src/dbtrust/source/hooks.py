"""SQL that runs around migrations: files of fixed names in the folder of migrations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dbtrust.model.project import Script
from dbtrust.source.migrations import HOOKS, read_scripts
from dbtrust.source.strange_marks import refuse_strange_marks
from dbtrust.source.text import read_text


def read_hooks(root: Path, folder: str) -> Mapping[str, Script]:
    """Name without `.sql` -> script, for those of HOOKS that are there. Raises QueryFileError."""
    found: dict[str, Script] = {}
    for name in HOOKS:
        path = root / folder / f"{name}.sql"
        if path.is_file():
            text, file = read_text(path, root), path.relative_to(root).as_posix()
            refuse_strange_marks(text, file)
            found[name] = read_scripts(text, file)[0]
    return found
