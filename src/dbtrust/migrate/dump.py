"""`migrate dump`: the schema as a text that is the same for the same schema, to be compared in a review."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

from dbtrust.engine.runs import Run
from dbtrust.migrate.order import LABELS
from dbtrust.migrate.session import Asked, read_folder, wanted_engines
from dbtrust.model.catalog import Catalog
from dbtrust.model.engine import Engine
from dbtrust.model.errors import ConfigError, ServerError
from dbtrust.model.project import Config, Migration
from dbtrust.source.migrations import History
from dbtrust.stage.bare import lazy_run

_RIGHTS = "the role needs the right to read the catalog"
#: What every new database has.
_GIVEN = (("schema", "public"), ("extension", "plpgsql"), ("language", "plpgsql"))


def dump(config: Config, asked: Asked) -> str:
    """SQL for PostgreSQL and JSON for MongoDB: of the target's database, else of what the folder builds.

    Raises DbtrustError: the history's own errors, a server that cannot be reached, a migration that fails.
    """
    history, _ = read_folder(config)
    if history.errors:
        raise history.errors[0]
    with ExitStack() as stack:
        run = lazy_run(stack)
        parts = [_part(e, config, asked, history, run) for e in wanted_engines(history, asked)]
    return "\n".join(parts)


def _part(engine: Engine, config: Config, asked: Asked, history: History, run: Callable[[], Run]) -> str:
    asked.progress(f"reading the schema of {LABELS[engine]}")
    url = asked.urls.get(engine)
    own = [m for m in history.migrations if m.engine == engine]
    if engine == "postgres":
        empty, catalog = _live_postgres(url) if url else _built_postgres(config, own, run, asked)
        return "".join(f"{line}\n" for line in _sql(empty, catalog))
    return _json(_live_mongo(url) if url else _built_mongo(config, own, run, asked))


def _live_postgres(url: str) -> tuple[Catalog, Catalog]:
    """What every database has, and what this one has; read only."""
    import psycopg

    from dbtrust.engine.postgres.catalog import snapshot
    from dbtrust.engine.postgres.connect import connect_reading
    from dbtrust.engine.postgres.errors import describe

    with connect_reading(url, timeout_ms=60_000) as connection:
        try:
            catalog = snapshot(connection)
        except psycopg.Error as error:
            raise ServerError(f"the catalog cannot be read: {describe(error)}", next=_RIGHTS) from error
    given = tuple(o for o in catalog.objects if (o.kind, o.name) in _GIVEN)
    return Catalog("postgres", given), catalog


def _built_postgres(
    config: Config, migrations: Sequence[Migration], run: Callable[[], Run], asked: Asked
) -> tuple[Catalog, Catalog]:
    from dbtrust.engine.postgres.catalog import snapshot
    from dbtrust.stage.bare import bare_postgres
    from dbtrust.stage.history import apply_postgres

    with (
        bare_postgres(config, run, None, asked.progress) as scratch,
        scratch.owner(scratch.create("dump")) as connection,
    ):
        empty = snapshot(connection)
        for migration in migrations:
            asked.progress(f"applying {migration.location.file}")
            apply_postgres(connection, migration)
        return empty, snapshot(connection)


def _sql(empty: Catalog, catalog: Catalog) -> Iterator[str]:
    """The statements that make `catalog` out of `empty`, in an order in which they can be run."""
    from dbtrust.judge.catalog import diff
    from dbtrust.judge.repair.plan import repairs, told_apart

    yield "-- PostgreSQL: the catalog as statements, for review (dbtrust migrate dump)."
    yield "-- Not a backup: no rows, no roles, and nobody is named as owner."
    for repair in repairs(catalog, empty, told_apart(catalog, empty, diff(catalog, empty))):
        yield ""
        yield f"-- {repair.difference.kind} {repair.difference.name}"
        yield from _quiet(repair.statements)


def _quiet(statements: Sequence[str]) -> Iterator[str]:
    """A repair spares a database in use; a text for reading needs neither CONCURRENTLY nor a second VALIDATE."""
    for place, statement in enumerate(statements):
        following = statements[place + 1] if place + 1 < len(statements) else ""
        if statement.endswith(" NOT VALID;") and " VALIDATE CONSTRAINT " in following:
            yield f"{statement.removesuffix(' NOT VALID;')};"
        elif not statement.startswith("-- CONCURRENTLY") and not _validates(statements, place):
            yield re.sub(r"^(CREATE (?:UNIQUE )?INDEX) CONCURRENTLY ", r"\1 ", statement)


def _validates(statements: Sequence[str], place: int) -> bool:
    return (
        place > 0
        and " VALIDATE CONSTRAINT " in statements[place]
        and statements[place - 1].endswith("NOT VALID;")
    )


def _live_mongo(url: str) -> Catalog:
    from pymongo.errors import PyMongoError

    from dbtrust.engine.mongo.catalog import snapshot
    from dbtrust.engine.mongo.connect import connect
    from dbtrust.engine.mongo.errors import describe
    from dbtrust.engine.mongo.urls import database_of

    name = database_of(url)
    if not name:
        step = "write mongodb://HOST:PORT/NAME, or give --database NAME"
        raise ConfigError("the URL of the MongoDB target names no database", next=step)
    client = connect(url)
    try:
        return snapshot(client[name])
    except PyMongoError as error:
        raise ServerError(f"the catalog cannot be read: {describe(error)}", next=_RIGHTS) from error
    finally:
        client.close()


def _built_mongo(
    config: Config, migrations: Sequence[Migration], run: Callable[[], Run], asked: Asked
) -> Catalog:
    from dbtrust.engine.mongo.catalog import snapshot
    from dbtrust.source.migrations import load_python
    from dbtrust.stage.bare import bare_mongo
    from dbtrust.stage.history import apply_mongo

    with bare_mongo(config, run, None, asked.progress) as stage:
        database = stage.client[stage.new_name("dump")]
        for migration in migrations:
            asked.progress(f"applying {migration.location.file}")
            apply_mongo(database, migration, load_python(migration, config.root))
        return snapshot(database)


def _json(catalog: Catalog) -> str:
    objects: list[Any] = [
        {"kind": o.kind, "name": o.name, "definition": o.definition} for o in catalog.objects
    ]
    return json.dumps(objects, indent=1, ensure_ascii=False, default=str) + "\n"
