"""Decorators that keep claims, examples and proofs beside the Python that they speak of."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Mark:
    """What a decorator said, and the file and line of its call."""

    file: str
    line: int
    text: str = ""
    values: dict[str, Any] = field(default_factory=dict[str, Any])


def _marks(texts: tuple[str, ...]) -> list[Mark]:
    frame = sys._getframe(2)  # pyright: ignore[reportPrivateUsage]
    return [Mark(frame.f_code.co_filename, frame.f_lineno, text) for text in texts]


def _mark(text: str = "", values: dict[str, Any] | None = None) -> Mark:
    frame = sys._getframe(2)  # pyright: ignore[reportPrivateUsage]
    return Mark(frame.f_code.co_filename, frame.f_lineno, text, values or {})


def _adder(attribute: str, marks: list[Mark]) -> Callable[[F], F]:
    def add(function: F) -> F:
        # Decorators run from the bottom up: the upper lines come first again.
        setattr(function, attribute, [*marks, *getattr(function, attribute, [])])
        return function

    return add


def _refuse_other(name: str, *texts: object) -> None:
    """A list, a number, or the function itself where the brackets are missing would be no mark at all."""
    for text in texts:
        if not isinstance(text, str):
            said = "the function: write its text in brackets" if callable(text) else repr(text)
            raise TypeError(f"@{name} takes texts, not {said}")


def claim(*claims: str) -> Callable[[F], F]:
    """Claims about the plans of a MongoQueries method, one text each (docs/claims.md). Raises TypeError."""
    _refuse_other("claim", *claims)
    return _adder("__dbtrust_claims__", _marks(claims))


def example(label: str = "", /, **values: Any) -> Callable[[F], F]:
    """Arguments to run a MongoQueries method with. Raises TypeError for a label that is no text."""
    _refuse_other("example", label)
    return _adder("__dbtrust_examples__", [_mark(label, values)])


def proof(claim: str) -> Callable[[F], F]:
    """Makes `def name(db)` of a proofs module a proof: "true" or "refused CODE [on path]". Raises TypeError."""
    _refuse_other("proof", claim)
    return _adder("__dbtrust_proof__", [_mark(claim)])
