"""Sizes and times as a person writes them."""

from __future__ import annotations


def size(count: float) -> str:
    """1.5 MB."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if abs(count) < 1024:
            return f"{count:.0f} {unit}" if unit in ("bytes", "kB") else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TB"


def duration(ms: float) -> str:
    """3 min."""
    for limit, unit, each in ((1e3, "ms", 1), (6e4, "s", 1e3), (3.6e6, "min", 6e4), (8.64e7, "h", 3.6e6)):
        if ms < limit:
            return f"{ms / each:.0f} {unit}"
    return f"{ms / 8.64e7:.0f} days"
