"""index.bloat: an index with more room than entries, measured."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.model.units import size
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import LARGE, finding, index_subject, sql_name

_SHARE = 0.5


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Measured by pgstatindex; a btree is built 90% full, and random inserts keep it at about 70%."""
    rows = {row["oid"]: row for row in now.sections["indexes"]}
    for found in now.sections["index_bloat"]:
        row = rows[found["oid"]]
        density, gone = found["leaf_density"], found["deleted_pages"] * 8192
        if not isinstance(density, (int, float)) or density != density or found["bytes"] < LARGE:
            continue
        waste = gone + (found["bytes"] - gone) * max(0.0, 1 - density / 90)
        if waste >= _SHARE * found["bytes"]:
            yield finding(
                RULE.id, "warning", index_subject(row),
                f"{size(waste)} of the {size(found['bytes'])} of {row['name']} on {row['table']} are empty (measured)",
                f"REINDEX INDEX CONCURRENTLY {sql_name(row)};",
                bytes=found["bytes"], leaf_density=density, deleted_pages=found["deleted_pages"], method="pgstatindex",
            )  # fmt: skip


RULE = Rule(
    "index.bloat",
    "postgres",
    "Bloated indexes",
    (
        "index_bloat",
        "indexes",
    ),
    decide,
)
