"""What becomes of a statement that a driver prepares: custom plans at first, perhaps a generic one later."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.sql import SQL, Literal

from dbtrust.engine.postgres import sql
from dbtrust.engine.postgres.describe import sent_types
from dbtrust.engine.postgres.explain import explain
from dbtrust.model.plan import Plan

Connection = psycopg.Connection[Any]
_NAME = "dbtrust_prepared"
#: choose_custom_plan (plancache.c) decides after five custom plans.
CUSTOM_PLANS = 5


@dataclass(frozen=True, slots=True)
class Prepared:
    """A prepared statement of a connection."""

    connection: Connection

    def turns_generic(self, values: Sequence[Sequence[Any]]) -> bool:
        """After five executions with these values, taking turns: does the sixth have a generic plan?

        Only planned, nothing is executed: EXPLAIN asks the plan cache as EXECUTE does.
        """
        for turn in range(CUSTOM_PLANS + 1):
            text = "EXPLAIN " + _execute(self.connection, values[turn % len(values)])
            self.connection.execute(text.encode(self.connection.info.encoding), prepare=False)
        row = self.connection.execute(sql.load("generic_plans"), {"name": _NAME}, prepare=False).fetchone()
        return row is not None and row[1] > 0

    def generic(self, values: Sequence[Any], *, analyze: bool, counters: bool, partitions: bool) -> Plan:
        """The generic plan, with `analyze` executed with these values. Raises psycopg.Error."""
        self.connection.execute("SET LOCAL plan_cache_mode = force_generic_plan", prepare=False)
        statement = _execute(self.connection, values)
        return explain(self.connection, statement, analyze=analyze, counters=counters, partitions=partitions)


@contextmanager
def prepared(connection: Connection, text: str, values: Sequence[Any]) -> Generator[Prepared]:
    """`text` prepared with the types that psycopg sends for the values, in the caller's transaction.

    Raises psycopg.Error.
    """
    types = sent_types(connection, values)
    result = connection.pgconn.prepare(_NAME.encode(), text.encode(connection.info.encoding), types)
    if result.status != pq.ExecStatus.COMMAND_OK:
        raise error_from_result(result, connection.info.encoding)
    try:
        yield Prepared(connection)
    finally:
        if connection.info.transaction_status != pq.TransactionStatus.INERROR and not connection.closed:
            connection.execute(SQL("DEALLOCATE ") + SQL(_NAME), prepare=False)


def _execute(connection: Connection, values: Sequence[Any]) -> str:
    """EXECUTE with literals: the server reads each as the parameter's own type."""
    sent = Transformer(connection).dump_sequence(values, [PyFormat.TEXT] * len(values))
    encoding = connection.info.encoding
    literals = [Literal(None if v is None else bytes(v).decode(encoding)) for v in sent]
    return (SQL("EXECUTE ") + SQL(_NAME) + SQL("({})").format(SQL(", ").join(literals))).as_string(connection)
