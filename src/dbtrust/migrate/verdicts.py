"""The verdicts of a migration, in the same words for both engines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dbtrust.judge.catalog import only_column_order
from dbtrust.model.catalog import Difference
from dbtrust.model.errors import DbtrustError
from dbtrust.model.location import NOWHERE, Location
from dbtrust.model.project import Migration
from dbtrust.model.report import Outcome, Verdict


def verdict(
    migration: Migration, check: str, outcome: Outcome, message: str, *, reason: str = "", next: str = "", claim: str = "",
    location: Location = NOWHERE, evidence: dict[str, Any] | None = None,
) -> Verdict:  # fmt: skip
    """One verdict about a migration, at its file unless a closer place is known."""
    place = location if location.file else migration.location
    return Verdict(
        check, migration.engine, migration.subject, outcome, message, claim=claim, reason=reason, next=next,
        evidence=evidence or {}, location=place,
    )  # fmt: skip


def failed(migration: Migration, check: str, error: DbtrustError, what: str) -> Verdict:
    """The migration's own statement failed: refuted at that statement (unproved where it ran out of time)."""
    if getattr(error, "timeout", False):
        return verdict(
            migration,
            check,
            "unproved",
            f"{what}: {error.message}",
            reason="timeout",
            location=error.location,
        )
    return verdict(
        migration, check, "refuted", f"{what}: {error.message}", next=error.next, location=error.location
    )


def compared(
    migration: Migration, check: str, differences: Sequence[Difference], to: str, location: Location = NOWHERE
) -> Verdict:
    """The catalog is equal to an earlier one, or it is not and every difference is named."""
    if not differences:
        return verdict(migration, check, "holds", f"the catalog is equal to {to}")
    said = "; ".join(str(d) for d in differences[:5]) + (
        f"; and {len(differences) - 5} more" if len(differences) > 5 else ""
    )
    kind = (
        "only the order of columns differs"
        if only_column_order(tuple(differences))
        else "the catalog differs"
    )
    evidence = {"differences": [str(d) for d in differences]}
    return verdict(
        migration, check, "refuted", f"{kind} from {to}: {said}", next="undo exactly what the up did", location=location,
        evidence=evidence,
    )  # fmt: skip


def unproved(migration: Migration, check: str, message: str, reason: str, next: str = "") -> Verdict:
    """It could not be judged, and why."""
    return verdict(migration, check, "unproved", message, reason=reason, next=next)


def after_failure(migration: Migration, number: str) -> list[Verdict]:
    """A migration that stands behind one that failed."""
    message = f"migration {number} before it failed"
    return [
        unproved(migration, c, message, "missing_object", f"mend migration {number}")
        for c in ("migrate.up", "migrate.down", "migrate.up_again", "migrate.drifted")
    ]
