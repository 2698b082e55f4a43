"""collection.mixed_types: fields that hold values of several types."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import collection_subject, declared, finding, place

#: Numbers compare with each other, and nothing is a type of its own.
_ALIKE = {"int": "number", "long": "number", "double": "number", "decimal": "number"}
_NOTHING = frozenset({"null", "undefined", "missing"})
#: So many fields of one collection are named; a document with more uses values as names.
_NAMED = 5


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """One finding for each collection, with its fields; what the validator allows is meant."""
    known = declared(now)
    for row in now.sections["samples"]:
        allowed = known.get(place(row), {})
        mixed = {
            f["path"]: f["types"] for f in row["fields"] if f["path"] not in allowed and _mixed(f["types"])
        }
        if mixed:
            yield _finding(row, mixed)


def _mixed(types: Row) -> bool:
    return len({_ALIKE.get(name, name) for name in types if name not in _NOTHING}) > 1


def _finding(row: Row, mixed: dict[str, Row]) -> Finding:
    told = [f"{path} ({_counts(types)})" for path, types in list(mixed.items())[:_NAMED]]
    more = f" and {len(mixed) - _NAMED} more" if len(mixed) > _NAMED else ""
    message = f"in {row['sampled']} sampled documents of several types: {'; '.join(told)}{more}"
    fix = "a comparison finds one type only: convert the rarer one, and declare the type in a validator"
    shown = {path: dict(types) for path, types in list(mixed.items())[:50]}
    return finding(
        RULE.id, "warning", collection_subject(row), message, fix, fields=shown, sampled=row["sampled"]
    )


def _counts(types: Row) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(types.items(), key=lambda pair: -pair[1]))


RULE = Rule("collection.mixed_types", "mongo", "Fields of mixed types", ("samples",), decide)
