"""dbtrust migrate prove: what the ups and downs of a history really do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from dbtrust.cli.options import ENGINES, Shared, option, report_options, shared
from dbtrust.cli.output import check_output, show
from dbtrust.cli.progress import show_progress
from dbtrust.model.errors import ConfigError
from dbtrust.model.report import Report


@click.command("prove")
@click.argument("project", default=".", type=click.Path(path_type=Path))
@option("--since", metavar="REV", help="Only migrations whose files changed since that revision of git.")
@report_options
def command(project: Path, since: str | None, **options: Any) -> int:
    """Prove the migrations of PROJECT: up, down, equal to before, up again, equal to after.

    PROJECT is a folder with dbtrust.toml, or any folder: then every history in a layout that dbtrust knows is
    found and proven (docs/layouts.md). Embedded servers are used, or with --postgres, --mongo or --target scratch
    databases on those. Scripts are run there, and of an Alembic project its env.py: prove only what you trust.
    """
    asked = shared(options)
    check_output(asked.output)
    report = _proven(project, since, asked)
    show(report, asked)
    return report.exit_code


def _proven(project: Path, since: str | None, asked: Shared) -> Report:
    from dbtrust.checks.api import at_database
    from dbtrust.checks.select import Selection
    from dbtrust.migrate.proving import Proving, prove
    from dbtrust.source.layouts.configured import config_of
    from dbtrust.source.targets import target_urls

    selection = Selection.of(asked.only)
    config = config_of(project)
    postgres, mongo = asked.postgres, asked.mongo
    if config is not None:
        postgres, mongo = target_urls(config, asked.target, postgres, mongo)
    elif asked.target is not None:
        raise ConfigError(
            f"no target {asked.target}: {project} has no dbtrust.toml", next="use --postgres URL"
        )
    if asked.database:
        postgres, mongo = at_database(postgres, mongo, asked.database)
    with show_progress(asked.quiet) as progress:
        report = prove(
            Proving(
                config.root if config else project.resolve(), config, since, postgres, mongo,
                engines=selection.engines or frozenset(ENGINES),
                strict=asked.strict or (config.strict if config else False),
                fail_on=asked.fail_on or (config.fail_on if config else "error"), progress=progress,
            )
        )  # fmt: skip
    verdicts = tuple(
        v for v in report.verdicts if selection.keeps(v.check, v.engine) or _said_of_all(v.engine, selection)
    )
    findings = tuple(f for f in report.findings if selection.keeps(f.rule, f.engine))
    return replace(report, verdicts=verdicts, findings=findings)


def _said_of_all(engine: str | None, selection: Any) -> bool:
    """That a layout is not read concerns every engine."""
    return engine is None and not selection.ids
