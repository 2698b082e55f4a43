"""dbtrust claims why: one query's claims, the plans behind them, and what would change the planner's choice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dbtrust.cli.options import (
    format_option,
    option,
    output_option,
    quiet_option,
    server_options,
    shared,
    verbose_option,
)
from dbtrust.cli.output import check_output, deliver, screen
from dbtrust.cli.progress import show_progress


@click.command()
@click.argument("name")
@click.argument("project", default=".", type=click.Path(path_type=Path))
@option("--claim", metavar="TEXT", help="Only this claim, or the one that begins so.")
@option("--builds", type=click.IntRange(min=0), default=8, show_default=True,
        help="Build the data with other numbers of rows at most so often; 0: not at all.")  # fmt: skip
@option("--seconds", type=click.FloatRange(min=0), default=120.0, show_default=True,
        help="Begin nothing more after so many seconds.")  # fmt: skip
@server_options
@format_option("text", "json")
@output_option
@quiet_option
@verbose_option
def command(name: str, project: Path, claim: str | None, builds: int, seconds: float, **options: Any) -> int:
    """Explain the refuted claims of query NAME of PROJECT: why the server plans otherwise, and what would change it.

    NAME is users.by_username, or by_username where only one query is called so; on MongoDB
    ProductQueries.by_name. Where nothing is refuted it tells by how much each claim holds. All changes are made
    on copies that are dropped; nothing of the project changes.
    """
    from dbtrust.claims.why import Bounds, Request, why

    asked = shared(options)
    check_output(asked.output)
    with show_progress(asked.quiet) as progress:
        found = why(
            Request(
                name, project, claim, asked.postgres, asked.mongo, asked.target, asked.database,
                Bounds(builds, seconds), progress,
            )
        )  # fmt: skip
    from dbtrust.report.why import render_why_json, render_why_text

    text = (
        render_why_json(found)
        if asked.format == "json"
        else render_why_text(found, **screen(asked.output)._asdict(), verbose=asked.verbose)
    )
    deliver(text, asked)
    return 0
