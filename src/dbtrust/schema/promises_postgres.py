"""A project's rules on PostgreSQL: those it declares, tried on a copy of what its history builds, without data."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import psycopg

from dbtrust.engine.postgres.promises import read_promises
from dbtrust.engine.postgres.trial import some_rows
from dbtrust.model.constraints import Promises
from dbtrust.model.errors import DbtrustError
from dbtrust.model.report import Verdict
from dbtrust.schema.constraints_postgres import judge_rules
from dbtrust.source.project import SqlFile
from dbtrust.stage.lent_server import run_declared
from dbtrust.stage.postgres import PostgresStage

PROMISES = ("schema.constraint", "schema.trigger")
#: So many rows of the project's data serve as models for the rows of a table.
_MODELS = 2
Connection = psycopg.Connection[Any]


def judge_promises(stage: PostgresStage, schema: Sequence[SqlFile]) -> list[Verdict]:
    """schema.constraint and schema.trigger. `schema` are the declared files; without any, what is there counts."""
    assert stage.state is not None
    declared = _declared(stage, schema)
    with ExitStack() as stack:
        data = stack.enter_context(stage.owner(stage.data)) if stage.data is not None else None
        connection = stack.enter_context(stage.owner(stack.enter_context(stage.copy(stage.state))))
        promises = read_promises(connection)
        return judge_rules(
            connection, promises, declared=declared, models=_models(stage, data, promises), data=data
        )


def _declared(stage: PostgresStage, schema: Sequence[SqlFile]) -> Promises | None:
    """The rules of the declared files; None where there are none, or where they do not apply (schema.applies says so)."""
    if not schema:
        return None
    with stage.empty() as connection:
        footprint = stage.scratch.footprint()
        try:
            for file in schema:
                run_declared(connection, file.text, file.file, footprint)
        except DbtrustError:
            return None
        return read_promises(connection)


def _models(
    stage: PostgresStage, data: Connection | None, promises: Promises
) -> dict[int, list[dict[str, str | None]]]:
    """A few rows of the project's data for each table that has a generator."""
    found: dict[int, list[dict[str, str | None]]] = {}
    for oid, table in promises.tables.items() if data is not None else ():
        relation = table.relation
        if data is not None and _generated_rows(stage, relation.schema, relation.name):
            columns = [c.name for c in relation.columns.values() if not c.generated]
            found[oid] = some_rows(data, relation.schema, relation.name, columns, _MODELS)
    return found


def _generated_rows(stage: PostgresStage, schema: str, name: str) -> bool:
    rows = stage.evidence.get("rows", {})
    return name in rows or f"{schema}.{name}" in rows
