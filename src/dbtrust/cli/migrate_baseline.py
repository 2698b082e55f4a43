"""dbtrust migrate baseline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dbtrust.cli.migrating import lock_option, project_argument, run_on_targets
from dbtrust.cli.options import option, target_report_options


@click.command("baseline")
@project_argument
@option("--to", metavar="N", required=True, help="Up to and with this number.")
@lock_option
@target_report_options
def command(project: Path, to: str, lock_wait: float, **options: Any) -> int:
    """Take everything up to a number as applied, and run nothing of it.

    For a database that was built before there was a ledger. Refused where the ledger has something else.
    """
    from dbtrust.migrate.marks import baseline

    return run_on_targets(project, options, lambda session: baseline(session, to), lock_wait=lock_wait)
