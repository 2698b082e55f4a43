"""What the proof on the empty database came to, and the verdicts that follow from it over rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dbtrust.migrate.lossy import Declared, Loss
from dbtrust.migrate.misnamed import misnamed
from dbtrust.migrate.new_rows import NewRow
from dbtrust.migrate.verdicts import NO_DOWN, failed, purpose, unproved, verdict
from dbtrust.model.catalog import Catalog, Difference
from dbtrust.model.errors import DbtrustError
from dbtrust.model.project import Migration
from dbtrust.model.report import Verdict

#: So many losses and rows are shown.
MANY = 5


@dataclass(frozen=True, slots=True)
class Known:
    """What the proof on the empty database came to: the catalogs, and what the down left there."""

    before: Catalog
    after: Catalog
    left: Sequence[Difference] = ()
    down_failed: bool = False
    refuses: bool = False


def no_down(migration: Migration, check: str, known: Known) -> Verdict | None:
    """The verdict where there is nothing to run, or where it failed on the empty database already."""
    if migration.down is None:
        return unproved(migration, check, "it has no down", "no_down", NO_DOWN, kind="missing")
    if known.refuses:
        return unproved(migration, check, "the down refuses on purpose", "no_down", kind="refuses")
    if known.down_failed:
        return unproved(
            migration, check, "the down failed on the empty database", "missing_object", kind="error"
        )
    return None


def lossy_lines(migration: Migration) -> Iterable[str]:
    for script in (migration.up, migration.down):
        yield from script.lossy if script is not None else ()


def down_failed(
    migration: Migration,
    error: DbtrustError,
    what: str,
    check: str = "migrate.populated",
    row: NewRow | None = None,
) -> Verdict:
    rows = {"row": row.shown, "why": row.why or "an ordinary row"} if row is not None else {}
    if purpose(migration, error):
        message = f"{what}: it refuses on purpose: {error.message}"
        return verdict(
            migration, check, "unproved", message, reason="no_down", location=error.location,
            evidence={"kind": "refuses", **rows},
        )  # fmt: skip
    found = failed(migration, check, error, what)
    message = f"{found.message}{f'; the row: {row.shown}' if row is not None else ''}"
    step = "let the down bring such rows in order first, or raise on purpose"
    if getattr(error, "unproved", ""):
        step = error.next
    return verdict(
        migration, check, found.verdict, message, reason=found.reason, next=step, location=found.location,
        evidence={"kind": "error", **rows},
    )  # fmt: skip


def lossy_verdict(
    migration: Migration, check: str, undeclared: Sequence[Loss], kind: str, rows: Sequence[NewRow] = ()
) -> Verdict:
    said = "; ".join(str(loss) for loss in undeclared[:3])
    first = undeclared[0]
    what = f"column {first.label}.{first.columns[0]}" if first.columns else f"table {first.label}"
    evidence: dict[str, Any] = {
        "kind": kind, "lost": [str(loss) for loss in undeclared[:MANY]], "declared": False,
    }  # fmt: skip
    if rows:
        evidence["rows"] = [row.shown for row in rows[:MANY]]
    return verdict(
        migration, check, "refuted", f"{kind}: {said}",
        next=f"keep the rows in the down, or declare the loss: -- lossy: {what}",
        location=migration.down.location if migration.down is not None else migration.location, evidence=evidence,
    )  # fmt: skip


def with_unneeded(found: Verdict, declared: Declared, migration: Migration, known: Known) -> Verdict:
    """Declarations that nothing needs are told beside the verdict; one of an object that is not there, or that no script
    touches, refutes it."""
    wrong = [
        why for line in declared.unneeded if (why := misnamed(line, migration, known.before, known.after))
    ]
    if wrong and found.verdict in ("holds", "not_applicable", "refuted"):
        step = f"mend or remove the line; {found.next}".removesuffix("; ")
        said = f"{'; '.join(wrong)}; {found.message}" if found.verdict == "refuted" else "; ".join(wrong)
        kind = found.evidence.get("kind") if found.verdict == "refuted" else "misnamed"
        evidence = {**found.evidence, "kind": kind, "not needed": declared.unneeded}
        return replace(found, verdict="refuted", message=said, next=step, evidence=evidence)
    told: dict[str, list[str]] = {}
    said = found.message
    if bad := declared.malformed:
        told["not read"] = bad
        said += f"; -- lossy: {'; '.join(bad)} names no column, table or constraint"
    if (unneeded := declared.unneeded) and found.verdict not in ("unproved", "not_applicable"):
        told["not needed"] = unneeded
        said += f"; nothing needs -- lossy: {'; '.join(unneeded)}"
    return replace(found, message=said, evidence={**found.evidence, **told}) if told else found


def other_differences(found: Sequence[Difference], known: Sequence[Difference]) -> list[Difference]:
    """Differences that the empty database did not show."""
    told = {str(d) for d in known}
    return [d for d in found if str(d) not in told]
