"""dbtrust monitor: what is slow and why, and what is wrong, on servers that are there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dbtrust.cli.options import Shared, option, shared
from dbtrust.cli.output import check_output, deliver
from dbtrust.cli.progress import show_progress
from dbtrust.cli.subverbs import subverbs
from dbtrust.model.errors import ConfigError

if TYPE_CHECKING:
    from dbtrust.model.progress import Progress
    from dbtrust.monitor.flow import Options

Result = TypeVar("Result")
#: Sub-command -> (module with the click command `command`, one line for the list).
SUBS: dict[str, tuple[str, str]] = {
    "snapshot": ("dbtrust.cli.monitor_snapshot", "Read the counters of a target into a file."),
    "diagnose": ("dbtrust.cli.monitor_diagnose", "Judge a target, or a snapshot of one."),
}


@click.command(cls=subverbs(SUBS), options_metavar="SUB")
@click.argument("sub", required=False)
def monitor(sub: str | None) -> int:
    """Read running servers: what is slow and why, and what is wrong.

    A target is needed (--postgres, --mongo or --target); nothing is started, and nothing is
    changed there but MongoDB's profiler, for a moment, unless --no-profiler says no.
    """
    said = f"monitor {sub}: no such sub-command" if sub else "monitor needs a sub-command"
    raise ConfigError(said, next="dbtrust monitor snapshot, or dbtrust monitor diagnose")


def reading_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say how servers are read."""
    for decorate in (
        option("--sample-docs", metavar="N", type=click.IntRange(min=0), default=100, show_default=True,
               help="MongoDB: documents of each collection to look at for their shape."),
        option("--profile-seconds", metavar="N", type=click.FloatRange(0, 600), default=3.0, show_default=True,
               help="MongoDB: how long the profiler is switched on, where it is off."),
        option("--no-profiler", is_flag=True, help="MongoDB: leave the profiler alone."),
        option("--show-literals", is_flag=True, help="Keep the values in statements, and comments."),
        option("--print-sql", is_flag=True, help="Show everything that would be sent, and send nothing."),
        option("--since", metavar="FILE", type=click.Path(path_type=Path),
               help="An earlier snapshot: counters are told since then, and texts it has are not fetched."),
    ):  # fmt: skip
        function = decorate(function)
    return function


def flow_options(project: Path, asked: Shared, said: dict[str, Any], progress: Progress) -> Options:
    """The options of the flow; `said` are those of `reading_options` and `saved`."""
    from dbtrust.model.snapshot import ReadOptions
    from dbtrust.monitor.flow import Options

    reading = ReadOptions(
        profiler=not said["no_profiler"],
        profile_seconds=said["profile_seconds"],
        sample_docs=said["sample_docs"],
        progress=progress,
    )
    return Options(
        project=project, only=asked.only, postgres=asked.postgres, mongo=asked.mongo, target=asked.target,
        database=asked.database, strict=asked.strict, fail_on=asked.fail_on, saved=said.get("saved"),
        since=said["since"], literals=said["show_literals"], reading=reading,
    )  # fmt: skip


def statements(options: Options) -> str:
    """Everything that would be sent, as text: a heading for each engine, then statement by statement."""
    from dbtrust.monitor.flow import sent

    names = {"postgres": "PostgreSQL", "mongo": "MongoDB"}
    parts: list[str] = []
    for engine, texts in sent(options).items():
        mark = "--" if engine == "postgres" else "//"
        parts += [f"{mark} {names[engine]}: {len(texts)} to send", *(text.rstrip() for text in texts)]
    return "\n\n".join(parts) + "\n"


_READING = ("sample_docs", "profile_seconds", "no_profiler", "show_literals", "print_sql", "since", "saved")


def begun(
    project: Path, options: dict[str, Any], run: Callable[[Options], Result]
) -> tuple[Shared, Result | None]:
    """Runs a sub-command's flow with progress; with --print-sql only shows what it would send (None)."""
    said = {name: options.pop(name) for name in _READING if name in options}
    asked = shared(options)
    check_output(asked.output)
    with show_progress(asked.quiet) as progress:
        wanted = flow_options(project, asked, said, progress)
        if said["print_sql"]:
            deliver(statements(wanted), asked)
            return asked, None
        return asked, run(wanted)
