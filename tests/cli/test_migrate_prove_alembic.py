"""An Alembic project through its own env.py: on our database alone, whatever it says."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from dbtrust.cli.main import run

INI = "[alembic]\nscript_location = %(here)s/db\nsqlalchemy.url = postgresql+psycopg://nobody@real.invalid/real\n"
SYNC = """
from alembic import context
from sqlalchemy import engine_from_config, pool
engine = engine_from_config(context.config.get_section("alembic"), prefix="sqlalchemy.", poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
#: An engine that outlives a request and keeps its connections: those of an earlier database must not be used again.
POOLED = """
import sys
from alembic import context
from sqlalchemy import create_engine
engine = getattr(sys, "kept", None) or create_engine("postgresql+psycopg://nobody@real.invalid/real")
sys.kept = engine
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
REVISION = """
from alembic import op
import sqlalchemy as sa
revision = {id!r}
down_revision = {needs!r}
def upgrade():
    {up}
def downgrade():
    {down}
"""
REVISIONS: list[tuple[str, Any, str, str]] = [
    ("a1", None, 'op.create_table("t", sa.Column("id", sa.Integer, primary_key=True), sa.Column("n", sa.String(9), nullable=False))', 'op.drop_table("t")'),
    ("b2", "a1", 'op.alter_column("t", "n", nullable=True)', "pass"),
    ("c3", "a1", 'op.create_index("i", "t", ["n"])', 'op.drop_index("wrong")'),
    ("d4", ("b2", "c3"), "pass", "pass"),
]  # fmt: skip


def project(root: Path, env: str) -> Path:
    versions = root / "db" / "versions"
    versions.mkdir(parents=True)
    (root / "alembic.ini").write_text(INI, encoding="utf-8")
    (root / "db" / "env.py").write_text(env, encoding="utf-8")
    for id, needs, up, down in REVISIONS:
        (versions / f"{id}.py").write_text(
            REVISION.format(id=id, needs=needs, up=up, down=down), encoding="utf-8"
        )
    return root


def proved(folder: Path, url: str) -> tuple[int, list[dict[str, Any]]]:
    file = folder.parent / "report.json"
    code = run(
        ["migrate", "prove", str(folder), "--format", "json", "--output", str(file), "--postgres", url]
    )
    return code, json.loads(file.read_text(encoding="utf-8"))["verdicts"]


@pytest.mark.parametrize("env", [SYNC, POOLED], ids=["a new engine each time", "an engine with a pool"])
def test_wrong_downgrades_are_refuted_on_their_revision(tmp_path: Path, postgres_url: str, env: str) -> None:
    code, verdicts = proved(project(tmp_path / "project", env), postgres_url)
    refuted = {(v["subject"], v["check"]): v for v in verdicts if v["verdict"] == "refuted"}
    assert code == 1 and set(refuted) == {("migration:b2", "migrate.down"), ("migration:c3", "migrate.down")}
    assert "n nullable" in refuted["migration:b2", "migrate.down"]["message"]
    wrong = refuted["migration:c3", "migrate.down"]
    assert "42704" in wrong["message"] and wrong["location"] == {
        "file": "db/versions/c3.py",
        "line": 9,
        "column": 1,
    }
    held = {(v["subject"], v["check"]) for v in verdicts if v["verdict"] == "holds"}
    assert {("migration:a1", "migrate.down"), ("migration:d4", "migrate.up_again")} <= held
    assert not any("alembic_version" in v["message"] for v in verdicts)


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ("import os\nos.environ['NO_SUCH_SETTING']\n", "NO_SUCH_SETTING"),
        ("import psycopg\npsycopg.connect('postgresql://nobody@real.invalid/real')\n", "beside SQLAlchemy"),
        (SYNC.replace("poolclass=pool.NullPool", "creator=lambda: __import__('sqlite3').connect(':memory:')"), "did not make"),
        (POOLED.replace("postgresql+psycopg://nobody@real.invalid/real", "sqlite://"), "sqlite engine"),
        ("import os\nos._exit(3)\n", "ended"),
        ("x = 1\n", "ran no migrations"),
    ],
    ids=["a setting", "a connection of its own", "a creator", "another database", "an end", "nothing"],
)  # fmt: skip
def test_an_env_that_does_not_run_here_leaves_all_unproved(
    tmp_path: Path, postgres_url: str, env: str, said: str
) -> None:
    code, verdicts = proved(project(tmp_path / "project", env), postgres_url)
    assert code == 0 and {v["verdict"] for v in verdicts} == {"unproved"}
    assert {v["evidence"]["cause"] for v in verdicts} == {"environment"} and len(verdicts) == 24
    assert all(said in v["message"] for v in verdicts), verdicts[0]["message"]


#: Ways to another server than ours, which an env.py could go before SQLAlchemy is asked.
WAYS = {
    "psycopg's class": "import psycopg\npsycopg.Connection.connect('host=127.0.0.1 port={port} user=u dbname=d')\n",
    "psycopg's asynchronous class": (
        "import asyncio, psycopg\n"
        "asyncio.run(psycopg.AsyncConnection.connect('host=127.0.0.1 port={port} user=u dbname=d'))\n"
    ),
    "a socket": "import socket\nsocket.create_connection(('127.0.0.1', {port}), 5)\n",
    "a socket without an error": "import socket\nsocket.socket().connect_ex(('127.0.0.1', {port}))\n",
    "asyncio": "import asyncio\nasyncio.run(asyncio.wait_for(asyncio.open_connection('127.0.0.1', {port}), 5))\n",
}


@pytest.mark.parametrize("way", WAYS)
def test_no_other_server_is_reached(tmp_path: Path, postgres_url: str, way: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        env = WAYS[way].format(port=listener.getsockname()[1])
        _, verdicts = proved(project(tmp_path / "project", env), postgres_url)
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert {v["verdict"] for v in verdicts} == {"unproved"} and "was refused" in verdicts[0]["message"]


def test_a_downgrade_that_raises_on_purpose_is_no_wrong_one(tmp_path: Path, postgres_url: str) -> None:
    folder = project(tmp_path / "project", SYNC)
    last = REVISION.format(id="e5", needs="d4", up="pass", down="raise NotImplementedError('no way back')")
    (folder / "db" / "versions" / "e5.py").write_text(last, encoding="utf-8")
    _, verdicts = proved(folder, postgres_url)
    (down,) = [v for v in verdicts if (v["subject"], v["check"]) == ("migration:e5", "migrate.down")]
    assert (down["verdict"], down["reason"], down["evidence"]["kind"]) == ("unproved", "no_down", "refuses")
    assert "no way back" in down["message"] and "write" not in down["next"]
    assert not [v for v in verdicts if v["subject"] == "migration:e5" and v["verdict"] == "refuted"]


def test_the_projects_own_python_is_asked_first(tmp_path: Path, postgres_url: str) -> None:
    folder = project(tmp_path / "project", SYNC)
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "pyvenv.cfg").write_text("", encoding="utf-8")
    python = folder / ".venv" / "bin" / "python"
    python.write_text("#!/bin/sh\necho no alembic in here >&2\nexit 1\n", encoding="utf-8")
    python.chmod(0o755)
    _, verdicts = proved(folder, postgres_url)
    assert all("no alembic in here" in v["message"] for v in verdicts)


@pytest.mark.parametrize("up", ['"DROP ROLE {}"', '"ALTER ROLE {} CONNECTION " + "LIMIT 5"'])
def test_a_role_of_a_lent_server_is_what_it_was(
    tmp_path: Path, pg: Any, postgres_url: str, monkeypatch: pytest.MonkeyPatch, up: str
) -> None:
    """What a string says is refused; what a program puts together is put back and told."""
    role = pg.info.dbname
    monkeypatch.setattr(f"{__name__}.REVISIONS", [("a1", None, f"op.execute({up.format(role)})", "pass")])
    pg.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
    try:
        code, verdicts = proved(project(tmp_path / "project", SYNC), postgres_url)
        limit = pg.execute("SELECT rolconnlimit FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    finally:
        pg.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))
    told = next(v for v in verdicts if v["check"] == "migrate.up")
    assert limit == (-1,) and told["verdict"] == "unproved" and role in told["message"]
    assert code == (1 if "LIMIT" in up else 0)
