"""The short form of `python -m tests.crash`: for each engine one round that kills runners, one that kills servers."""

from __future__ import annotations

import pytest
from tests.crash.lab import Lab
from tests.crash.rounds import Round, histogram, reference


@pytest.mark.parametrize("engine", ["postgres", "mongo"])
def test_whatever_is_killed_the_next_command_finishes(engine: str, request: pytest.FixtureRequest) -> None:
    lab: Lab = request.getfixturevalue(f"{engine}_lab")
    known = reference(lab)
    assert known.count == 30
    outcomes = [Round(lab, known, 1, "runner", 0.6).run(), Round(lab, known, 2, "server", 0.6).run()]
    kills = [kill for outcome in outcomes for kill in outcome.kills]
    print(*histogram(kills), sep="\n")
    assert [problem for outcome in outcomes for problem in outcome.problems] == []
    assert kills, "every kill came too late"
