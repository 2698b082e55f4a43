"""The same project with other numbers of rows: what a claim `at N rows in T` is judged on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dbtrust.model.engine import Engine
from dbtrust.model.errors import QueryFileError
from dbtrust.model.project import DataConfig
from dbtrust.source.project import Project
from dbtrust.stage.data import read_generators


def generator_of(project: Project, engine: Engine, name: str, schema: str | None = None) -> DataConfig | None:
    """The generator that fills a relation, by its name in [data.NAME]; None where there is none."""
    wanted = {f"{schema or 'public'}.{name}"} if engine == "postgres" else {name}
    if schema in (None, "public"):
        wanted.add(name)
    generators, _ = read_generators(project, engine)
    return next((g.config for g in generators if g.config.name in wanted), None)


def scaled(project: Project, rows: Mapping[str, int]) -> Project:
    """The project with other row counts of its generators, by their name in [data.NAME]."""
    data = tuple(replace(item, rows=rows.get(item.name, item.rows)) for item in project.config.data)
    return replace(project, config=replace(project.config, data=data))


def counted(project: Project, name: str, wanted: int, found: int) -> None:
    """Raises QueryFileError where a generator did not make as many rows as it was asked for."""
    if found == wanted:
        return
    item = next(item for item in project.config.data if item.name == name)
    raise QueryFileError(
        f"the generator of {name} made {found:,} rows where {wanted:,} were asked for", location=item.location,
        next="make as many rows as :rows (in Python n) says",
    )  # fmt: skip
