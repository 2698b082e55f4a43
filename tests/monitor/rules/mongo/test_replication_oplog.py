"""An oplog that reaches back too little."""

from __future__ import annotations

from typing import Any

from tests.monitor.rules.mongo.conftest import judged

from dbtrust.monitor.rules.mongo.replication_oplog import RULE


def test_finds_a_full_and_short_one(three: Any) -> None:
    with three.member(0) as client:
        for n in range(12):
            client.t.c.insert_one({"n": n, "data": b"x" * 1_000_000})
        client.t.c.drop()
    found = judged(RULE, three.look())
    assert f"server:127.0.0.1:{three.ports[0]}" in {f.subject for f in found}
    assert all(f.severity == "error" and f.evidence["window_ms"] < 3_600_000 for f in found)


def test_is_silent_about_one_that_is_not_full(mongo_url: str, look: Any) -> None:
    now = look()
    rows = now.sections["oplog"]
    assert rows[0]["window_ms"] >= 0 and rows[0]["max_bytes"] == 64 << 20
    # The other tests of this server may have filled it.
    assert rows[0]["bytes"] >= 0.8 * rows[0]["max_bytes"] or judged(RULE, now) == []
