"""column.type: a type that does not keep what it seems to."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.judge.rules.indexes import identifier, named
from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding, sql_name

#: Type -> (what it does not do, what does).
_TRAPS = {
    "json": ("kept as text, parsed at each use, not to be indexed or compared", "jsonb"),
    "bpchar": ("padded with blanks that comparisons then ignore", "text"),
    "money": ("rounded and shown by the server's lc_monetary, without a currency", "numeric(12, 2)"),
    "timestamp": ("without time zone, so it names no moment", "timestamptz"),
    "timetz": ("an offset without a date means nothing where there is summer time", "time"),
}


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """One finding for each column, info: the type may be meant."""
    for row in now.sections["columns"]:
        why, better = _TRAPS[row["base"]]
        place = named(row["schema"], row["table"], row["column"])
        yield finding(
            RULE.id, "info", f"column:{place}", f"{row['column']} of {row['table']} is {row['type']}: {why}",
            f"ALTER TABLE {sql_name(row, name='table')} ALTER COLUMN {identifier(row['column'])} TYPE {better};"
            " (rewrites the table)",
            type=row["type"],
        )  # fmt: skip


RULE = Rule("column.type", "postgres", "Column types with traps", ("columns",), decide, in_check=True)
