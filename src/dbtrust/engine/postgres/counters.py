"""Rows read as PostgreSQL itself counts them: EXPLAIN rounds the average of many loops, the counters do not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import psycopg

from dbtrust.engine.postgres.questions import question
from dbtrust.model.plan import Node


class Counters:
    """The transaction's own counters (pg_stat_get_xact_*) of the relations of a plan.

    Read inside the transaction that runs the statement: they need no flush and see nobody else's work.
    """

    def __init__(self, connection: psycopg.Connection[Any], nodes: Iterable[Node]) -> None:
        self._connection = connection
        scans = [node for node in nodes if node.relation]
        names = sorted({(node.schema or "public", str(node.relation)) for node in scans})
        self._schemas, self._names = [n[0] for n in names], [n[1] for n in names]
        self._index_only = sorted({str(node.index) for node in scans if node.type == "Index Only Scan"})

    def read(self) -> dict[tuple[str, str], float]:
        """(schema, relation) -> rows read since the transaction began."""
        values = [self._index_only, self._schemas, self._names]
        rows = self._connection.execute(question("rows_read"), values).fetchall()
        return {(schema, name): float(count) for schema, name, count in rows}

    def change(self, work: Callable[[], object]) -> dict[tuple[str, str], float]:
        """How much `work` adds."""
        before = self.read()
        work()
        after = self.read()
        return {name: after[name] - before.get(name, 0) for name in after}
