"""dbtrust claims: contracts of queries and claims about plans, alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dbtrust.cli.check import run_project
from dbtrust.cli.options import ENGINES, live_engines, option, report_options, shared
from dbtrust.cli.output import check_output, show
from dbtrust.cli.subverbs import subverbs

#: Sub-command -> (module with the click command `command`, one line for the list).
SUBS: dict[str, tuple[str, str]] = {
    "record": ("dbtrust.cli.claims_record", "Run a command and write claims about what it sends."),
    "baseline": ("dbtrust.cli.claims_baseline", "Keep the plans of today, to see later changes."),
    "why": ("dbtrust.cli.claims_why", "Explain one query's refuted claims, and what would change them."),
    "explain": ("dbtrust.cli.claims_explain", "Show the plan of a query, or a saved plan, as a tree."),
}
_CHECKS = ("query.", "contract.", "claim.")


@click.command(cls=subverbs(SUBS))
@click.argument("project", default=".", type=click.Path(path_type=Path))
@option("--analyze", is_flag=True, help="On a target let EXPLAIN execute what only reads.")
@report_options
@click.pass_context
def claims(context: click.Context, project: Path, analyze: bool, **options: Any) -> int:
    """Judge the queries of PROJECT: what they say in signatures and claims.

    The same as `check` with nothing but query.*, contract.* and claim.*. With --postgres, --mongo or --target
    given as an option (not by the environment) that database itself is judged as it is: in READ ONLY
    transactions, by EXPLAIN, which executes nothing unless --analyze is given.
    """
    asked = shared(options)
    check_output(asked.output)
    ids = tuple(word for word in asked.only if word not in ENGINES)
    asked = asked._replace(only=(*asked.only, *(() if ids else _CHECKS)))
    report = run_project(project, asked, live=live_engines(context), analyze=analyze)
    show(report, asked)
    return report.exit_code
