"""foreign_key.no_index on a server: the rule of `check`, for tables that are not small."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.judge.rules.foreign_keys import foreign_keys_without_index
from dbtrust.judge.rules.indexes import named
from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import catalog, few_rows


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Without those of small tables, which are scanned as fast as an index is read."""
    small = tuple(f"constraint:{named(schema, name)}." for schema, name in few_rows(now))
    yield from (f for f in foreign_keys_without_index(catalog(now)) if not f.subject.startswith(small))


RULE = Rule(
    "foreign_key.no_index", "postgres", "Foreign keys without an index", ("catalog", "tables"), decide
)
