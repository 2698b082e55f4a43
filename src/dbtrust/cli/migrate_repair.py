"""dbtrust migrate repair."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dbtrust.cli.migrating import lock_option, run_on_targets
from dbtrust.cli.options import option, target_report_options


@click.command("repair")
@click.argument("number", metavar="N")
@click.argument("project", default=".", type=click.Path(path_type=Path))
@option("--mark", type=click.Choice(["done", "pending"]), required=True, help="What the migration is.")
@option(
    "--whole", is_flag=True, help="Of a half-run migration: all of it, not only the step that is in doubt."
)
@lock_option
@target_report_options
def command(number: str, project: Path, mark: str, whole: bool, lock_wait: float, **options: Any) -> int:
    """Say of migration N that it is applied (--mark done) or is not (--mark pending); nothing of it is run.

    For a step that nobody can ask whether it ran, and for an applied file that was edited on purpose: done also
    takes down the text of today. Of a half-run migration it says only whether the step that is in doubt has run.
    """
    from dbtrust.migrate.marks import repair

    return run_on_targets(
        project, options, lambda session: repair(session, number, mark, whole=whole), lock_wait=lock_wait
    )
