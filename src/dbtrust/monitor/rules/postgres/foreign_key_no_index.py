"""foreign_key.no_index on a server: the rule of `check`, for tables that are not small."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dbtrust.judge.rules.foreign_keys import foreign_keys_without_index
from dbtrust.judge.rules.indexes import named
from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import catalog, few_rows, partitioned


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Without those of small tables, which are scanned as fast as an index is read."""
    small = tuple(f"constraint:{named(schema, name)}." for schema, name in few_rows(now))
    parents = tuple(f"constraint:{named(schema, name)}." for schema, name in partitioned(now))
    for found in foreign_keys_without_index(catalog(now)):
        if not found.subject.startswith(small):
            whole = found.subject.startswith(parents)
            yield found if whole else replace(found, fix=_concurrently(found.fix))


def _concurrently(fix: str) -> str:
    """Without a lock against writes, which a server in use needs and a scratch one does not."""
    return fix.replace("CREATE INDEX", "CREATE INDEX CONCURRENTLY", 1)


RULE = Rule(
    "foreign_key.no_index", "postgres", "Foreign keys without an index", ("catalog", "tables"), decide
)
