"""Runners at once, and a runner paused past its lease; the long form is `python -m tests.crash --together 20`."""

from __future__ import annotations

from typing import Any

import pytest
from tests.crash.lab import Lab
from tests.crash.mongo_lab import MongoLab
from tests.crash.together import alone, paused, together


@pytest.mark.parametrize("engine", ["postgres", "mongo"])
def test_runners_at_once_apply_everything_once(engine: str, request: pytest.FixtureRequest) -> None:
    lab: Lab = request.getfixturevalue(f"{engine}_lab")
    assert list(together(lab, alone(lab), runners=5, turn=1)) == []


def test_a_paused_mongo_runner_loses_by_its_token(mongo_lab: MongoLab) -> None:
    def expire(name: str) -> None:
        """As if the lease's time were over."""
        ledger = mongo_lab.client[name].dbtrust_migration
        past: Any = [{"$set": {"until": {"$subtract": ["$$NOW", 1000]}}}]
        assert ledger.update_one({"_id": "lease"}, past).matched_count == 1

    assert list(paused(mongo_lab, expire, alone(mongo_lab))) == []


def test_a_paused_postgres_runner_loses_by_its_token(postgres_lab: Lab) -> None:
    """The lease of two seconds ends by itself."""
    assert list(paused(postgres_lab, lambda name: None, alone(postgres_lab))) == []
