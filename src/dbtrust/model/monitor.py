"""What `monitor` shows beside its findings: tables for the views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dbtrust.model.plan import Engine

#: How a column's values are written: sizes in bytes, times in ms, shares 0 to 1; "name" is an object's name.
Unit = Literal["text", "name", "code", "count", "bytes", "ms", "share", "per_second", "time"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a listing: the key in its rows, the heading and the unit."""

    key: str
    title: str
    unit: Unit = "text"


@dataclass(frozen=True, slots=True)
class Listing:
    """A table of a view: the worst rows first; `total` rows there were before it was cut, `note` is a caution."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Mapping[str, Any], ...]
    total: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class EngineView:
    """One engine: when it was read, since when its counters count (None: unknown), and its tables.

    `seconds` is the length of that period. `facts` are single values of the server for the head of a page.
    """

    engine: Engine
    taken_at: str
    since: str | None
    seconds: float | None
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    listings: tuple[Listing, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "taken_at": self.taken_at, "since": self.since, "seconds": self.seconds, "facts": dict(self.facts),
            "listings": [_listing(listing) for listing in self.listings],
        }  # fmt: skip


def _listing(listing: Listing) -> dict[str, Any]:
    return {
        "name": listing.name, "title": listing.title, "note": listing.note, "total": listing.total,
        "columns": [{"key": c.key, "title": c.title, "unit": c.unit} for c in listing.columns],
        "rows": [dict(row) for row in listing.rows],
    }  # fmt: skip
