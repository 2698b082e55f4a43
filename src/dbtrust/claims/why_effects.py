"""From a claim judged over every example to what a change did to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from dbtrust.judge.claims import Judged
from dbtrust.model.why import Effect


class Labelled(Protocol):
    """An example by its label."""

    @property
    def label(self) -> str: ...


def summary(results: Sequence[tuple[Labelled, Judged]]) -> tuple[Effect, str]:
    """Does the claim hold in all examples, in some, in none? With the message of the first that fails."""
    bad = [(one, judged) for one, judged in results if judged.outcome != "holds"]
    if not bad:
        return "flips", results[0][1].message
    label = f"example {bad[0][0].label}: " if len(results) > 1 and bad[0][0].label else ""
    return ("partly" if len(bad) < len(results) else "no"), f"{label}{bad[0][1].message}"
