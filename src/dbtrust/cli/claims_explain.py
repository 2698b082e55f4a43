"""dbtrust claims explain: the plan of a query, or a saved plan, as a readable tree."""

from __future__ import annotations

import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import click

from dbtrust.cli.options import Shared, live_engines, option, plan_options, shared
from dbtrust.cli.output import check_output, note, screen, write_file, write_out
from dbtrust.cli.progress import show_progress
from dbtrust.model.errors import ConfigError, DbtrustError
from dbtrust.model.location import Location
from dbtrust.report.plan import Shown, render_plan_html, render_plan_json, render_plan_text

_ENGINES = {"postgres": "PostgreSQL", "mongo": "MongoDB"}


@click.command("explain")
@click.argument("what", metavar="NAME|FILE|-")
@click.argument("project", default=".", type=click.Path(path_type=Path))
@option("--example", metavar="LABEL", help="The example of the query to run (default: its first).")
@option(
    "--plan",
    "number",
    type=click.IntRange(min=1),
    metavar="N",
    help="The N-th plan, where there are several.",
)
@option("--analyze", is_flag=True, help="On a target let EXPLAIN execute what only reads.")
@plan_options
@click.pass_context
def command(
    context: click.Context, what: str, project: Path, example: str | None, number: int | None, analyze: bool,
    **options: Any,
) -> int:  # fmt: skip
    """Show the plan of a query of PROJECT, or a saved plan.

    NAME is a query as check names it: users.by_id, or ProductQueries.by_name on MongoDB. It is put on a server
    as check does it, and one of its examples is run. FILE, or - for standard input, holds what EXPLAIN
    (text, JSON or YAML) or explain() (JSON, extended JSON or shell syntax) printed; no server is needed.
    With --postgres, --mongo or --target given as an option a query is explained on that database itself, read
    only, and executed there only with --analyze.
    """
    asked = shared(options)
    check_output(asked.output)
    plans = _saved(what) if what == "-" or _is_file(what) else None
    if plans is None:
        plans = _explained(what, project, example, asked, live_engines(context), analyze)
    chosen = _choose(plans, number)
    _show(chosen, asked)
    if len(plans) > 1 and number is None:
        note(f"plan 1 of {len(plans)} is shown; --plan 2 shows the next one")
    if asked.format != "text" or asked.output is not None:
        note(chosen.title)
    return 0


def _is_file(what: str) -> bool:
    """Anything that can be read, a pipe of the shell too; a folder is none."""
    try:
        return not stat.S_ISDIR(Path(what).stat().st_mode)
    except (OSError, ValueError):
        return False


def _saved(what: str) -> list[Shown]:
    from dbtrust.engine.plan_file import read_plans

    name = "standard input" if what == "-" else Path(what).as_posix()
    plans = read_plans(_read(what, name), name)
    return [Shown(saved.plan, f"{saved.form} plan of {name}, line {saved.line}") for saved in plans]


def _read(what: str, name: str) -> bytes:
    from dbtrust.engine.plan_file import LIMIT

    try:
        if what != "-":
            with Path(what).open("rb") as file:
                return _all(file, LIMIT + 1)
        return _all(sys.stdin.buffer, LIMIT + 1) if sys.stdin is not None else b""
    except OSError as error:
        raise DbtrustError(
            f"cannot be read: {error.strerror}", location=Location(name), next="mend its rights"
        ) from error


def _all(file: IO[bytes], most: int) -> bytes:
    """Up to `most` bytes; a pipe gives them in pieces."""
    pieces, size = list[bytes](), 0
    while size < most and (piece := file.read(min(most - size, 1 << 20))):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def _explained(
    name: str, folder: Path, example: str | None, asked: Shared, live: frozenset[str], analyze: bool
) -> list[Shown]:
    from dbtrust.checks.api import at_database
    from dbtrust.claims.explain import Where, explain_query, find_query
    from dbtrust.model.project import Query
    from dbtrust.source.config import load_config
    from dbtrust.source.modules import project_path
    from dbtrust.source.project import read_project
    from dbtrust.source.targets import target_urls

    try:
        config = load_config(folder)
    except ConfigError as error:
        raise ConfigError(
            f"no file {name}, and no query: {error.message}", location=error.location, next=error.next
        ) from error
    postgres, mongo = target_urls(config, asked.target, asked.postgres, asked.mongo)
    if asked.database:
        postgres, mongo = at_database(postgres, mongo, asked.database)
    with project_path(config), show_progress(asked.quiet) as progress:
        project = read_project(config)
        query = find_query(project, name)
        engine, url = ("postgres", postgres) if isinstance(query, Query) else ("mongo", mongo)
        where = Where(url, engine in live, analyze)
        found = explain_query(project, query, example, where, progress)
    with_example = f", example {found.example}" if found.example else ""
    return [
        Shown(plan, f"{_ENGINES[plan.engine]} {plan.server_version} plan of {found.subject}{with_example}")
        for plan in found.plans
    ]


def _choose(plans: Sequence[Shown], number: int | None) -> Shown:
    if number is not None and number > len(plans):
        count = "is one plan" if len(plans) == 1 else f"are {len(plans)} plans"
        raise ConfigError(f"--plan {number}: there {count}", next=f"use --plan 1 to --plan {len(plans)}")
    return plans[(number or 1) - 1]


def _show(shown: Shown, asked: Shared) -> None:
    if asked.format == "json":
        text = render_plan_json(shown.plan)
    elif asked.format == "html":
        text = render_plan_html(shown)
    else:
        look = screen(asked.output)._asdict()
        text = render_plan_text(shown, **look, quiet=asked.quiet, verbose=asked.verbose)
    if asked.output is not None:
        write_file(asked.output, text)
    else:
        write_out(text)
