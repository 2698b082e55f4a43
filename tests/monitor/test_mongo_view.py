"""The tables of a MongoDB snapshot."""

from __future__ import annotations

from typing import Any

import pytest

from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.monitor.mongo_view import view


def _setting(**other: Any) -> Row:
    return {"database": "shop", "level": 0, "slow_ms": 100, "filter": None, **other}


@pytest.mark.parametrize(
    ("settings", "note"),
    [
        ((_setting(),), "at least 100 ms each: what"),
        ((_setting(slow_ms=20),), "at least 20 ms each: what"),
        ((_setting(level=2),), "at least 100 ms each, everything in shop (level 2): what"),
        ((_setting(filter="{}"),), "at least 100 ms each, in shop what its own filter lets through: what"),
        ((), "what the profiler"),
    ],
)
def test_slow_operations_are_told_from_which_time_on(settings: tuple[Row, ...], note: str) -> None:
    sections = {"slow": (), "profiler_settings": settings}
    now = Snapshot("mongo", "2026-01-01T00:00:00+00:00", {"version": "6.0"}, sections)
    (listing,) = (item for item in view(now, None).listings if item.name == "slow_operations")
    assert listing.note.startswith(note)
