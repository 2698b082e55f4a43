"""What the sub-commands of `migrate` share: the targets, the session, and how the result is shown."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dbtrust.cli.options import ENGINES, Shared, option, shared
from dbtrust.cli.output import check_output, complain, deliver, screen, show
from dbtrust.cli.progress import show_progress
from dbtrust.model.errors import ConfigError
from dbtrust.model.report import Problem, Report

if TYPE_CHECKING:
    from dbtrust.migrate.session import Asked, Session
    from dbtrust.model.progress import Progress
    from dbtrust.model.project import Config


class _Seconds(click.FloatRange):
    """A span of time; "nan" is a float to Python, and every comparison with it is false."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds: float = super().convert(value, param, ctx)
        if isnan(seconds):
            self.fail(f"{value!r} is no number of seconds.", param, ctx)
        return seconds


project_argument = click.argument("project", default=".", type=click.Path(path_type=Path))
lock_option = option(
    "--lock-wait", metavar="SECONDS", type=_Seconds(min=0), default=60.0, show_default=True,
    help="How long to wait for another runner of migrations.",
)  # fmt: skip


def run_on_targets(
    project: Path, options: dict[str, Any], work: Callable[[Session], None], *, lock_wait: float = 60.0
) -> int:
    """Opens the targets, does the work and shows the report; its exit code."""
    from dbtrust.migrate.session import opened

    wanted = shared(options)
    check_output(wanted.output)
    with show_progress(wanted.quiet) as progress:
        try:
            config, asked = targets(project, wanted, lock_wait, progress)
            with opened(config, asked) as session:
                work(session)
                report = session.report()
        except ConfigError as error:
            report = Report(None, errors=(Problem.of(error),))
    return finish(report, wanted)


def targets(project: Path, wanted: Shared, lock_wait: float, progress: Progress) -> tuple[Config, Asked]:
    """The configuration and the URLs that the options, the environment or [targets] name. Raises ConfigError."""
    from dataclasses import replace

    from dbtrust.migrate.session import Asked
    from dbtrust.source.config import load_config
    from dbtrust.source.targets import target_urls

    unknown = [word for word in wanted.only if word not in ENGINES]
    if unknown:
        raise ConfigError(f"--only {unknown[0]}: migrations are chosen by engine", next="postgres or mongo")
    config = load_config(project)
    if wanted.strict or wanted.fail_on:
        config = replace(config, strict=wanted.strict, fail_on=wanted.fail_on or config.fail_on)
    postgres, mongo = target_urls(config, wanted.target, wanted.postgres, wanted.mongo)
    if wanted.database:
        from dbtrust.checks.api import at_database

        postgres, mongo = at_database(postgres, mongo, wanted.database)
    urls: Any = {"postgres": postgres, "mongo": mongo}
    only: Any = frozenset(wanted.only)
    return config, Asked(urls, only, lock_wait, progress)


def finish(report: Report, wanted: Shared) -> int:
    """Shows a report of migrations; text is a table in the order of the numbers."""
    if wanted.format != "text":
        show(report, wanted)
        return report.exit_code
    from dbtrust.report.migrate import render_migrations

    looks = screen(wanted.output)
    deliver(render_migrations(report, **looks._asdict(), quiet=wanted.quiet, verbose=wanted.verbose), wanted)
    complain(*report.sorted_errors())
    return report.exit_code
