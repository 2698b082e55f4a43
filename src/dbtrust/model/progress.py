"""How long work tells where it is: a callback, so that nothing below cli prints."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called from any thread with a short present-tense line, for example "loading data: users"."""

    def __call__(self, message: str, /) -> None: ...


def silent(message: str, /) -> None:
    """A progress that says nothing."""
