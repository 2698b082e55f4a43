"""dbtrust migrate plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dbtrust.cli.migrating import finish, project_argument, targets
from dbtrust.cli.options import option, report_options, shared
from dbtrust.cli.output import check_output
from dbtrust.cli.progress import show_progress
from dbtrust.model.errors import DbtrustError
from dbtrust.model.report import Problem, Report


@click.command("plan")
@project_argument
@option("--to", metavar="N", help="Up to and with this number.")
@option("--out-of-order", is_flag=True, help="Also those below the highest number that is applied.")
@report_options
def command(project: Path, to: str | None, out_of_order: bool, **options: Any) -> int:
    """Try what `up` would do on a database of dbtrust's own, and show what each step was seen to do.

    The locks are read from pg_locks after each statement, and a rewrite is a table whose file became another one.
    With a target, what its ledger has is built first, in a scratch database on that server; without one, embedded
    servers begin with nothing. The tables are empty: durations are not shown.
    """
    from dbtrust.migrate.plan import plan

    wanted = shared(options)
    check_output(wanted.output)
    with show_progress(wanted.quiet) as progress:
        try:
            config, asked = targets(project, wanted, 60.0, progress)
            report = plan(config, asked, to=to, out_of_order=out_of_order)
        except DbtrustError as error:
            report = Report(None, errors=(Problem.of(error),))
    return finish(report, wanted)
