"""What `claims why` found: for each claim the plan that was chosen, the claimed one, and what would change the choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dbtrust.model.plan import Engine, Plan
from dbtrust.model.report import ServerInfo

#: flips: the claim then holds in every example and sample; partly: in some; no: in none; failed: not possible here.
Effect = Literal["flips", "partly", "no", "failed"]


@dataclass(frozen=True, slots=True)
class Change:
    """One change that was really made on a copy and what came of it.

    `statements` make it: SQL, or MongoDB commands as JSON. `proves` is the reason that the claimed plan cannot
    be had without it, where making the change showed it. `breaks` names claims of the query that then fail.
    `warning` is what the change may do to writes.
    """

    kind: str
    title: str
    effect: Effect
    message: str
    statements: tuple[str, ...] = ()
    cost: float | None = None
    proves: str = ""
    breaks: tuple[str, ...] = ()
    plan: Plan | None = None
    warning: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind, "title": self.title, "effect": self.effect, "message": self.message,
            "statements": list(self.statements), "cost": self.cost, "proves": self.proves,
            "breaks": list(self.breaks), "warning": self.warning, "plan": self.plan.to_dict() if self.plan else None,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another plan, and how it was had: settings turned off, indexes hidden, or a hint.

    `satisfies` tells whether the claim holds over it. `works` are MongoDB's units of work.
    """

    plan: Plan
    forced_by: tuple[str, ...]
    satisfies: bool
    works: int | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "forced_by": list(self.forced_by), "satisfies": self.satisfies, "works": self.works,
            "plan": self.plan.to_dict(),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one claim has its verdict. `pairs` are the (chosen, other) node ids of the alignment, None for no partner.

    `parting` is the row of `pairs` where the trees first differ. `impossible` are reasons, each proven on the
    server. `rejected` are the plans that MongoDB itself tried and left.
    """

    claim: str
    verdict: str
    message: str
    example: str = ""
    chosen: Plan | None = None
    chosen_works: int | None = None
    other: Alternative | None = None
    pairs: tuple[tuple[int | None, int | None], ...] = ()
    parting: int | None = None
    impossible: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()
    rejected: tuple[Plan, ...] = ()
    next: str = ""

    @property
    def smallest(self) -> Change | None:
        """The first change that makes the claim hold, if possible without breaking another; the smallest stand first."""
        flips = [change for change in self.changes if change.effect == "flips"]
        return next((change for change in flips if not change.breaks), flips[0] if flips else None)

    @property
    def margin(self) -> float | None:
        """How many times what the chosen plan costs the other one does (works on MongoDB)."""
        if self.chosen is None or self.other is None:
            return None
        mine = self.chosen_works or self.chosen.totals.get("cost")
        theirs = self.other.works or self.other.plan.totals.get("cost")
        return round(theirs / mine, 2) if mine and theirs else None

    def to_dict(self) -> dict[str, Any]:
        smallest = self.smallest
        return {
            "claim": self.claim, "verdict": self.verdict, "message": self.message, "example": self.example,
            "chosen": None if self.chosen is None else {"works": self.chosen_works, "plan": self.chosen.to_dict()},
            "other": self.other.to_dict() if self.other else None,
            "margin": self.margin, "pairs": [list(pair) for pair in self.pairs], "parting": self.parting,
            "impossible": list(self.impossible), "changes": [change.to_dict() for change in self.changes],
            "smallest": self.changes.index(smallest) if smallest else None,
            "notes": list(self.notes), "rejected": [plan.to_dict() for plan in self.rejected], "next": self.next,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Why:
    """The answer of one `claims why`; `data` is what the plans were made over: rows, day, settings, server."""

    project: str
    engine: Engine
    subject: str
    server: ServerInfo
    explanations: tuple[Explanation, ...]
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def to_dict(self) -> dict[str, Any]:
        return {
            "project": self.project, "engine": self.engine,
            "subject": self.subject,
            "server": {"version": self.server.version, "embedded": self.server.embedded},
            "data": dict(self.data), "explanations": [item.to_dict() for item in self.explanations],
        }  # fmt: skip
