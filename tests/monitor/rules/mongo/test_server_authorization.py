"""A server that lets everybody in."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pymongo
from tests.monitor.rules.mongo.conftest import judged, start_plain

from dbtrust.engine.mongo.monitor import read_snapshot
from dbtrust.model.snapshot import ReadOptions
from dbtrust.monitor.rules.mongo.server_authorization import RULE


def test_finds_one_that_listens_to_all(server_run: Any) -> None:
    port = start_plain(server_run, "--bind_ip", "0.0.0.0")
    now = read_snapshot(f"mongodb://127.0.0.1:{port}", ReadOptions(profiler=False))
    with pymongo.MongoClient[Any]("127.0.0.1", port) as client, suppress(pymongo.errors.ConnectionFailure):
        client.admin.command("shutdown", force=True)
    (found,) = judged(RULE, now)
    assert found.severity == "error" and "0.0.0.0" in found.message
    assert now.server["role"] == "standalone" and now.sections["members"] == ()


def test_is_silent_about_loopback_and_authorization(three: Any, look: Any) -> None:
    assert judged(RULE, three.look()) == [] and judged(RULE, look()) == []
