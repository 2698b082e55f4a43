"""Users and roles that a migration makes on a MongoDB server that is lent go with the throw-away databases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pymongo
import pytest

from dbtrust.cli.main import run

MIGRATION = """
def up(db):
    db.create_collection("t")
    db.command("createRole", "reader", privileges=[], roles=["read"])
    db.command("createUser", "app", pwd="x", roles=["reader"])

def down(db):
    db.command("dropUser", "app")
    db.command("dropRole", "reader")
    db.drop_collection("t")
"""


def test_users_and_roles_of_a_migration_go(
    tmp_path: Path,
    mongo_url: str,
    mongo_client: pymongo.MongoClient[dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "dbtrust.toml").write_text('[project]\nname = "lent"\n[migrations]\nfolder = "m"\n')
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "0001_users.py").write_text(MIGRATION, encoding="utf-8")
    first: dict[str, str] | None = None
    for _ in range(2):
        code = run(["migrate", "prove", str(tmp_path), "--mongo", mongo_url, "--format", "json"])
        found = {v["check"]: v["verdict"] for v in json.loads(capsys.readouterr().out)["verdicts"]}
        assert (
            code == 0 and found["migrate.up"] == found["migrate.down"] == found["migrate.up_again"] == "holds"
        )
        assert first in (None, found)
        first = found
        for collection in ("system.users", "system.roles"):
            assert mongo_client.admin[collection].count_documents({"db": {"$regex": "^dbtrust_"}}) == 0
        assert not [name for name in mongo_client.list_database_names() if name.startswith("dbtrust_")]
