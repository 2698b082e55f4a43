"""dbtrust claims baseline: keep the plans of today, so that a later change is seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dbtrust.cli.options import option, report_options, shared
from dbtrust.cli.output import check_output, show
from dbtrust.cli.progress import show_progress


@click.command("baseline")
@click.argument("project", default=".", type=click.Path(path_type=Path))
@option("--check", "dry", is_flag=True, help="Write nothing; exit code 1 if a file would change.")
@report_options
def command(project: Path, dry: bool, **options: Any) -> int:
    """Write the decisions of each query's plan to baselines/ of PROJECT, one file a query.

    A decision is what the planner chose: scans, joins, indexes, their order; no costs, rows or values. `check` and
    `claims` then refute a query whose plan is another one (claim.baseline). Here --only takes an engine or the
    beginning of a query, such as query:users. A file whose query is gone is removed.
    """
    from dbtrust.checks.api import Options
    from dbtrust.checks.baselines import take_baselines

    asked = shared(options)
    check_output(asked.output)
    with show_progress(asked.quiet) as progress:
        report = take_baselines(
            Options(
                project=project, only=asked.only, postgres=asked.postgres, mongo=asked.mongo,
                strict=asked.strict, fail_on=asked.fail_on, target=asked.target, database=asked.database,
                progress=progress,
            ),
            dry=dry,
        )  # fmt: skip
    show(report, asked)
    return report.exit_code
