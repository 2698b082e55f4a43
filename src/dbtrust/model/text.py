"""Texts for people."""

from __future__ import annotations

#: So many characters of what a server or a grammar says are kept.
LONGEST = 1_000
#: A password of fewer characters is part of common words: it is hidden where a password stands, not wherever it occurs.
LEAST_SECRET = 4


def shortened(message: str) -> str:
    """A server quotes the token that it does not know, and a file of one word may have millions of letters."""
    return message if len(message) <= LONGEST else f"{message[:LONGEST]}…"
