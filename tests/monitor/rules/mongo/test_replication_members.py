"""Members that are not there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.monitor.rules.mongo.conftest import judged

from dbtrust.engine.waiting import await_true
from dbtrust.monitor.rules.mongo.replication_members import RULE


def test_finds_a_member_that_nobody_reaches(three: Any) -> None:
    gone = {"_id": 9, "host": "127.0.0.1:1", "priority": 0, "votes": 0}
    three.reconfigure(lambda config: config["members"].append(gone))
    try:
        found: list[Any] = []

        def seen() -> bool:
            found[:] = [f for f in judged(RULE, three.look()) if f.severity == "error"]
            return bool(found)

        assert await_true(seen, 30)
        what = [n.what for n in three.look().not_examined]
    finally:
        three.reconfigure(lambda config: config["members"].pop())
    assert [f.subject for f in found] == ["server:127.0.0.1:1"]
    assert "member 127.0.0.1:1" in what


def test_finds_a_set_without_a_primary(three: Any) -> None:
    now = three.look()
    rows = tuple({**row, "state": "SECONDARY"} for row in now.sections["members"])
    found = judged(RULE, replace(now, sections={**now.sections, "members": rows}))
    assert [f.subject for f in found] == ["server:rs3"]


def test_is_silent_about_three_that_are_there(three: Any) -> None:
    assert judged(RULE, three.look()) == []
