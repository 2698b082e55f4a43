"""What was seen while a command ran: statements and commands, one execution each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Executed:
    """One PostgreSQL statement that ran to its end. `text` is what the client sent: it may hold several.

    `session` tells connections apart; `parameters` are the values of $1 … as texts, None for NULL, and None
    altogether where the log does not tell them. `kind` is the plan's root or its operation ("Insert"), `rows`
    what the root returned, `cost` its total, `relations` are (schema, name) of the plan.
    """

    text: str
    session: str
    parameters: tuple[str | None, ...] | None
    kind: str
    rows: float
    cost: float
    relations: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Sent:
    """One MongoDB command as the profiler kept it: `command` as a driver would send it, without its envelope.

    `examined` are keys and documents, `returned` documents.
    """

    command: Mapping[str, Any]
    returned: float
    examined: float


@dataclass(frozen=True, slots=True)
class Lost:
    """What is not recorded, with the reason and the next step."""

    what: str
    reason: str
    next: str
    executions: int


@dataclass(slots=True)
class Drafted:
    """The new text of a file (relative to the project), its queries, and what is not in it.

    A query is {engine, subject, state, claims, examples, executions}; `passed` counts by reason the executions
    that are no matter of the project.
    """

    file: str
    text: str
    queries: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    lost: list[Lost] = field(default_factory=list[Lost])
    notes: list[str] = field(default_factory=list[str])
    passed: dict[str, int] = field(default_factory=dict[str, int])
