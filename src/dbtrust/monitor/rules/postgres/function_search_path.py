"""function.search_path: whoever calls it chooses what its names mean."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.judge.rules.indexes import identifier, named
from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """A function with its owner's rights, whose names the caller's search_path decides."""
    for row in now.sections["functions"]:
        signature = f"{row['name']}({row['arguments']})"
        yield finding(
            RULE.id, "warning",
            f"function:{named(row['schema'], signature)}",
            f"{signature} is SECURITY DEFINER and sets no search_path: a caller can put its own objects first",
            f"ALTER FUNCTION {identifier(row['schema'])}.{identifier(row['name'])}({row['arguments']})"
            " SET search_path = pg_catalog, pg_temp;",
            owner=row["owner"], owner_is_superuser=row["superuser"],
        )  # fmt: skip


RULE = Rule(
    "function.search_path",
    "postgres",
    "SECURITY DEFINER without search_path",
    ("functions",),
    decide,
    in_check=True,
)
