"""dbtrust migrate status."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dbtrust.cli.migrating import project_argument, run_on_targets
from dbtrust.cli.options import option, target_report_options


@click.command("status")
@project_argument
@option("--check", is_flag=True, help="Exit code 1 where something is not applied.")
@target_report_options
def command(project: Path, check: bool, **options: Any) -> int:
    """Show every migration of the folder and of the target's ledgers. Nothing is locked or written."""
    from dbtrust.migrate.status import status

    return run_on_targets(project, options, lambda session: status(session, check=check))
