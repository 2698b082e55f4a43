"""From which time on a server calls an operation slow, and so which ones nobody can see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dbtrust.engine.mongo.monitor_ask import Rows
from dbtrust.engine.mongo.monitor_members import Member
from dbtrust.engine.mongo.profiler import settings
from dbtrust.model.report import NotExamined
from dbtrust.model.snapshot import Row

#: What the profiler keeps while dbtrust has it on, in ms: the server's own default for slow operations.
SLOW_MS = 100


def read_thresholds(members: Sequence[Member], database: str) -> Rows:
    """{member, slow_ms, sample_rate}: a process has one of each, for its log as well. Raises PyMongoError."""
    found = [(member.name, settings(member.ask, database)) for member in members]
    return [{"member": name, "slow_ms": f.slowms, "sample_rate": f.sample_rate} for name, f in found]


def hidden(sections: Mapping[str, Sequence[Row]], profiled: float) -> Iterator[NotExamined]:
    """What is slow and cannot be seen, by the servers' settings; `profiled`: seconds of dbtrust's own profiling."""
    rows = sections.get("profiler_settings", ())
    for row in rows:
        if row["filter"]:
            yield NotExamined(
                f"slow operations in {row['database']} that its profiler's filter hides",
                f"no filter there: it is {row['filter']}",
            )
    # A database of level 2 keeps every operation, whatever is slow elsewhere.
    if rows and all(row["level"] == 2 and not row["filter"] for row in rows):
        return
    window = f", {profiled:g} seconds of the profiler apart" if profiled else ""
    for row in sections.get("thresholds", ()):
        yield from _hidden_on(row, window)


def _hidden_on(row: Row, window: str) -> Iterator[NotExamined]:
    slow, rate = row["slow_ms"], row["sample_rate"]
    if slow > SLOW_MS:
        needs = f"slowms of {SLOW_MS}: it is {slow} on {row['member']}{window}"
        yield NotExamined(f"slow operations under {slow} ms", needs)
    if rate < 1:
        yield NotExamined(
            f"{1 - rate:.0%} of the slow operations",
            f"sampleRate of 1: it is {rate:g} on {row['member']}{window}",
        )
