"""dbtrust claims: contracts of queries and claims about plans, alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from dbtrust.cli.check import run_project
from dbtrust.cli.options import option, report_options, shared
from dbtrust.cli.output import check_output, show
from dbtrust.cli.subverbs import subverbs

#: Sub-command -> (module with the click command `command`, one line for the list).
SUBS: dict[str, tuple[str, str]] = {
    "baseline": ("dbtrust.cli.claims_baseline", "Keep the plans of today, to see later changes."),
    "why": ("dbtrust.cli.claims_why", "Explain one query's refuted claims, and what would change them."),
    "explain": ("dbtrust.cli.claims_explain", "Show the plan of a query, or a saved plan, as a tree."),
}
_CHECKS = ("query.", "contract.", "claim.")
_ENGINES = ("postgres", "mongo")


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
    ids = tuple(word for word in asked.only if word not in _ENGINES)
    asked = replace(asked, only=(*asked.only, *(() if ids else _CHECKS)))
    report = run_project(project, asked, live=_live(context), analyze=analyze)
    show(report, asked)
    return report.exit_code


def _live(context: click.Context) -> frozenset[str]:
    """The engines whose database was named by an option; the environment names servers for scratch databases."""
    said = {name for name in (*_ENGINES, "target") if context.get_parameter_source(name) == _OPTION}
    return frozenset(_ENGINES if "target" in said else said)


_OPTION = click.core.ParameterSource.COMMANDLINE
