"""Is a statement N times faster with an index? Interleaved pairs of times, and how sure their ratio is."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from dbtrust.model.report import Outcome

#: After so many pairs it is decided whether they are enough.
BATCHES = (7, 15, 31)
_RESAMPLES = 2_000
_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Ratio:
    """Median without the index by median with it, and the ends of its 95% bootstrap interval."""

    low: float
    ratio: float
    high: float

    def decide(self, claimed: float) -> Outcome:
        """holds where even the low end reaches what is claimed, refuted where the high end does not."""
        if self.low >= claimed:
            return "holds"
        return "refuted" if self.high < claimed else "unproved"


def ratio_of_medians(faster: Sequence[float], slower: Sequence[float], *, seed: int = 1) -> Ratio:
    """The interval by the percentile bootstrap (Efron 1979); each side is resampled on its own.

    Times are of one unit and above 0; both sides have at least one. The generator is seeded, so equal times
    give equal intervals.
    """
    random = Random(seed)
    ratios = sorted(
        statistics.median(random.choices(slower, k=len(slower)))
        / statistics.median(random.choices(faster, k=len(faster)))
        for _ in range(_RESAMPLES)
    )
    tail = int(_RESAMPLES * (1 - _CONFIDENCE) / 2)
    middle = statistics.median(slower) / statistics.median(faster)
    return Ratio(ratios[tail], middle, ratios[-1 - tail])
