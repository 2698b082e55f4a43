"""collection.validator_warns: validators that do not refuse what they say."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding, Severity
from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import collection_subject, finding, sibling, text


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Level off and action warn are warnings; level moderate, a choice with a known gap, is information."""
    for row in now.sections["collections"]:
        if row.get("validated") and (found := _weakness(row)) is not None:
            severity, message = found
            fix = f'{sibling(row)}.runCommand({{collMod: {text(row["collection"])}, validationLevel: "strict", validationAction: "error"}})'
            evidence = {key: row[key] for key in ("validation_level", "validation_action")}
            yield finding(RULE.id, severity, collection_subject(row), message, fix, **evidence)


def _weakness(row: Row) -> tuple[Severity, str] | None:
    if row["validation_level"] == "off":
        return "warning", "the validator is switched off (level off): every document is taken"
    if row["validation_action"] != "error":
        return (
            "warning",
            "the validator only warns: what it should refuse is written, and a line of the log is all",
        )
    if row["validation_level"] == "moderate":
        return (
            "info",
            "the validator's level is moderate: a document that is invalid already may stay so in an update",
        )
    return None


RULE = Rule(
    "collection.validator_warns",
    "mongo",
    "Validators that let documents pass",
    ("collections",),
    decide,
    in_check=True,
)
