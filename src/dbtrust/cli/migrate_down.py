"""dbtrust migrate down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dbtrust.cli.migrating import lock_option, project_argument, run_on_targets
from dbtrust.cli.options import option, target_report_options


@click.command("down")
@project_argument
@option("--to", metavar="N", help="Undo everything above this number; 0: all but a number 0.")
@lock_option
@target_report_options
def command(project: Path, to: str | None, lock_wait: float, **options: Any) -> int:
    """Undo the last migration of the target: the highest number over both engines.

    Where one of them has no down, or its file is gone, nothing is undone.
    """
    from dbtrust.migrate.flow import down

    return run_on_targets(project, options, lambda session: down(session, to=to), lock_wait=lock_wait)
