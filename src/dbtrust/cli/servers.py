"""`dbtrust servers`: the embedded servers as a developer's own databases."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dbtrust.model.errors import ServerError
from dbtrust.model.progress import Progress, silent

if TYPE_CHECKING:
    from dbtrust.engine.named import Engine, NamedServer

_LABELS = {"postgres": "PostgreSQL", "mongo": "MongoDB"}


@click.group()
def servers() -> None:
    """Run the embedded servers as your own databases."""


def _common(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("-q", "--quiet", is_flag=True, help="No progress."),
        click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file."),
        click.option(
            "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
        ),
        click.option("--name", default="default", show_default=True, help="The pair of servers."),
        click.option("--only", type=click.Choice(["postgres", "mongo"]), help="One of the two."),
    ):
        command = option(command)
    return command


@servers.command()
@_common
def start(only: Engine | None, name: str, form: str, output: Path | None, quiet: bool) -> None:
    """Start a pair that keeps its data and go on when dbtrust ends; prints the URLs."""
    from dbtrust.engine import named

    progress = _progress(quiet)
    started: dict[str, NamedServer | None] = {}
    failures: list[ServerError] = []
    for engine in _chosen(only):
        try:
            started[engine] = named.start(engine, name, progress=progress)
        except ServerError as error:  # the other one is of use all the same
            failures.append(error)
    _show(started, form, output, absent="not started")
    if failures:
        raise _joined(failures)


@servers.command()
@_common
def status(only: Engine | None, name: str, form: str, output: Path | None, quiet: bool) -> None:
    """Show the URLs of a pair, as far as it runs."""
    del quiet
    from dbtrust.engine import named

    _show(
        {engine: named.status(engine, name) for engine in _chosen(only)}, form, output, absent="not running"
    )


@servers.command()
@click.option("--only", type=click.Choice(["postgres", "mongo"]), help="One of the two.")
@click.option("--name", default="default", show_default=True, help="The pair of servers.")
@click.option("--delete", is_flag=True, help="Delete the data too.")
def stop(only: Engine | None, name: str, delete: bool) -> None:
    """Stop a pair; its data stay unless --delete is given."""
    from dbtrust.engine import named

    for engine in _chosen(only):
        was_running = named.stop(engine, name, delete=delete, progress=_progress(quiet=False))
        click.echo(f"{_LABELS[engine]}: {'stopped' if was_running else 'was not running'}")


@servers.command()
@click.option(
    "--older-than", "days", type=click.FloatRange(min=0), default=30.0, show_default=True, help="Days."
)
@click.option("--all", "everything", is_flag=True, help="Every template, and the copied server programs.")
def prune(days: float, everything: bool) -> None:
    """Remove what dead runs left, and cached templates that nobody used for a while."""
    from dbtrust.engine import templates
    from dbtrust.engine.runs import sweep

    runs, removed = sweep(), templates.prune(days, everything=everything)
    click.echo(f"removed {len(runs)} stale run(s) and {len(removed)} cached folder(s)")


def _chosen(only: Engine | None) -> tuple[Engine, ...]:
    return (only,) if only else ("postgres", "mongo")


def _progress(quiet: bool) -> Progress:
    if quiet or not sys.stderr.isatty():
        return silent

    def say(message: str, /) -> None:
        click.echo(message, err=True)

    return say


def _joined(failures: list[ServerError]) -> ServerError:
    steps = dict.fromkeys(failure.next for failure in failures if failure.next)
    return ServerError("; ".join(failure.message for failure in failures), next="; ".join(steps))


def _show(found: Mapping[str, NamedServer | None], form: str, output: Path | None, *, absent: str) -> None:
    text = _json(found) if form == "json" else _text(found, absent)
    if output is None:
        click.echo(text)
    else:
        output.write_text(text + "\n", encoding="utf-8")


def _json(found: Mapping[str, NamedServer | None]) -> str:
    document: dict[str, Any] = {"schema": 1}
    for engine in _LABELS:
        server = found.get(engine)
        document[engine] = asdict(server) if server else None
    return json.dumps(document)


def _text(found: Mapping[str, NamedServer | None], absent: str) -> str:
    def line(engine: str, server: NamedServer | None) -> str:
        if server is None:
            return f"{_LABELS[engine]}: {absent}"
        return f"{_LABELS[engine]} {server.version}  {server.url}  pid {server.pid}"

    return "\n".join(line(engine, server) for engine, server in found.items())
