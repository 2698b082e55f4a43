"""collection.rare_field: a field in very few documents whose name is nearly that of a common one."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import collection_subject, finding, shell, text

#: A field is rare in this share of a sample, common in that.
_RARE, _COMMON = 0.05, 0.5
#: How like two names are (difflib's ratio) that are taken for one.
_LIKE = 0.8
_SHORTEST = 4


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """One finding for each pair of names of one level; an optional field with a name of its own is no fault."""
    for row in now.sections["samples"]:
        common = [f["path"] for f in row["fields"] if f["present"] >= _COMMON * row["sampled"]]
        for field in row["fields"]:
            if field["present"] <= _RARE * row["sampled"] and (near := _near(field["path"], common)):
                yield _finding(row, field, near)


def _near(path: str, common: list[str]) -> str | None:
    above, _, name = path.rpartition(".")
    beside = {p.rpartition(".")[2]: p for p in common if p.rpartition(".")[0] == above}
    if len(name) < _SHORTEST or name in beside:
        return None
    found = {other: SequenceMatcher(None, name.lower(), other.lower()).ratio() for other in beside}
    numbered = {other for other in found if other.rstrip("0123456789") == name.rstrip("0123456789")}
    best = max((o for o in found if o not in numbered), key=lambda o: found[o], default=None)
    return beside[best] if best is not None and found[best] >= _LIKE else None


def _finding(row: Row, field: Row, near: str) -> Finding:
    message = (
        f"{field['path']} is in {field['present']} of {row['sampled']} sampled documents; most have {near}"
    )
    fix = f"look at them ({shell(row)}.find({{{text(field['path'])}: {{$exists: true}}}})), then $rename or unset it"
    evidence = {"field": field["path"], "near": near, "present": field["present"], "sampled": row["sampled"]}
    return finding(RULE.id, "warning", collection_subject(row), message, fix, **evidence)


RULE = Rule("collection.rare_field", "mongo", "Rare fields that look misspelt", ("samples",), decide)
