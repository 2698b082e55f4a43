"""`check` as a function: `dbtrust.check(project)` in Python, `run_check(options)` for the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dbtrust.model.errors import ConfigError, DbtrustError
from dbtrust.model.progress import Progress, silent
from dbtrust.model.report import Problem, Report


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line or a caller asked for; None leaves it to dbtrust.toml.

    `live`: the engines whose URL is a database to judge itself, read only, and not a server for scratch
    databases; `analyze` lets EXPLAIN execute there.
    """

    project: Path
    only: tuple[str, ...] = ()
    postgres: str | None = None
    mongo: str | None = None
    strict: bool = False
    fail_on: str | None = None
    target: str | None = None
    database: str | None = None
    live: frozenset[str] = frozenset()
    analyze: bool = False
    column_order: bool = True
    progress: Progress = silent


def check(
    project: Path, *, only: Sequence[str] = (), postgres: str | None = None, mongo: str | None = None
) -> Report:
    """Checks the project in a folder on embedded servers, or on scratch databases of the servers named by URL.

    Every error that the user can mend is in `Report.errors`; `Report.exit_code` is that of the command line.
    """
    return run_check(Options(Path(project), tuple(only), postgres, mongo))


def run_check(options: Options) -> Report:
    """The report of one run. Raises only what is a bug of dbtrust, KeyboardInterrupt and Interrupted."""
    from dbtrust.checks.drift import refuse_without_target
    from dbtrust.checks.flow import check_project
    from dbtrust.checks.select import Selection
    from dbtrust.source.config import load_config
    from dbtrust.source.targets import target_urls

    try:
        selection = Selection.of(options.only)
        config = load_config(options.project)
        postgres, mongo = target_urls(config, options.target, options.postgres, options.mongo)
        if options.database:
            postgres, mongo = at_database(postgres, mongo, options.database)
        refuse_without_target(selection, postgres, mongo)
    except ConfigError as error:
        return Report(
            None, errors=(Problem.of(error),), fail_on=options.fail_on or "error", strict=options.strict
        )
    except DbtrustError as error:
        return Report(None, errors=(Problem.of(error),))
    return check_project(
        config, selection, postgres=postgres, mongo=mongo, strict=options.strict or config.strict,
        fail_on=options.fail_on or config.fail_on, live=options.live, analyze=options.analyze,
        column_order=options.column_order, progress=options.progress,
    )  # fmt: skip


def at_database(postgres: str | None, mongo: str | None, database: str) -> tuple[str | None, str | None]:
    """Both URLs with another database.

    Raises ConfigError for a URL that cannot be read.
    """
    if postgres:
        from dbtrust.engine.postgres.connect import with_database

        postgres = with_database(postgres, database)
    if mongo is not None:
        from dbtrust.engine.mongo.urls import with_database as with_mongo_database

        mongo = with_mongo_database(mongo, database)
    return postgres, mongo
