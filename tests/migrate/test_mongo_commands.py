"""How often a trivial MongoDB migration asks the server: once for the change and once for the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pymongo
import pytest

from dbtrust.engine.mongo.urls import with_database
from dbtrust.migrate.flow import down, up
from dbtrust.migrate.session import Asked, opened
from dbtrust.model.project import Config

COUNT = 60
#: What a run costs however long its history is, and what a slow one adds: renewals, and lists that are too old.
AROUND = 45
#: Asked by the drivers' own threads, and by this test.
_NOT_OURS = frozenset({"hello", "isMaster", "serverStatus", "endSessions"})


def commands(client: pymongo.MongoClient[Any]) -> dict[str, int]:
    """How often the server ran each command since it started."""
    counted: Mapping[str, Any] = client.admin.command("serverStatus")["metrics"]["commands"]
    return {
        name: int(said["total"])
        for name, said in counted.items()
        if isinstance(said, Mapping) and name not in _NOT_OURS and not name.startswith(("_", "replSet"))
    }


@pytest.mark.parametrize("backwards", [False, True], ids=["up", "down"])
def test_a_trivial_migration_costs_two_commands(
    mongo_url: str, mongo_client: pymongo.MongoClient[Any], mongo_db: Any, tmp_path: Path, backwards: bool
) -> None:
    (tmp_path / "m").mkdir()
    for n in range(1, COUNT + 1):
        text = f"from dbtrust.migrations import *\nsteps = [create_index('c', 'a{n}', name='i{n}')]\n"
        (tmp_path / "m" / f"{n:04d}_x.py").write_text(text)
    config = Config(tmp_path, "dbtrust.toml", "p", migrations="m")
    asked = Asked({"mongo": with_database(mongo_url, mongo_db.name)})
    if backwards:
        with opened(config, asked) as session:
            up(session)
    before = commands(mongo_client)
    with opened(config, asked) as session:
        down(session, to="0") if backwards else up(session)
    after = commands(mongo_client)
    asked_for = {name: count - before.get(name, 0) for name, count in after.items()}
    assert [v.verdict for v in session.verdicts] == ["holds"] * COUNT
    assert asked_for["dropIndexes" if backwards else "createIndexes"] == COUNT
    assert asked_for["update"] >= COUNT, "a row of the ledger goes before each change"
    assert sum(asked_for.values()) <= 2 * COUNT + AROUND, {k: v for k, v in asked_for.items() if v}
