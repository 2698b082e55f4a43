"""dbtrust migrate adopt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dbtrust.cli.migrating import lock_option, project_argument, run_on_targets
from dbtrust.cli.options import option, target_report_options

TOOLS = (
    "alembic", "golang-migrate", "dbmate", "rails", "flyway", "django", "goose", "sql-migrate", "diesel", "sqlx",
    "migrate-mongo",
)  # fmt: skip


@click.command("adopt")
@project_argument
@option("--from", "tool", type=click.Choice(TOOLS), help="Where the target has ledgers of several tools.")
@option("--app", metavar="NAME", help="The app of Django whose migrations the folder holds.")
@option("--dry-run", is_flag=True, help="Say what would be taken over, and write nothing.")
@lock_option
@target_report_options
def command(
    project: Path, tool: str | None, app: str | None, dry_run: bool, lock_wait: float, **options: Any
) -> int:
    """Take over the ledger of another migration tool on the target: what it has applied counts as applied.

    A row is taken where the folder has a file of the same number, and of the same name where the tool keeps names.
    What has no counterpart is listed. A dirty or failed state is refused. The other tool's ledger stays as it is.
    """
    from dbtrust.migrate.adopt import adopt

    return run_on_targets(
        project, options, lambda session: adopt(session, tool=tool, app=app, dry=dry_run), lock_wait=lock_wait
    )
