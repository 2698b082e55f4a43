"""The verdicts of a migration, in the same words for both engines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
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
    """The migration's own statement failed: refuted at that statement.

    Unproved where it ran out of time, or where the server that was lent is to blame.
    """
    if reason := getattr(error, "unproved", ""):
        said = f"{what}: {error.message}"
        return verdict(
            migration, check, "unproved", said, reason=reason, next=error.next, location=error.location
        )
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
        return verdict(
            migration, check, "holds", f"the catalog is equal to {to}", evidence={"kind": "identical"}
        )
    return explained(migration, check, differences, to, location)


def explained(
    migration: Migration, check: str, differences: Sequence[Difference], to: str, location: Location = NOWHERE
) -> Verdict:
    """The catalog is not equal to an earlier one: every difference is named."""
    said = "; ".join(str(d) for d in differences[:5]) + (
        f"; and {len(differences) - 5} more" if len(differences) > 5 else ""
    )
    kind, words, step = kind_of(differences)
    evidence = {"kind": kind, "differences": [str(d) for d in differences]}
    return verdict(
        migration,
        check,
        "refuted",
        f"{words} from {to}: {said}",
        next=step,
        location=location,
        evidence=evidence,
    )


def kind_of(differences: Sequence[Difference]) -> tuple[str, str, str]:
    """The kind of what a down left, how a message begins, and the next step."""
    if only_column_order(tuple(differences)):
        step = (
            "columns can only be added at the end: keep the column, or make the table anew and copy its rows"
        )
        return "only column order", "only the order of columns differs", step
    if all(_label_left(d) for d in differences):
        step = "no statement removes a label: make the type anew without it, and let the columns change to it"
        return "irreversible", "the engine cannot take back a label of an enum: the catalog differs", step
    return "differs", "the catalog differs", "undo exactly what the up did"


def _label_left(difference: Difference) -> bool:
    """Is all that differs a label that an enum has more than before?"""
    if difference.kind != "type" or set(difference.fields) != {"labels"}:
        return False
    wanted, found = difference.fields["labels"]
    return [label for label in found or () if label in (wanted or ())] == list(wanted or ())


#: What a migration without a down is told.
NO_DOWN = "write its down"


def purpose(migration: Migration, error: DbtrustError) -> bool:
    """Did the down raise because it is written to? RAISE EXCEPTION without a SQLSTATE of another error, `raise` in Python."""
    if getattr(error, "raised", False):
        return True
    script = migration.down
    return (
        script is not None and getattr(error, "sqlstate", None) == "P0001" and "raise" in script.sql.lower()
    )


def down_verdicts(migration: Migration, error: DbtrustError) -> list[Verdict]:
    """migrate.down and migrate.up_again where the down raised: on purpose, or because it is wrong."""
    if purpose(migration, error):
        refused = refuses(migration, "migrate.down", error, "the down refuses on purpose")
        return [refused, unproved(migration, "migrate.up_again", "the down refuses on purpose", "no_down")]
    wrong = replace(failed(migration, "migrate.down", error, "the down failed"), evidence={"kind": "error"})
    return [wrong, unproved(migration, "migrate.up_again", "the down failed", "missing_object")]


def after_wrong_down(migration: Migration, check: str, error: DbtrustError | None = None) -> Verdict:
    """The second up did not end where the first did, behind a down that is refuted already: that is no fault of the up."""
    said = f"not judged: the down is wrong{f', and over what it leaves: {error.message}' if error is not None else ''}"
    return unproved(migration, check, said, "missing_object", "mend the down")


def refuses(migration: Migration, check: str, error: DbtrustError, what: str) -> Verdict:
    """The down raised because it is written to."""
    return verdict(
        migration, check, "unproved", f"{what}: {error.message}", reason="no_down", location=error.location,
        evidence={"kind": "refuses"},
    )  # fmt: skip


def unproved(
    migration: Migration, check: str, message: str, reason: str, next: str = "", kind: str = ""
) -> Verdict:
    """It could not be judged, and why."""
    return verdict(
        migration,
        check,
        "unproved",
        message,
        reason=reason,
        next=next,
        evidence={"kind": kind} if kind else {},
    )


def with_patch(found: Verdict, diff: str, statements: str) -> Verdict:
    """The verdict about a down with one that is proven: its diff, or, where no file has a place for it, its statements."""
    evidence = {**found.evidence, **({"patch": diff} if diff else {"statements": statements})}
    return replace(found, next=and_proven(found.next, diff or statements), evidence=evidence)


def and_proven(step: str, text: str) -> str:
    """The next step with the down that would do it."""
    return f"{step}; this one is proven:\n{text}" if step else f"this one is proven:\n{text}"


#: What is judged of every migration.
CHECKS = (
    "migrate.up", "migrate.down", "migrate.up_again", "migrate.drifted", "migrate.populated", "migrate.written",
)  # fmt: skip


def after_failure(migration: Migration, number: str, said: str = "", next: str = "") -> list[Verdict]:
    """A migration that stands behind one that failed, or of which `said` tells why it could not be applied for good."""
    message = f"migration {number} before it: {said}" if said else f"migration {number} before it failed"
    step = next or f"mend migration {number}"
    return [unproved(migration, c, message, "missing_object", step) for c in CHECKS]
