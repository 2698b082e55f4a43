"""dbtrust claims: contracts of queries and claims about plans, alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from dbtrust.cli.check import run_project
from dbtrust.cli.options import report_options, shared
from dbtrust.cli.output import check_output, show
from dbtrust.cli.subverbs import subverbs

#: Sub-command -> (module with the click command `command`, one line for the list).
SUBS: dict[str, tuple[str, str]] = {
    "record": ("dbtrust.cli.claims_record", "Run a command and write claims about what it sends."),
}
_CHECKS = ("query.", "contract.", "claim.")


@click.command(cls=subverbs(SUBS))
@click.argument("project", default=".", type=click.Path(path_type=Path))
@report_options
def claims(project: Path, **options: Any) -> int:
    """Judge the queries of PROJECT: what they say in signatures and claims.

    The same as `check` with nothing but query.*, contract.* and claim.*.
    """
    asked = shared(options)
    check_output(asked.output)
    report = run_project(project, replace(asked, only=(*asked.only, *_CHECKS)))
    show(report, asked)
    return report.exit_code
