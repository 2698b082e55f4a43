"""Declared collections against what the history builds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import pymongo.errors

from dbtrust.engine.mongo.catalog import snapshot
from dbtrust.engine.mongo.errors import describe
from dbtrust.judge.catalog import diff
from dbtrust.model.catalog import Catalog, CatalogObject, Difference
from dbtrust.model.errors import DbtrustError
from dbtrust.model.report import Outcome, Verdict
from dbtrust.source.project import Declared


def judge_collections(
    fresh: Callable[[], AbstractContextManager[Any]],
    declared: Sequence[Declared],
    migrated: Catalog | None,
    *,
    history: bool,
) -> list[Verdict]:
    """schema.applies (twice: `create` promises to be idempotent) and schema.matches_migrations."""
    with fresh() as database:
        verdicts = [_applies(database, item) for item in declared]
        live = snapshot(database)
    good = {v.subject for v in verdicts if v.verdict == "holds"}
    if history:
        verdicts += [_matches(item, live, migrated, applied=_subject(item) in good) for item in declared]
        verdicts += _undeclared(declared, migrated)
    return verdicts


def _subject(item: Declared) -> str:
    return f"collection:{item.collection.name}"


def _verdict(
    check: str,
    item: Declared,
    outcome: Outcome,
    message: str,
    *,
    reason: str = "",
    next: str = "",
    evidence: dict[str, Any] | None = None,
) -> Verdict:
    return Verdict(
        check,
        "mongo",
        _subject(item),
        outcome,
        message,
        reason=reason,
        next=next,
        evidence=evidence or {},
        location=item.location,
    )


def _applies(database: Any, item: Declared) -> Verdict:
    try:
        item.collection.create(database)
        item.collection.create(database)
    except pymongo.errors.PyMongoError as error:
        return _verdict(
            "schema.applies",
            item,
            "refuted",
            f"it cannot be created: {describe(error)}",
            next="mend the declaration",
        )
    except DbtrustError as error:
        return _verdict("schema.applies", item, "refuted", f"created twice: {error.message}", next=error.next)
    return _verdict("schema.applies", item, "holds", "created, and created again without a change")


def _own(catalog: Catalog, name: str) -> Catalog:
    def belongs(item: CatalogObject) -> bool:
        return item.name == name if item.kind == "collection" else item.name.startswith(f"{name}.")

    return Catalog("mongo", tuple(o for o in catalog.objects if belongs(o)))


def _matches(item: Declared, live: Catalog, migrated: Catalog | None, *, applied: bool) -> Verdict:
    check = "schema.matches_migrations"
    if migrated is None or not applied:
        why = (
            "the history could not be built"
            if migrated is None
            else "the declared collection cannot be created"
        )
        return _verdict(check, item, "unproved", why, reason="missing_object")
    differences: tuple[Difference, ...] = diff(
        _own(migrated, item.collection.name), _own(live, item.collection.name)
    )
    if not differences:
        return _verdict(check, item, "holds", "equal to what the migrations build")
    said = "; ".join(str(d) for d in differences[:5])
    evidence = {"differences": [str(d) for d in differences]}
    step = "write the migration that is missing, or mend the declaration"
    return _verdict(check, item, "refuted", f"against the migrations: {said}", next=step, evidence=evidence)


def _undeclared(declared: Sequence[Declared], migrated: Catalog | None) -> list[Verdict]:
    """Collections that only the history builds."""
    known = {item.collection.name for item in declared}
    names = (
        [o.name for o in migrated.objects if o.kind == "collection" and o.name not in known]
        if migrated and declared
        else []
    )
    return [
        Verdict(
            "schema.matches_migrations", "mongo", f"collection:{name}", "refuted", "the migrations build it and nothing declares it",
            next="add it to [mongo] collections", location=declared[0].location,
        )
        for name in names
    ]  # fmt: skip
