"""Votes that win nothing."""

from __future__ import annotations

from typing import Any

from tests.monitor.rules.mongo.conftest import judged

from dbtrust.monitor.rules.mongo.replication_votes import RULE


def test_finds_two_votes(three: Any) -> None:
    three.reconfigure(lambda config: config["members"][2].update(votes=0))
    try:
        found = judged(RULE, three.look())
    finally:
        three.reconfigure(lambda config: config["members"][2].update(votes=1))
    assert [f.subject for f in found] == ["server:rs3"] and found[0].evidence["votes"] == 2


def test_is_silent_about_three_and_one(three: Any, look: Any) -> None:
    assert judged(RULE, three.look()) == [] and judged(RULE, look()) == []
