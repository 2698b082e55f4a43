"""What a migration makes outside its database stays on a server of the user's, and is named."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from dbtrust.cli.main import run


def test_a_role_that_stays_on_the_server_is_told(
    tmp_path: Path, pg: psycopg.Connection[Any], postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    role = f"Left {uuid.uuid4().hex[:8]}"
    (tmp_path / "1_role.up.sql").write_text(f'CREATE ROLE "{role}";\n', encoding="utf-8")
    (tmp_path / "1_role.down.sql").write_text("SELECT 1;\n", encoding="utf-8")
    try:
        run(["migrate", "prove", str(tmp_path), "--postgres", postgres_url, "--format", "json"])
        found = json.loads(capsys.readouterr().out)["findings"]
        there = pg.execute("SELECT count(*) FROM pg_roles WHERE rolname = %s", [role]).fetchone()
        told = [f for f in found if f["rule"] == "migration.left_behind" and f["subject"] == f"role:{role}"]
        assert there == (1,) and len(told) == 1 and told[0]["severity"] == "warning"
        assert f'DROP ROLE "{role}"' in told[0]["fix"]
    finally:
        pg.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))


def test_nothing_is_told_of_a_server_that_stays_as_it_was(
    tmp_path: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "1_t.up.sql").write_text("CREATE TABLE t (id int);\n", encoding="utf-8")
    (tmp_path / "1_t.down.sql").write_text("DROP TABLE t;\n", encoding="utf-8")
    assert run(["migrate", "prove", str(tmp_path), "--postgres", postgres_url, "--format", "json"]) == 0
    assert not json.loads(capsys.readouterr().out)["findings"]
