"""dbtrust migrate new."""

from __future__ import annotations

from pathlib import Path

import click

from dbtrust.cli.migrating import project_argument
from dbtrust.cli.options import ENGINES, option
from dbtrust.cli.output import say


@click.command("new")
@click.argument("name", metavar="NAME")
@project_argument
@option(
    "--engine", type=click.Choice(ENGINES), help="Default: the engine that the project has, else postgres."
)
def command(name: str, project: Path, engine: str | None) -> None:
    """Write the files of the next migration into the project's folder; no server is needed.

    The number has as many digits as the last one; a folder of timestamps gets a timestamp.
    """
    from dbtrust.source.config import load_config
    from dbtrust.source.new_migration import write_migration

    config = load_config(project)
    chosen = engine or ("mongo" if config.mongo and not config.postgres else "postgres")
    for file in write_migration(config, name, chosen):
        say(f"wrote {file}")
