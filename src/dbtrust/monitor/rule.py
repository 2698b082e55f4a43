"""One diagnostic: what it needs of a snapshot, and how it decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dbtrust.model.engine import Engine
from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot

#: Judges one snapshot; the earlier one, where there is one, makes the time between them the period.
Decide = Callable[[Snapshot, Snapshot | None], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Rule:
    """`needs` are the sections without which it is not examined; `in_check`: true of a scratch server, too.

    The page docs/rules/`id`.md says what it means, when it is wrong and what to do.
    """

    id: str
    engine: Engine
    title: str
    needs: tuple[str, ...]
    decide: Decide
    in_check: bool = False
