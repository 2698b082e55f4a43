"""The declared end state: it applies, it applies again, and it is what the history builds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import psycopg

from dbtrust.engine.postgres.catalog import snapshot
from dbtrust.engine.postgres.footprints import ChangesServer, Footprint
from dbtrust.judge.catalog import diff
from dbtrust.model.catalog import Catalog, Difference
from dbtrust.model.errors import DbtrustError
from dbtrust.model.location import Location
from dbtrust.model.report import Outcome, Verdict
from dbtrust.source.find import find_name
from dbtrust.source.migrations import read_scripts
from dbtrust.stage.lent_server import run_declared
from dbtrust.stage.skipped import SkipWatch

Fresh = Callable[[], AbstractContextManager[psycopg.Connection[Any]]]


def judge_declared_postgres(
    fresh: Fresh,
    files: Sequence[tuple[str, str]],
    migrated: Catalog | None,
    *,
    history: bool,
    footprint: Callable[[], Footprint | None],
) -> list[Verdict]:
    """schema.applies, schema.reapplies and schema.matches_migrations of each file, on one empty database.

    `migrated` is the catalog that the history builds, None where it could not be built; `footprint` makes one
    for the database of `fresh`.
    """
    verdicts: list[Verdict] = []
    owners: dict[tuple[str, str], str] = {}
    with fresh() as connection:
        declared, outside = snapshot(connection), footprint()
        for file, text in files:
            verdicts.append(_applies(connection, file, text, outside))
            if _is_rerunnable(text, file):
                verdicts.append(_reapplies(connection, file, text, outside))
            later = snapshot(connection)
            owners |= {(d.kind, d.name): file for d in diff(declared, later)}
            declared = later
    if history:
        verdicts += _matches(
            files, owners, declared, migrated, whole=all(v.verdict == "holds" for v in verdicts)
        )
    return verdicts


def _is_rerunnable(text: str, file: str) -> bool:
    try:
        return read_scripts(text, file)[0].rerunnable
    except DbtrustError:
        return False


def _verdict(
    check: str,
    file: str,
    outcome: Outcome,
    message: str,
    *,
    place: Location | None = None,
    next: str = "",
    reason: str = "",
    evidence: dict[str, Any] | None = None,
) -> Verdict:
    location = place if place and place.file else Location(file, 1, 1)
    return Verdict(
        check,
        "postgres",
        f"file:{file}",
        outcome,
        message,
        reason=reason,
        next=next,
        evidence=evidence or {},
        location=location,
    )


def _applies(connection: psycopg.Connection[Any], file: str, text: str, outside: Footprint | None) -> Verdict:
    skipped = SkipWatch(connection)
    try:
        run_declared(connection, text, file, outside, skipped)
    except DbtrustError as error:
        return _refused("schema.applies", file, error, "it does not apply")
    if skipped.hidden:
        first = skipped.hidden[0]
        message = f"IF NOT EXISTS kept another definition: {first.differences[0]}"
        evidence = {"differences": [str(d) for s in skipped.hidden for d in s.differences]}
        return _verdict(
            "schema.applies",
            file,
            "refuted",
            message,
            place=first.location,
            next="leave out IF NOT EXISTS",
            evidence=evidence,
        )
    return _verdict("schema.applies", file, "holds", "applied to an empty database")


def _refused(check: str, file: str, error: DbtrustError, what: str) -> Verdict:
    if isinstance(error, ChangesServer):
        return _verdict(
            check,
            file,
            "unproved",
            error.message,
            place=error.location,
            reason=error.unproved,
            next=error.next,
        )
    if getattr(error, "timeout", False):
        return _verdict(
            check, file, "unproved", f"{what}: {error.message}", place=error.location, reason="timeout"
        )
    return _verdict(check, file, "refuted", f"{what}: {error.message}", place=error.location, next=error.next)


def _reapplies(
    connection: psycopg.Connection[Any], file: str, text: str, outside: Footprint | None
) -> Verdict:
    before = snapshot(connection)
    try:
        run_declared(connection, text, file, outside)
    except DbtrustError as error:
        return _refused("schema.reapplies", file, error, "it does not apply a second time")
    differences = diff(before, snapshot(connection))
    if differences:
        evidence = {"differences": [str(d) for d in differences]}
        return _verdict(
            "schema.reapplies",
            file,
            "refuted",
            f"the second time changes: {differences[0]}",
            evidence=evidence,
        )
    return _verdict("schema.reapplies", file, "holds", "applied twice, the catalog is equal")


def _matches(
    files: Sequence[tuple[str, str]],
    owners: dict[tuple[str, str], str],
    declared: Catalog,
    migrated: Catalog | None,
    *,
    whole: bool,
) -> list[Verdict]:
    """Each difference belongs to the file that made the object, one that only the history has to the first file."""
    check = "schema.matches_migrations"
    if migrated is None or not whole:
        why = "the history could not be built" if migrated is None else "the declared schema does not apply"
        return [_verdict(check, file, "unproved", why, reason="missing_object") for file, _ in files]
    by_file: dict[str, list[Difference]] = {file: [] for file, _ in files}
    for difference in diff(migrated, declared):
        by_file[owners.get((difference.kind, difference.name), files[0][0])].append(difference)
    return [_match(check, file, text, by_file[file]) for file, text in files]


def _match(check: str, file: str, text: str, differences: list[Difference]) -> Verdict:
    if not differences:
        return _verdict(check, file, "holds", "equal to what the migrations build")
    first = differences[0]
    place = find_name(first.name.split("(")[0].rsplit(".", 1)[-1], [(file, text)])
    said = "; ".join(str(d) for d in differences[:5])
    evidence = {"differences": [str(d) for d in differences]}
    step = "write the migration that is missing, or mend the declared file"
    return _verdict(
        check, file, "refuted", f"against the migrations: {said}", place=place, next=step, evidence=evidence
    )
