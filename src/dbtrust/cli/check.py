"""dbtrust check: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dbtrust.cli.options import Shared, option, report_options, shared
from dbtrust.cli.output import check_output, show, write_file
from dbtrust.cli.progress import show_progress
from dbtrust.model.errors import ConfigError
from dbtrust.model.report import Report

MUTATION = "schema.mutation"


@click.command()
@click.argument("project", default=".", type=click.Path(path_type=Path))
@report_options
@option(
    "--write-proofs",
    metavar="FILE",
    multiple=True,
    help="Write what would kill the mutants that survive: FILE.sql for PostgreSQL, FILE.py for MongoDB.",
)
@option("--ignore-column-order", is_flag=True, help="schema.drift: columns in another order are equal.")
def check(project: Path, write_proofs: tuple[str, ...], ignore_column_order: bool, **options: Any) -> int:
    """Prove what the database code of PROJECT says, on real servers.

    PROJECT is a folder with dbtrust.toml (default: this folder). dbtrust starts PostgreSQL and MongoDB of its
    own, applies the schema and the migrations, loads the data, runs every query, and answers for each
    statement: holds, refuted or unproved, with the evidence. It runs the project's code: check only what you
    trust.
    """
    asked = shared(options)
    check_output(asked.output)
    files = proof_files(write_proofs, asked.only)
    report = run_project(project, asked, column_order=not ignore_column_order)
    for file in files:
        write_file(file, proofs_text(report, file.suffix))
    show(report, asked)
    return report.exit_code


def proof_files(names: tuple[str, ...], only: tuple[str, ...]) -> list[Path]:
    """The files of --write-proofs. Raises ConfigError where one is there already or is of no known kind."""
    from dbtrust.checks.select import Selection

    files = [Path(name) for name in names]
    if files and not Selection.of(only).names(MUTATION):
        raise ConfigError(
            "--write-proofs writes what a mutation run found",
            next=f"add --only {MUTATION}, which no other run does",
        )
    for file in files:
        if file.suffix not in (".sql", ".py"):
            raise ConfigError(
                f"--write-proofs {file}: neither .sql nor .py", next="name a .sql or a .py file"
            )
        if file.exists():
            raise ConfigError(f"--write-proofs {file}: the file is there already", next="name another file")
        check_output(file)
    return files


def proofs_text(report: Report, suffix: str) -> str:
    """The proofs of every survivor of one engine as the text of a file."""
    from dbtrust.schema.mutation import proofs_of

    return proofs_of(report.sorted_verdicts(), "postgres" if suffix == ".sql" else "mongo")


def run_project(
    project: Path,
    asked: Shared,
    *,
    live: frozenset[str] = frozenset(),
    analyze: bool = False,
    column_order: bool = True,
) -> Report:
    """Judges one project as the options ask, with progress on a terminal; `live` as in checks.api.Options."""
    from dbtrust.checks.api import Options, run_check

    with show_progress(asked.quiet) as progress:
        return run_check(
            Options(
                project=project, only=asked.only, postgres=asked.postgres, mongo=asked.mongo,
                strict=asked.strict, fail_on=asked.fail_on, target=asked.target, database=asked.database,
                live=live, analyze=analyze, column_order=column_order, progress=progress,
            )
        )  # fmt: skip
