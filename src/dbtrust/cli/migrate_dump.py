"""dbtrust migrate dump."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dbtrust.cli.migrating import project_argument, targets
from dbtrust.cli.options import (
    format_option,
    only_option,
    output_option,
    quiet_option,
    server_options,
    shared,
    verbose_option,
)
from dbtrust.cli.output import check_output, deliver
from dbtrust.cli.progress import show_progress


@click.command("dump")
@project_argument
@format_option("text")
@output_option
@only_option
@server_options
@quiet_option
@verbose_option
def command(project: Path, **options: Any) -> None:
    """Show the schema as a text for review: SQL for PostgreSQL, JSON for MongoDB.

    Without a target it is what the folder builds on embedded servers; with one, the database itself, read only.
    The same schema gives the same text, so two of them can be compared. It is no backup.
    """
    from dbtrust.migrate.dump import dump

    wanted = shared(options)
    check_output(wanted.output)
    with show_progress(wanted.quiet) as progress:
        config, asked = targets(project, wanted, 60.0, progress)
        text = dump(config, asked)
    deliver(text, wanted)
