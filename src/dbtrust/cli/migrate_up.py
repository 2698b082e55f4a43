"""dbtrust migrate up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dbtrust.cli.migrating import lock_option, project_argument, run_on_targets
from dbtrust.cli.options import option, target_report_options


@click.command("up")
@project_argument
@option("--to", metavar="N", help="Up to and with this number.")
@option("--out-of-order", is_flag=True, help="Also those below the highest number that is applied.")
@lock_option
@target_report_options
def command(project: Path, to: str | None, out_of_order: bool, lock_wait: float, **options: Any) -> int:
    """Apply what the ledgers of the target do not have, the lowest number first.

    After a crash the same command finishes what was begun. An applied file that was edited, and a number that was
    added below an applied one, stop the run before it begins. A migration whose engine has no target stops it
    there (exit code 3), unless --only chooses the other engine.
    """
    from dbtrust.migrate.flow import up

    return run_on_targets(
        project, options, lambda session: up(session, to=to, out_of_order=out_of_order), lock_wait=lock_wait
    )
