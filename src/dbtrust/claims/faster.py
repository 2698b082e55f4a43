"""`at least Nx faster than without INDEX`: pairs of executions, with the index and with it out of sight.

What measures a pair is an engine's own; how many pairs are enough, and what their ratio proves, is the same.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dbtrust.judge.claims import Judged
from dbtrust.judge.speed import BATCHES, Ratio, ratio_of_medians
from dbtrust.model.plan import Plan

#: After this much measuring no further batch is begun.
BUDGET_S = 20.0


class NotMeasured(Exception):
    """The statement cannot be measured without the index; `reason` is a reason word of the report."""

    def __init__(self, reason: str, message: str, next: str = "") -> None:
        super().__init__(message)
        self.reason, self.message, self.next = reason, message, next


@dataclass(frozen=True, slots=True)
class Timed:
    """One execution: milliseconds and what it read (blocks on PostgreSQL, keys and documents on MongoDB)."""

    ms: float
    reads: Mapping[str, float]
    plan: Plan | None = None


@dataclass(slots=True)
class _Pairs:
    seen: list[Timed] = field(default_factory=list[Timed])
    hidden: list[Timed] = field(default_factory=list[Timed])

    def ratio(self) -> Ratio:
        return ratio_of_medians([_ms(t) for t in self.seen], [_ms(t) for t in self.hidden])


def _ms(timed: Timed) -> float:
    """No execution takes no time: the server's clock shows microseconds."""
    return max(timed.ms, 0.001)


def judge_faster(claimed: float, index: str, pair: Callable[[], tuple[Timed, Timed]]) -> Judged:
    """`pair` runs the statement once with the index and once without it and may raise NotMeasured."""
    try:
        pairs = _measure(claimed, pair)
    except NotMeasured as why:
        message = f"it cannot be measured without {index}: {why.message}"
        return Judged("unproved", message, why.reason, next=why.next)
    ratio = pairs.ratio()
    outcome = ratio.decide(claimed)
    sides = f"{_median(pairs.seen):g} ms with {index}, {_median(pairs.hidden):g} ms without it"
    message = (
        f"{ratio.ratio:.3g}x faster (95% interval {ratio.low:.3g} to {ratio.high:.3g}): {sides}, "
        f"{len(pairs.seen)} pairs, {_reads(pairs)}"
    )
    if outcome == "unproved":
        message = f"{message}: {_number(claimed)}x lies inside the interval"
        return Judged(
            outcome, message, "undecided", found=_evidence(pairs, ratio), next="claim less, or run on a quieter machine"
        )  # fmt: skip
    if outcome == "refuted":
        message = f"{message}; claimed at least {_number(claimed)}x"
    return Judged(outcome, message, found=_evidence(pairs, ratio))


def _measure(claimed: float, pair: Callable[[], tuple[Timed, Timed]]) -> _Pairs:
    """A pair that does not count, so that both sides find warm buffers, then batches until it is decided."""
    pair()
    pairs, started = _Pairs(), time.monotonic()
    for batch in BATCHES:
        while len(pairs.seen) < batch:
            seen, hidden = pair()
            pairs.seen.append(seen)
            pairs.hidden.append(hidden)
        if pairs.ratio().decide(claimed) != "unproved" or time.monotonic() - started > BUDGET_S:
            break
    return pairs


def _number(value: float) -> str:
    return f"{value:,.0f}" if value.is_integer() else f"{value:g}"


def _median(side: Sequence[Timed]) -> float:
    return round(statistics.median(t.ms for t in side), 3)


def _reads(pairs: _Pairs) -> str:
    last, other = pairs.seen[-1].reads, pairs.hidden[-1].reads
    return ", ".join(f"{last[name]:g} {name} against {other.get(name, 0):g}" for name in last)


def _evidence(pairs: _Pairs, ratio: Ratio) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ratio": round(ratio.ratio, 3), "low": round(ratio.low, 3), "high": round(ratio.high, 3),
        "pairs": len(pairs.seen), "with_ms": _median(pairs.seen), "without_ms": _median(pairs.hidden),
        "with_reads": dict(pairs.seen[-1].reads), "without_reads": dict(pairs.hidden[-1].reads),
    }  # fmt: skip
    hidden = pairs.hidden[-1].plan
    return found | ({"plan_without": hidden.to_dict()} if hidden is not None else {})
