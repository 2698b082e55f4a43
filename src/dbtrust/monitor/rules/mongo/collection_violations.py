"""collection.violates_validator: documents that their own validator would refuse."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import collection_subject, finding, shell


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """By a sample: older documents, a validator that warns, or a write that bypassed it."""
    for row in now.sections["violations"]:
        if row["refused"]:
            message = (
                f"{row['refused']} of {row['sampled']} sampled documents would be refused by the validator"
            )
            fix = (
                f"find them with {shell(row)}.find({{$nor: [VALIDATOR]}}), mend them, then validate strictly"
            )
            evidence = {key: row[key] for key in ("refused", "sampled", "documents")}
            yield finding(RULE.id, "warning", collection_subject(row), message, fix, **evidence)


RULE = Rule(
    "collection.violates_validator", "mongo", "Documents that violate the validator", ("violations",), decide
)
