"""A configuration that plainly fits is read without pydantic, and exactly as pydantic would read it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from dbtrust.model.errors import ConfigError
from dbtrust.source.config import (
    _File,  # pyright: ignore[reportPrivateUsage]
    load_config,
)
from dbtrust.source.plain import fitted

_LEAF = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "x", "error", "17"])
)  # fmt: skip
_VALUE = (
    _LEAF
    | st.lists(_LEAF, max_size=2)
    | st.dictionaries(st.sampled_from(["a", "file", "rows", "seed"]), _LEAF)
)
_KEYS = (
    "name", "python", "specs", "tests", "version", "schema", "settings", "roles", "collections", "folder", "fail_on",
    "strict", "wrong",
)  # fmt: skip
_TABLE = st.dictionaries(st.sampled_from(_KEYS), _VALUE, max_size=3)
_NAMED = st.dictionaries(
    st.sampled_from(["a", "b"]),
    st.dictionaries(st.sampled_from(["file", "rows", "seed", "postgres", "mongo"]), _VALUE, max_size=3),
    max_size=2,
)
_FIT: dict[str, st.SearchStrategy[Any]] = {
    "project": st.fixed_dictionaries({"name": st.just("x")}) | _TABLE,
    "postgres": _TABLE,
    "mongo": _TABLE,
    "migrations": st.fixed_dictionaries({"folder": st.just("m")}) | _TABLE,
    "check": _TABLE,
    "data": _NAMED,
    "targets": _NAMED,
}
DOCUMENTS = st.fixed_dictionaries(
    {"project": _FIT["project"]}, optional={k: v for k, v in _FIT.items() if k != "project"} | {"odd": _VALUE}
)


@given(DOCUMENTS)
def test_what_fits_is_what_pydantic_reads(document: dict[str, Any]) -> None:
    plain = fitted(_File, document)
    try:
        judged: Any = TypeAdapter(_File).validate_json(json.dumps(document), strict=True)
    except ValidationError:
        judged = None
    assert plain is None or plain == judged


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('name = ""', "dbtrust.toml:2:1: project.name: string should have at least 1 character"),
        ('name = "x"\nnam = 1', "dbtrust.toml:3:1: unknown key project.nam (did you mean name?)"),
        (
            'name = "x"\n[postgres]\nversion = 17',
            "dbtrust.toml:4:1: postgres.version: input should be a valid string",
        ),
        (
            'name = "x"\n[data.u]\nfile = "f"\nrows = -1',
            "data.u.rows: input should be greater than or equal to 0",
        ),
        ('name = "x"\n[data.u]\nfile = "f"\nrows = true', "data.u.rows: input should be a valid integer"),
        ('name = "x"\n[data.u]\nfile = "f"', "dbtrust.toml:3:1: data.u.rows is missing"),
        (
            'name = "x"\n[check]\nfail_on = "errror"',
            "check.fail_on: input should be 'error', 'warning', 'info' or",
        ),
        ('name = "x"\n[targets.a]\npostgre = "x"', "unknown key targets.a.postgre (did you mean postgres?)"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "dbtrust.toml").write_text(f"[project]\n{text}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load_config(tmp_path)
    assert said in str(error.value)


def test_a_right_configuration_imports_no_pydantic(tmp_path: Path) -> None:
    (tmp_path / "dbtrust.toml").write_text(
        '[project]\nname = "x"\n[postgres]\nsettings = { a = 1.5, b = true, c = "d", e = 2 }\n'
        '[mongo]\ncollections = ["m:c"]\n[data.t]\nfile = "t.sql"\nrows = 5\n[targets.a]\npostgres = "env:PG"\n',
        encoding="utf-8",
    )
    code = (
        "import sys; from pathlib import Path; from dbtrust.source.config import load_config\n"
        "load_config(Path(sys.argv[1])); print('pydantic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip
    assert done.stdout == "False\n"
