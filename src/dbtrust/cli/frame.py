"""What stands around every verb: finding it, running it, and turning whatever happens into one exit code."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from dbtrust.cli import output
from dbtrust.cli.options import FORMATS, Shared, format_option, output_option, verbose_option
from dbtrust.cli.signals import stop_signals
from dbtrust.model.errors import BUG, INTERRUPTED, USAGE, DbtrustError
from dbtrust.model.report import Problem, Report

#: Verb -> (module, one line for the list of verbs). The module has a click command of the verb's name.
VERBS = {
    "check": ("dbtrust.cli.check", "Prove what the project's database code says, on real servers."),
    "claims": ("dbtrust.cli.claims", "Judge queries alone: contracts and claims about plans."),
    "migrate": ("dbtrust.cli.migrate", "Run, undo and prove migrations of both engines."),
    "demo": ("dbtrust.cli.demo", "Copy the example project to a folder and check it."),
    "monitor": ("dbtrust.cli.monitor", "Read a running server: what is slow and why, and what is wrong."),
    "servers": ("dbtrust.cli.servers", "Start, show and stop the embedded servers."),
}


class Verbs(click.Group):
    """The verbs of dbtrust; the module of one is imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        return getattr(import_module(VERBS[cmd_name][0]), cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(name, line) for name, (_, line) in VERBS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        word = args[0]
        if word in VERBS or word.startswith("-"):
            return super().resolve_command(ctx, args)
        if (Path(word) / "dbtrust.toml").is_file():
            raise click.UsageError(f"no verb {word} (did you mean dbtrust check {word}?)")
        raise click.UsageError(f"no verb {word}{_hint(word, VERBS)}")


@click.group(
    cls=Verbs, invoke_without_command=True, subcommand_metavar="VERB [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)  # fmt: skip
@click.option("--version", is_flag=True, help="Show the version and exit.")
@click.pass_context
def dbtrust(ctx: click.Context, version: bool) -> None:
    """Proves that database code does what it says, on real PostgreSQL and MongoDB servers.

    `dbtrust VERB --help` tells about a verb. Each option can be set in the environment: --fail-on is
    DBTRUST_FAIL_ON. Exit codes: 0 fine, 1 something is refuted or found, 2 usage or configuration, 3 no
    server, 4 interrupted, 5 a bug in dbtrust.
    """
    if version:
        from dbtrust import __version__

        output.say(f"dbtrust {__version__}")
    elif ctx.invoked_subcommand is None:
        output.write_out(ctx.get_help() + "\n")


def run_verb(arguments: Sequence[str]) -> int:
    """Runs a command line and gives its exit code (docs/exit-codes.md). A verb returns it, or None for 0."""
    arguments = list(arguments)
    try:
        with stop_signals(), dbtrust.make_context("dbtrust", list(arguments)) as context:
            code = dbtrust.invoke(context)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as done:
        return done.exit_code
    except BaseException as error:
        return _failed(error, _asked(list(arguments)), arguments)


def _failed(error: BaseException, asked: Shared, arguments: Sequence[str]) -> int:
    """Tells the error as one line, with --format json also as a document, and gives its exit code.

    What was in --output before stays, where the error is no report that somebody asked for there.
    """
    problem = _problem(error)
    if problem.code == BUG and asked.verbose:
        output.note("".join(traceback.format_exception(error)).rstrip(), lines=True)
    report = Report(None, errors=(problem,))
    if asked.output is not None and (problem.code == INTERRUPTED or not _ends_in_report(arguments)):
        output.complain(problem)
        return report.exit_code
    try:
        output.check_output(asked.output)
        output.show(report, asked)
    except DbtrustError as second:
        output.complain(*dict.fromkeys((problem, Problem.of(second))))
    return report.exit_code


def _ends_in_report(arguments: Sequence[str]) -> bool:
    """Does this verb judge, so that --output is a report, with its errors? Else that file is data."""
    try:
        command = dbtrust.get_command(click.Context(dbtrust), arguments[0])
        subs = getattr(command, "subs", {})
        if len(arguments) > 1 and arguments[1] in subs:
            command = import_module(subs[arguments[1]][0]).command
    except Exception:  # no verb, or one that cannot be loaded, which was the error
        return False
    return command is not None and any(parameter.name == "fail_on" for parameter in command.params)


def _problem(error: BaseException) -> Problem:
    match error:
        case DbtrustError():
            return Problem.of(error)
        case click.UsageError():
            return Problem(USAGE, _usage_message(error))
        case click.ClickException():
            return Problem(USAGE, error.format_message())
        case click.Abort() | KeyboardInterrupt():
            return Problem(INTERRUPTED, "interrupted", next="run the same command again")
        case _:
            return Problem(BUG, f"a bug in dbtrust: {_last_line(error)}", next=_REPORT_IT)


_REPORT_IT = "please report it with the output of the same command and -v"


def _last_line(error: BaseException) -> str:
    """KeyError: 'x' at flow.py:12."""
    said = traceback.format_exception_only(error)[-1].strip()
    frames = traceback.extract_tb(error.__traceback__)
    return f"{said} at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else said


def _usage_message(error: click.UsageError) -> str:
    """One line with the nearest right word, and where to read more."""
    message = error.format_message().rstrip(".")
    if isinstance(error, click.NoSuchOption):
        options = [
            o for p in (error.ctx.command.params if error.ctx else []) for o in p.opts if o.startswith("--")
        ]
        message = f"no option {error.option_name}{_hint(error.option_name, options)}"
    path = error.ctx.command_path if error.ctx else "dbtrust"
    return f"{' '.join(message.split())}; see {path} --help"


def _hint(word: str, known: Iterable[str]) -> str:
    from dbtrust.model.words import nearest

    close = nearest(word, known)
    return f" (did you mean {close}?)" if close else ""


_OUTPUT = click.Command("dbtrust", params=[], add_help_option=False)
for _decorate in (format_option(*FORMATS), output_option, verbose_option):
    _decorate(_OUTPUT)


def _asked(arguments: list[str]) -> Shared:
    """How a command line that may be wrong wants its errors to be shown: --format, --output and -v alone."""
    settings: dict[str, Any] = {
        "ignore_unknown_options": True,
        "allow_extra_args": True,
        "resilient_parsing": True,
    }
    context = click.Context(_OUTPUT, info_name="dbtrust", **settings)
    _OUTPUT.parse_args(context, arguments)
    said = context.params
    file = Path(said["output"]) if said.get("output") else None
    return Shared(format=said.get("format") or "text", output=file, verbose=bool(said.get("verbose")))
