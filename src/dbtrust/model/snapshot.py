"""The counters of one server at one time: plain data, complete enough to be judged without the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dbtrust.model.engine import Engine
from dbtrust.model.progress import Progress, silent
from dbtrust.model.report import NotExamined

#: The version of a snapshot file; a file of a later one is refused, not guessed at.
SNAPSHOT_FORMAT = 1

#: One row of a section: JSON-like values, times as ISO 8601 text in UTC, sizes in bytes, durations in ms.
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`server` holds version, start time, role and what else is one value; `sections` hold rows by name.

    A section that could not be read is absent from `sections` and stands in `not_examined`.
    """

    engine: Engine
    taken_at: str
    server: Mapping[str, Any]
    sections: Mapping[str, tuple[Row, ...]] = field(default_factory=dict[str, "tuple[Row, ...]"])
    not_examined: tuple[NotExamined, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a server is read. `earlier`: an older snapshot of it, whose statement texts are not fetched again.

    `timeout_ms` bounds each thing that is sent. The others are MongoDB's: `profiler` may be switched on, for
    `profile_seconds`; `sample_docs` documents of each collection are looked at, 0 for none.
    """

    earlier: Snapshot | None = None
    timeout_ms: int = 30_000
    profiler: bool = True
    profile_seconds: float = 3.0
    sample_docs: int = 100
    progress: Progress = silent
