"""The tables of both engines' views."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from dbtrust.model.monitor import Column, Listing
from dbtrust.model.snapshot import Row

#: Rows that a table has at most.
_MOST = 20


def listing(name: str, title: str, columns: Sequence[Column], rows: Iterable[Row], note: str = "") -> Listing:
    """The first rows with the columns that are shown; `total` counts them all."""
    kept = list(rows)
    keys = [column.key for column in columns]
    cut = tuple({key: row.get(key) for key in keys} for row in kept[:_MOST])
    return Listing(name, title, tuple(columns), cut, len(kept), note)


def most(rows: Iterable[Row], measure: Callable[[Row], Any]) -> list[Row]:
    """The rows with the greatest first; None counts as 0."""
    return sorted(rows, key=lambda row: measure(row) or 0, reverse=True)
