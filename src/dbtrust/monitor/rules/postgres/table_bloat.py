"""table.bloat: space that a rewrite would give back, measured."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.model.units import size
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import LARGE, finding, option, sql_name, table_subject

#: A table that is updated has a fifth of its space free as a rule.
_SHARE = 0.4


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Measured by pgstattuple_approx; the room that fillfactor keeps on purpose is not counted."""
    tables = {row["oid"]: row for row in now.sections["tables"]}
    for found in now.sections["table_bloat"]:
        row = tables[found["oid"]]
        kept = (100 - float(option(row, "fillfactor") or 100)) / 100 * found["bytes"]
        waste = max(0.0, found["free_bytes"] - kept) + found["dead_bytes"]
        if found["bytes"] < LARGE or waste < _SHARE * found["bytes"]:
            continue
        yield finding(
            RULE.id, "warning", table_subject(row),
            f"{size(waste)} of the {size(found['bytes'])} of {row['name']} are free or dead (measured)",
            f"VACUUM {sql_name(row)}; makes it reusable; pg_repack or VACUUM FULL (locks the table) gives it back",
            bytes=found["bytes"], free_bytes=found["free_bytes"], dead_bytes=found["dead_bytes"],
            scanned_percent=found["scanned_percent"], method="pgstattuple_approx",
        )  # fmt: skip


RULE = Rule(
    "table.bloat",
    "postgres",
    "Bloated tables",
    (
        "table_bloat",
        "tables",
    ),
    decide,
)
