"""What a database's ledger says about migrations, in the same words for both engines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from dbtrust.model.engine import Engine
from dbtrust.model.errors import FAILED, DbtrustError

#: The table and the collection that hold a ledger.
LEDGER = "dbtrust_migration"
#: The version of the ledger's own shape; a ledger of a later one is refused, not guessed at.
LEDGER_FORMAT = 1

#: "reverting": a down began and has not ended.
State = Literal["running", "done", "reverting"]
StepState = Literal["pending", "running", "done"]
#: How an entry came to be: run here, taken as the start, taken over from another tool, or marked by a person.
Origin = Literal["applied", "baseline", "adopted", "marked"]


@dataclass(frozen=True, slots=True)
class StepEntry:
    """One statement or step of a migration that is not one transaction; `step` counts from 1.

    `stored` is what undoing or resuming needs (an old specification, a batch cursor).
    """

    step: int
    text: str
    state: StepState
    checksum: str
    duration_ms: float | None = None
    at_least_once: bool = False
    stored: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Entry:
    """One migration as a ledger knows it. `number` orders, `written` is the number with its digits as written.

    `source` is the text that was applied (None where it was too long to keep, or was never known);
    `checksum` is of that text with line ends made LF and without a byte order mark.
    """

    number: int
    written: str
    name: str
    engine: Engine
    state: State
    origin: Origin
    checksum: str
    source: str | None = None
    who: str = ""
    dbtrust: str = ""
    at: datetime | None = None
    duration_ms: float | None = None
    steps: tuple[StepEntry, ...] = ()


class MigrationStopped(DbtrustError):
    """A migration failed, was refused or must be repaired. The message says what is left of it in the database."""

    code = FAILED


def unreadable(where: str, why: str = "") -> MigrationStopped:
    """The error for a table or collection of the ledger's name that is something else, or was changed by hand."""
    return MigrationStopped(
        f"{where} is no ledger that this dbtrust can read{why and ': '}{why}",
        next="rename it if it is yours, put back what was changed, or update dbtrust",
    )


#: What is told, and advised, where rows that this run has written are not there any more.
GONE = (
    "the ledger, or a part of it, was removed while migrations ran: somebody, or a migration itself, dropped, renamed"
    f" or deleted in {LEDGER}. What the migrations did is in force, and is not written down"
)
GONE_NEXT = (
    f"leave {LEDGER} alone in migrations; put it back from a backup, or say what is applied with dbtrust migrate"
    " baseline --to N"
)


def check_states(where: str, entry: Entry) -> None:
    """What a state means that is not known here nobody can say. Raises MigrationStopped."""
    said = [("state", entry.state, State), ("origin", entry.origin, Origin)]
    said += [(f"step {step.step}'s state", step.state, StepState) for step in entry.steps]
    for what, value, known in said:
        if value not in get_args(known):
            raise unreadable(where, f"migration {entry.written} has {what} {value!r}")
