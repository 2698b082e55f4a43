"""Why an execution of a query gave no plan, and what that says of the query."""

from __future__ import annotations

import psycopg

from dbtrust.claims.verdicts import Failure
from dbtrust.engine.postgres.errors import describe, missing_extension, passing, position
from dbtrust.model.location import Location, shift
from dbtrust.model.project import Query
from dbtrust.queries.placeholders import BoundSql


def postgres_failure(error: psycopg.Error, query: Query, bound: BoundSql) -> Failure:
    """A statement's error at its place in the file. What tells of the moment alone refutes nothing."""
    place = _place(error, query, bound)
    if isinstance(error, psycopg.errors.QueryCanceled):
        message = f"stopped by the statement timeout: {describe(error)}"
        return Failure("timeout", message, place, "make the query or its example cheaper")
    if passing(error):
        step = "run again; if it comes back, look for what works on the same rows"
        return Failure("server_error", describe(error), place, step, refutes=False)
    extension = missing_extension(error)
    step = "mend the query or its example"
    if extension is not None:
        step = f'is it of the extension {extension}? Then add "{extension}" to [postgres] extensions'
    return Failure("server_error", describe(error), place, step)


def _place(error: psycopg.Error, query: Query, bound: BoundSql) -> Location:
    place = query.sql_location if query.sql_location.line else query.location
    at = position(error)
    return place if at is None else shift(place, query.sql, bound.source_offset(at - 1))
