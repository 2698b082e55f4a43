"""A project's data on PostgreSQL with other numbers of rows."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from dbtrust.model.progress import Progress
from dbtrust.source.project import Project
from dbtrust.stage.data import read_generators
from dbtrust.stage.postgres import PostgresStage, fill
from dbtrust.stage.scale import counted, scaled


@contextmanager
def scaled_postgres(
    project: Project, stage: PostgresStage, rows: Mapping[str, int], progress: Progress
) -> Generator[str]:
    """The name of a database of `stage` with the history and these row counts, vacuumed and analyzed.

    It is dropped at the end and no template is made of it. Raises DbtrustError where a generator cannot be
    read, fails, or does not give the number of rows that it was asked for.
    """
    generators, errors = read_generators(scaled(project, rows), "postgres")
    if errors:
        raise errors[0]
    assert stage.state is not None
    with stage.scratch.temporary(stage.scratch.copy(stage.state, "scale")) as name:
        fill(stage, name, generators, progress)
        with stage.owner(name, slow=True) as connection:
            check_counts(project, connection, rows)
        yield name


def check_counts(project: Project, connection: psycopg.Connection[Any], rows: Mapping[str, int]) -> None:
    """Raises QueryFileError where a table has not as many rows as its generator was asked for."""
    for table, wanted in rows.items():
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(*table.split(".")))
        row = connection.execute(query).fetchone()
        counted(project, table, wanted, row[0] if row else 0)
