"""schema.drift on MongoDB: the declared collections against a live database, with the repair of each difference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dbtrust.engine.mongo.catalog import Specification, catalog_of
from dbtrust.engine.mongo.violations import Violations
from dbtrust.judge.catalog import diff
from dbtrust.model.catalog import Difference
from dbtrust.model.location import Location
from dbtrust.model.report import NotExamined, Verdict
from dbtrust.schema.drift import Live, drifted, equal
from dbtrust.schema.repairs_mongo import Repair, Specifications, Step, place, repairs

_VALIDATOR = ("validator", "validationLevel", "validationAction")


@dataclass(frozen=True, slots=True)
class Asking:
    """Bounded questions to the live database: (collection, validator) and (collection, index specification)."""

    violators: Callable[[str, Mapping[str, Any]], Violations]
    duplicates: Callable[[str, Mapping[str, Any]], Violations]


def judge_drift(
    live: Live,
    declared: Specifications,
    found: Specifications,
    where: Callable[[str, str], Location],
    asking: Asking,
) -> tuple[list[Verdict], list[NotExamined]]:
    """One refuted verdict per collection or index that differs, or one that holds; and what the role may not list.

    `where` gives the place of (collection, index or "").
    """
    left_out = [
        NotExamined(f"{live.database}: indexes of {name}", f"needs the right to list them: {item.refused}")
        for name, item in found.items()
        if item.refused
    ]
    hidden = {name for name, item in found.items() if item.refused}
    expected = {n: replace(item, indexes=()) if n in hidden else item for n, item in declared.items()}
    differences = _told_apart(diff(catalog_of(expected), catalog_of(found)), expected, found)
    if not differences:
        count = len(catalog_of(expected).objects)
        return [equal(live, count, "collections and indexes", len(left_out))], left_out
    made = repairs(expected, found, differences)
    return [_verdict(live, repair, expected, found, where, asking) for repair in made], left_out


def _told_apart(
    differences: Sequence[Difference], expected: Specifications, found: Specifications
) -> list[Difference]:
    """Without the indexes of a collection that goes, and those that come with a collection."""
    gone = {d.name for d in differences if d.kind == "collection" and d.change == "extra"}
    new = {d.name for d in differences if d.kind == "collection" and d.change == "missing"}

    def follows(d: Difference) -> bool:
        if d.kind == "collection":
            return False
        collection, index = place(d, expected, found)
        return collection in gone or (collection in new and _comes_along(expected[collection], index))

    return [d for d in differences if not follows(d)]


def _comes_along(item: Specification, index: str | None) -> bool:
    return any(s["name"] == index and (index == "_id_" or s.get("clustered")) for s in item.indexes)


def _verdict(
    live: Live, repair: Repair, expected: Specifications, found: Specifications,
    where: Callable[[str, str], Location], asking: Asking,
) -> Verdict:  # fmt: skip
    d = repair.difference
    subject = (
        f"index:{repair.collection}.{repair.index}" if repair.index else f"collection:{repair.collection}"
    )
    counted = _counted(repair, expected, found, asking)
    evidence: dict[str, Any] = {}
    if counted is not None:
        name, violations = counted
        evidence = {name: violations.to_dict()}
        repair = replace(repair, steps=(Step(None, _told(name, violations)), *repair.steps))
    verdict = drifted(
        live, subject, d, repair.script, repair.order, destructive=repair.destructive,
        location=where(repair.collection, repair.index or ""), evidence=evidence,
    )  # fmt: skip
    if counted is not None and counted[1].count:
        return replace(verdict, message=f"{verdict.message}; {_told(*counted)}")
    return verdict


def _counted(
    repair: Repair, expected: Specifications, found: Specifications, asking: Asking
) -> tuple[str, Violations] | None:
    """What a rule that is to come would refuse, counted on the live collection before anybody makes it strict."""
    d, name = repair.difference, repair.collection
    if d.change == "extra" or name not in found:
        return None
    if repair.index is None:
        validator = expected[name].info.get("options", {}).get("validator")
        if d.change == "changed" and validator and any(key.startswith(_VALIDATOR) for key in d.fields):
            return "violators", asking.violators(name, validator)
        return None
    spec = next(s for s in expected[name].indexes if s["name"] == repair.index)
    already = any(s["name"] == repair.index and s.get("unique") for s in found[name].indexes)
    return ("duplicates", asking.duplicates(name, spec)) if spec.get("unique") and not already else None


def _told(name: str, violations: Violations) -> str:
    one, many = _WORDS[name]
    if violations.count is None:
        return f"not counted how many {many}: {violations.why}"
    if not violations.count:
        return f"no {one}"
    more = "at least " if violations.more else ""
    said = one if violations.count == 1 else many
    return f"{more}{violations.count:,} {said}: mend first, for example {', '.join(violations.sample)}"


_WORDS = {
    "violators": ("document violates the declared validator", "documents violate the declared validator"),
    "duplicates": ("key is there more than once", "keys are there more than once"),
}
