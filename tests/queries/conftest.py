"""A module of queries beside its SQL file, imported from a folder of its own."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

_NUMBER = itertools.count()


@pytest.fixture
def module(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[str, str], ModuleType]:
    """module(sql, python): `python` is the text of a module that lies beside q.sql."""

    def load(sql: str, python: str) -> ModuleType:
        (tmp_path / "q.sql").write_text(sql, encoding="utf-8")
        path = tmp_path / "code.py"
        path.write_text(python, encoding="utf-8")
        name = f"queries_under_test_{next(_NUMBER)}"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        found = importlib.util.module_from_spec(spec)
        sys.modules[name] = found
        request.addfinalizer(lambda: sys.modules.pop(name, None))
        spec.loader.exec_module(found)
        return found

    return load
