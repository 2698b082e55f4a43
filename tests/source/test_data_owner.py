"""Which engine a generator fills."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbtrust.model.location import NOWHERE
from dbtrust.model.project import Config, DataConfig, Migration, MongoConfig, PostgresConfig, Script
from dbtrust.source.migrations import History
from dbtrust.source.project import Project, SqlFile

STEPS = 'steps = [create_collection("plants"), create_collection("users")]'
CREATED = "CREATE TABLE IF NOT EXISTS public.users (id int);"


def project(tmp_path: Path, engines: str, history: bool = True) -> Project:
    config = Config(
        tmp_path, "dbtrust.toml", "p",
        postgres=PostgresConfig() if "p" in engines else None, mongo=MongoConfig() if "m" in engines else None,
    )  # fmt: skip
    migrations = [
        Migration("mongo", "0001", "a", NOWHERE, python=STEPS),
        Migration("postgres", "0002", "b", NOWHERE, up=Script(CREATED, "0002_b.sql", NOWHERE)),
    ]
    found = Project(config, schema=[] if history else [SqlFile("s.sql", CREATED)])
    found.history = History(tuple(migrations), ()) if history else None
    return found


@pytest.mark.parametrize(
    ("engines", "name", "file", "owner"),
    [
        ("m", "anything", "a.py", "mongo"),
        ("p", "plants", "a.py", "postgres"),
        ("pm", "plants", "a.py", "mongo"),
        ("pm", "users", "a.py", "postgres"),
        ("pm", "nowhere", "a.py", "postgres"),
        ("pm", "plants", "a.sql", "postgres"),
        ("m", "plants", "a.sql", "postgres"),
    ],
)
def test_owner(tmp_path: Path, engines: str, name: str, file: str, owner: str) -> None:
    assert project(tmp_path, engines).fills(DataConfig(name, file, 1)) == owner


def test_a_declared_schema_makes_tables_too(tmp_path: Path) -> None:
    assert project(tmp_path, "pm", history=False).fills(DataConfig("users", "a.py", 1)) == "postgres"
