"""index.ttl_without_effect: TTL indexes on fields that hold no dates, so that nothing ever expires."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import declared, fields, finding, index_subject, keys, place


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """By what the validator declares, or else by a sample. An array expires by the dates in it."""
    known = declared(now)
    sampled = {place(row): row for row in now.sections.get("samples", ())}
    for row in now.sections["indexes"]:
        if row["ttl_seconds"] is None:
            continue
        field = fields(row["definition"])[0]
        types = known.get(place(row), {}).get(field)
        if types and not _EXPIRE & set(types):
            yield _finding(row, f"the validator declares {field} as {', '.join(types)}", types)
        elif not types and (why := _seen(sampled.get(place(row)), field)):
            yield _finding(row, *why)


_EXPIRE = {"date", "array"}


def _seen(sample: Row | None, field: str) -> tuple[str, list[str]] | None:
    """What a sample says against the field; None where it says nothing."""
    if sample is None:
        return None
    found = next((f for f in sample["fields"] if f["path"] == field), None)
    if found is None:
        return f"none of {sample['sampled']} sampled documents has {field}", []
    types = sorted(found["types"])
    if _EXPIRE & set(types):
        return None
    return (
        f"{field} is {', '.join(types)} in {found['present']} of {sample['sampled']} sampled documents",
        types,
    )


def _finding(row: Row, why: str, types: list[str]) -> Finding:
    message = f"{row['index']} {keys(row['definition'])} expires nothing that was seen: {why}"
    fix = "store a date in that field, or drop the index"
    evidence = {"types": types, "expire_after_seconds": row["ttl_seconds"]}
    return finding(RULE.id, "warning", index_subject(row), message, fix, **evidence)


RULE = Rule(
    "index.ttl_without_effect", "mongo", "TTL indexes without effect", ("indexes",), decide, in_check=True
)
