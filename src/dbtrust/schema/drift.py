"""schema.drift: what the project declares against a live database, as verdicts. What is true for either engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dbtrust.model.catalog import Difference
from dbtrust.model.engine import Engine
from dbtrust.model.location import NOWHERE, Location
from dbtrust.model.report import Outcome, Verdict

CHECK = "schema.drift"
#: Longer values are cut in messages; the evidence has them whole.
_LONG = 120


@dataclass(frozen=True, slots=True)
class Live:
    """The database that is judged: its project, its own name, its server's version, that of the declared side's."""

    engine: Engine
    project: str
    database: str = ""
    version: str = ""
    declared_on: str = ""


def _data(live: Live) -> dict[str, str]:
    return {"database": live.database, "server": live.version, "declared_on": live.declared_on}


def whole(
    live: Live,
    outcome: Outcome,
    message: str,
    *,
    reason: str = "",
    next: str = "",
    evidence: Mapping[str, Any] = {},
) -> Verdict:
    """The verdict about the whole database, where nothing can be said of one object."""
    told = {"data": _data(live)} if live.database else {}
    return Verdict(
        CHECK, live.engine, f"database:{live.project}", outcome, message, reason=reason, next=next,
        evidence=told | dict(evidence),
    )  # fmt: skip


def equal(live: Live, count: int, what: str, left_out: int) -> Verdict:
    """No difference among `count` objects; it proves the whole only where nothing was left out."""
    message, told = f"{count:,} {what}, no difference", {"objects": count}
    if not left_out:
        return whole(live, "holds", message, evidence=told)
    message += f" in what could be read; {left_out} not examined"
    step = "give the role the rights that stand under not examined"
    return whole(live, "unproved", message, reason="undecided", next=step, evidence=told)


def drifted(
    live: Live, subject: str, difference: Difference, repair: str, order: int, *, destructive: bool = False,
    location: Location = NOWHERE, evidence: Mapping[str, Any] = {},
) -> Verdict:  # fmt: skip
    """One object that differs. `repair` is a script that nobody has run; `order` is its place among all repairs."""
    told = {
        "data": _data(live),
        "object": {"change": difference.change, "kind": difference.kind, "name": difference.name},
        "fields": {key: {"expected": a, "found": b} for key, (a, b) in difference.fields.items()},
        "repair": repair, "order": order, "destructive": destructive,
    }  # fmt: skip
    place = NOWHERE if difference.change == "extra" else location
    return Verdict(
        CHECK, live.engine, subject, "refuted", _said(difference), next=repair, location=place,
        evidence=told | dict(evidence),
    )  # fmt: skip


def by_version(verdict: Verdict, live: Live) -> Verdict:
    """The same as unproved: servers of different majors write these texts differently."""
    message = (
        f"{verdict.message}; declared was built on PostgreSQL {live.declared_on}, and {live.version} may write the same "
        "differently"
    )
    major = live.version.partition(".")[0]
    step = f"install PostgreSQL {major} (DBTRUST_POSTGRES_BIN), or compare by hand: {verdict.next}"
    return replace(verdict, verdict="unproved", reason="version", message=message, next=step)


def _said(difference: Difference) -> str:
    match difference.change:
        case "missing":
            return f"the {difference.kind} is declared and missing in the database"
        case "extra":
            return f"the {difference.kind} is in the database and nothing declares it"
        case "changed":
            return "; ".join(
                f"{key}: expected {_short(a)}, found {_short(b)}" for key, (a, b) in difference.fields.items()
            )


def _short(value: Any) -> str:
    text = "nothing" if value is None else value if isinstance(value, str) else repr(value)
    text = " ".join(text.split())
    return text if len(text) <= _LONG else f"{text[:_LONG]}…"
