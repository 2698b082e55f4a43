"""A project's data on MongoDB with other numbers of documents."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from pymongo.database import Database

from dbtrust.model.progress import Progress
from dbtrust.source.project import Project
from dbtrust.stage.data import read_generators
from dbtrust.stage.mongo import MongoStage, apply, fill
from dbtrust.stage.scale import counted, scaled


@contextmanager
def scaled_mongo(
    project: Project, stage: MongoStage, rows: Mapping[str, int], progress: Progress
) -> Generator[Database[Any]]:
    """A database of `stage` with the history and these numbers of documents; it is dropped at the end.

    Raises DbtrustError where a generator cannot be read, fails, or does not give the number it was asked for.
    """
    generators, errors = read_generators(scaled(project, rows), "mongo")
    if errors:
        raise errors[0]
    with stage.empty() as database:
        apply(project, database, progress)
        fill(database, generators, progress)
        check_counts(project, database, rows)
        yield database


def check_counts(project: Project, database: Database[Any], rows: Mapping[str, int]) -> None:
    """Raises QueryFileError where a collection has not as many documents as its generator was asked for."""
    for name, wanted in rows.items():
        counted(project, name, wanted, database[name].count_documents({}))
