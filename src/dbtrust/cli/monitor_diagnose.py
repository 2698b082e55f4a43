"""dbtrust monitor diagnose: what is slow and why, and what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dbtrust.cli.monitor import begun, reading_options
from dbtrust.cli.options import option, target_report_options
from dbtrust.cli.output import show


@click.command("diagnose")
@click.argument("project", default=".", type=click.Path(path_type=Path))
@option(
    "--from",
    "saved",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Judge this snapshot; no server is asked.",
)
@reading_options
@target_report_options
def command(project: Path, **options: Any) -> int:
    """Judge the servers of a target, or a snapshot of them, by every diagnostic (docs/monitor.md).

    What was not examined is said with what it needs. Exit code 1: a finding at or above --fail-on. PROJECT is
    only read for its targets; with a URL or --from it needs no dbtrust.toml.
    """
    from dbtrust.monitor.flow import diagnose

    asked, report = begun(project, options, diagnose)
    if report is None:
        return 0
    show(report, asked)
    return report.exit_code
