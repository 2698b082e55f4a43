"""One pair of executions on PostgreSQL: the server's own time for the statement, with an index and without it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from dbtrust.claims.faster import NotMeasured, Timed
from dbtrust.engine.postgres.errors import describe
from dbtrust.engine.postgres.hiding import CannotHide, Index, time_pair
from dbtrust.model.plan import Plan

_LONGER = "claim on fewer rows, or make the statement cheaper"
_ARBITER = "an index that ON CONFLICT infers has no statement without it: claim what the plan shows"


def measure_pair(
    connection: psycopg.Connection[Any], role: str | None, index: Index, text: str, values: Sequence[Any]
) -> tuple[Timed, Timed]:
    """With the index, then without it. Raises NotMeasured."""
    try:
        seen, hidden = time_pair(connection, role, index, text, values)
    except CannotHide as why:
        raise NotMeasured("server_error", str(why), "run on an embedded server") from why
    except psycopg.errors.QueryCanceled as error:
        raise NotMeasured(
            "timeout", f"stopped by the statement timeout: {describe(error)}", _LONGER
        ) from error
    except psycopg.errors.InvalidColumnReference as error:
        raise NotMeasured("server_error", describe(error), _ARBITER) from error
    except psycopg.Error as error:
        if connection.closed:
            raise
        raise NotMeasured("server_error", describe(error)) from error
    return _timed(seen), _timed(hidden)


def _timed(plan: Plan) -> Timed:
    blocks = (plan.totals.get("hit") or 0) + (plan.totals.get("read") or 0)
    return Timed(plan.totals.get("execution_ms") or 0.0, {"blocks": blocks}, plan)
