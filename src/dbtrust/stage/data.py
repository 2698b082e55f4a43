"""Which data a project's templates hold, and the key that tells one template from another."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from dbtrust.model.engine import Engine
from dbtrust.model.errors import DbtrustError
from dbtrust.source.data import RowSource, read_generator
from dbtrust.source.inputs import inputs_digest
from dbtrust.source.project import Project


def midnight() -> datetime:
    """`now` of every generator: midnight UTC of the day of the run."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def read_generators(project: Project, engine: Engine) -> tuple[list[RowSource], list[DbtrustError]]:
    """The generators of one engine in the order of the file, and what could not be read.

    A generator that cannot be read belongs to the engine that it would fill.
    """
    generators: list[RowSource] = []
    errors: list[DbtrustError] = []
    for item in project.config.data:
        if project.fills(item) != engine:
            continue
        try:
            generators.append(read_generator(project.config, item))
        except DbtrustError as error:
            errors.append(error)
    return generators, errors


def template_key(
    project: Project, engine: Engine, version: str, generators: list[RowSource], day: str
) -> str:
    """The key of a data template: everything its content depends on.

    That is the generators' text, what those in Python may load, the rows, the schema or history, server version,
    settings and day.
    """
    parts: list[Any] = [engine, version, day, _builder(engine)]
    parts += [(g.config.name, g.config.rows, g.config.seed, g.text) for g in generators]
    parts.append(inputs_digest(project.config, [g.config for g in generators]))
    if project.history is not None:
        parts += [
            (m.number, m.name, m.text, m.up.options if m.up else None)
            for m in project.history.migrations
            if m.engine == engine
        ]
    if engine == "postgres":
        parts.append(project.config.postgres)
        parts += [] if project.history else [(s.file, s.text) for s in project.schema]
    else:
        parts += [] if project.history else [_declared(d.collection) for d in project.collections]
    return f"{engine}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"


@cache
def _builder(engine: Engine) -> str:
    """The code that builds a template: one that another dbtrust made may have other files and settings."""
    package = files("dbtrust")
    digest = hashlib.sha256()
    for folder in (package / "engine" / engine, package / "stage"):
        for item in sorted(folder.iterdir(), key=lambda found: found.name):
            if item.name.endswith(".py"):
                digest.update(item.read_bytes())
    return digest.hexdigest()


def _declared(collection: Any) -> tuple[Any, ...]:
    return (
        collection.name,
        repr(collection.validator),
        [repr(index.document) for index in collection.indexes],
    )
