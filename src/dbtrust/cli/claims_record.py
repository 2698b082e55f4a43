"""dbtrust claims record: a baseline of claims from whatever a command sends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dbtrust.cli import output
from dbtrust.cli.options import format_option, option, output_option, quiet_option, verbose_option
from dbtrust.cli.progress import show_progress
from dbtrust.model.errors import FAILED, ConfigError
from dbtrust.model.location import NOWHERE

if TYPE_CHECKING:
    from dbtrust.claims.record import Recorded
    from dbtrust.model.plan import Engine


class _WithCommand(click.Command):
    """Everything behind `--` is the command to run."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        ctx.meta["dbtrust.command"] = tuple(args[end + 1 :])
        if "--" in args and end + 1 == len(args):
            raise click.UsageError("no command behind --", ctx)
        return super().parse_args(ctx, args[:end])


@click.command("record", cls=_WithCommand, options_metavar="[OPTIONS]")
@click.argument("project", default=".", type=click.Path(path_type=Path))
@click.option(
    "--write", is_flag=True, help="Write the files; without it the diff is shown and nothing changes."
)
@click.option("--no-rows", is_flag=True, help="Make up no rows for tables that have none.")
@option("--only", type=click.Choice(["postgres", "mongo"]), help="Record one engine.")
@format_option("text", "json")
@output_option
@click.option("--postgres", metavar="URL", hidden=True)
@click.option("--mongo", metavar="URL", hidden=True)
@click.option("--target", metavar="NAME", hidden=True)
@quiet_option
@verbose_option
@click.pass_context
def command(ctx: click.Context, project: Path, **options: Any) -> int:
    """Run a command and write claims about the statements that it sends.

    dbtrust claims record [PROJECT] [OPTIONS] [-- COMMAND …]

    COMMAND (default: [project] tests) runs in PROJECT with DBTRUST_POSTGRES and DBTRUST_MONGO, the URLs of
    scratch copies with history and data. Its statements become queries with examples and claims in
    recorded/, as a diff to review. It runs the project's code.
    """
    _refuse_targets(options)
    file = Path(options["output"]) if options["output"] else None
    output.check_output(file)
    found = _record(project, ctx.meta["dbtrust.command"], options)
    written = bool(options["write"])
    if written:
        _write(project, found)
    text = _shown(found, options["format"], written=written, unwritten_step=not options["quiet"])
    if file is not None:
        output.write_file(file, text)
    else:
        output.write_out(text)
    return FAILED if found.exit_code else 0


def _refuse_targets(options: dict[str, Any]) -> None:
    for name in ("postgres", "mongo", "target"):
        if options[name]:
            raise ConfigError(
                f"--{name}: a command is recorded on embedded servers alone, whose log and profiler are dbtrust's own",
                next=f"leave out --{name}",
            )


def _record(project: Path, words: tuple[str, ...], options: dict[str, Any]) -> Recorded:
    from dbtrust.claims.record import record
    from dbtrust.source.config import load_config

    try:
        config = load_config(project)
    except ConfigError as error:
        if error.location == NOWHERE and project.is_dir():
            error.next = (
                "write dbtrust.toml: [project] with name, [postgres] with schema or [mongo] with collections, "
                "or [migrations] with folder; docs/record.md shows one"
            )
        raise
    only: tuple[Engine, ...] = (options["only"],) if options["only"] else ()
    return record(config, words, only, lambda: show_progress(options["quiet"]), rows=not options["no_rows"])


def _write(project: Path, found: Recorded) -> None:
    for change in found.changes:
        path = project / change.file
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"no folder {path.parent}: {error.strerror}", next="make it by hand") from error
        output.write_file(path, change.new)


def _shown(found: Recorded, form: str, *, written: bool, unwritten_step: bool) -> str:
    from dbtrust.report.recorded import render_recorded_json, render_recorded_text

    document = _document(found, written=written)
    if form == "json":
        return render_recorded_json(document)
    text = render_recorded_text(document)
    if unwritten_step:
        for line in text.notes:
            output.note(line)
    return text.body


def _document(found: Recorded, *, written: bool) -> dict[str, Any]:
    from dbtrust import __version__

    lost = [
        (engine, lost)
        for engine, drafted in zip(found.servers, found.drafted, strict=True)
        for lost in drafted.lost
    ]
    return {
        "schema": 1, "dbtrust": __version__, "project": found.project,
        "servers": {e: {"version": v, "embedded": True} for e, v in found.servers.items()},
        "command": list(found.command), "exit_code": found.exit_code,
        "files": [{"file": c.file, "written": written, "diff": c.diff} for c in found.changes],
        "queries": [query for drafted in found.drafted for query in drafted.queries],
        "not_recorded": [
            {"engine": e, "what": one.what, "reason": one.reason, "next": one.next, "executions": one.executions}
            for e, one in lost
        ],
        "passed_over": [
            {"engine": e, "what": what, "executions": count}
            for e, drafted in zip(found.servers, found.drafted, strict=True)
            for what, count in sorted(drafted.passed.items())
        ],
        "notes": [note for drafted in found.drafted for note in drafted.notes], "errors": [],
    }  # fmt: skip
