"""The short form of `python -m tests.crash`: one round for each engine, runners and servers killed in turn."""

from __future__ import annotations

import pytest
from tests.crash.lab import Lab
from tests.crash.rounds import Round, histogram, reference


@pytest.mark.parametrize("engine", ["postgres", "mongo"])
def test_whatever_is_killed_the_next_command_finishes(engine: str, request: pytest.FixtureRequest) -> None:
    lab: Lab = request.getfixturevalue(f"{engine}_lab")
    known = reference(lab)
    assert known.count == 30
    outcome = Round(lab, known, 5, ["runner", "server"], 0.6).run()
    print(*histogram(outcome.kills), sep="\n")
    assert outcome.problems == []
    assert outcome.kills, "every kill came too late"
