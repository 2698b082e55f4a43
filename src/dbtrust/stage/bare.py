"""Servers with nothing on them: databases of dbtrust's own, on an embedded server or on one of the user's."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from dbtrust.model.progress import Progress
from dbtrust.model.project import Config, MongoConfig, PostgresConfig

if TYPE_CHECKING:
    from dbtrust.engine.postgres.scratch import Scratch
    from dbtrust.engine.runs import Run
    from dbtrust.stage.mongo import MongoStage


def lazy_run(stack: ExitStack) -> Callable[[], Run]:
    """The folder of embedded servers, made when the first is asked for; it goes with `stack`."""
    made: list[Run] = []

    def get() -> Run:
        from dbtrust.engine.runs import Run

        if not made:
            made.append(stack.enter_context(Run()))
        return made[0]

    return get


@contextmanager
def bare_postgres(
    config: Config, run: Callable[[], Run], url: str | None, progress: Progress
) -> Generator[Scratch]:
    """Makes empty databases with the project's extensions, settings and (embedded) roles. Raises ServerError."""
    from dbtrust.engine.postgres.binaries import find_postgres
    from dbtrust.engine.postgres.roles import configured_roles
    from dbtrust.engine.postgres.scratch import Scratch, TargetHost
    from dbtrust.engine.postgres.server import OWNER, start_postgres

    wanted = config.postgres or PostgresConfig()
    if url:
        scratch = Scratch(TargetHost(url), wanted.extensions, settings=wanted.settings)
    else:
        progress("starting PostgreSQL")
        binaries = find_postgres(wanted.version)
        server = start_postgres(run(), binaries, settings=wanted.settings, progress=progress)
        scratch = Scratch(server, wanted.extensions)
    try:
        if not url:
            with scratch.admin("postgres") as admin:
                configured_roles(admin, wanted.roles, OWNER)
        yield scratch
    finally:
        scratch.close()


@contextmanager
def bare_mongo(
    config: Config, run: Callable[[], Run], url: str | None, progress: Progress
) -> Generator[MongoStage]:
    """Makes empty databases that are dropped at the end. Raises ServerError."""
    from dbtrust.engine.mongo.binaries import find_mongod
    from dbtrust.engine.mongo.connect import connect
    from dbtrust.engine.mongo.scratch import sweep
    from dbtrust.engine.mongo.server import start_mongo
    from dbtrust.stage.mongo import EMBEDDED_MS, MongoStage

    wanted = config.mongo or MongoConfig()
    if url:
        client = connect(url)
        stage = MongoStage(client, url, str(client.server_info()["version"]), embedded=False)
    else:
        progress("starting MongoDB")
        server = start_mongo(run(), find_mongod(wanted.version), progress=progress)
        client = connect(server.url(), timeout_ms=EMBEDDED_MS)
        stage = MongoStage(client, server.url(), server.version, embedded=True, server=server)
    try:
        if url:
            sweep(client)
            stage.mark()
        yield stage
    finally:
        stage.close()
