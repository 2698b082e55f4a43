"""COPY … FROM stdin with its rows in a script that is proven."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from dbtrust.engine.postgres.scripts import ScriptFailed
from dbtrust.stage.scripts import run_text


def test_rows_in_a_script_are_loaded(pg: psycopg.Connection[Any]) -> None:
    run_text(pg, "CREATE TABLE t (a int);\nCOPY t FROM stdin;\n1\n2\n\\.\nANALYZE t;", "x.sql")
    assert pg.execute("SELECT a FROM t ORDER BY a").fetchall() == [(1,), (2,)]
    with pytest.raises(ScriptFailed, match=r"x.sql:1:1: 22P02"):
        run_text(pg, "COPY t FROM stdin;\nx\n\\.\n", "x.sql")
