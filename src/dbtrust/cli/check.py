"""dbtrust check: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dbtrust.cli.options import Shared, option, report_options, shared
from dbtrust.cli.output import check_output, show
from dbtrust.cli.progress import show_progress
from dbtrust.model.report import Report


@click.command()
@click.argument("project", default=".", type=click.Path(path_type=Path))
@report_options
@option("--ignore-column-order", is_flag=True, help="schema.drift: columns in another order are equal.")
def check(project: Path, ignore_column_order: bool, **options: Any) -> int:
    """Prove what the database code of PROJECT says, on real servers.

    PROJECT is a folder with dbtrust.toml (default: this folder). dbtrust starts PostgreSQL and MongoDB of its
    own, applies the schema and the migrations, loads the data, runs every query, and answers for each
    statement: holds, refuted or unproved, with the evidence. It runs the project's code: check only what you
    trust.
    """
    asked = shared(options)
    check_output(asked.output)
    report = run_project(project, asked, column_order=not ignore_column_order)
    show(report, asked)
    return report.exit_code


def run_project(
    project: Path,
    asked: Shared,
    *,
    live: frozenset[str] = frozenset(),
    analyze: bool = False,
    column_order: bool = True,
) -> Report:
    """Judges one project as the options ask, with progress on a terminal; `live` as in checks.api.Options."""
    from dbtrust.checks.api import Options, run_check

    with show_progress(asked.quiet) as progress:
        return run_check(
            Options(
                project=project, only=asked.only, postgres=asked.postgres, mongo=asked.mongo,
                strict=asked.strict, fail_on=asked.fail_on, target=asked.target, database=asked.database,
                live=live, analyze=analyze, column_order=column_order, progress=progress,
            )
        )  # fmt: skip
