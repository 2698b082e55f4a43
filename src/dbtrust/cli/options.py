"""The options that verbs share: each has a name in the environment, DBTRUST_ and its long name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

_F = TypeVar("_F", bound=Callable[..., Any])

FORMATS = ("text", "json", "html")
ENGINES = ("postgres", "mongo")
LEVELS = ("error", "warning", "info", "never")


class Shared(NamedTuple):
    """What the shared options say. `postgres` and `mongo` are URLs; the environment's count as said."""

    format: str = "text"
    output: Path | None = None
    only: tuple[str, ...] = ()
    strict: bool = False
    fail_on: str | None = None
    postgres: str | None = None
    mongo: str | None = None
    target: str | None = None
    database: str | None = None
    quiet: bool = False
    verbose: bool = False


def option(*names: str, **attributes: Any) -> Callable[[_F], _F]:
    """click.option with the environment name of its last long name: --fail-on is DBTRUST_FAIL_ON."""
    long = next(name for name in reversed(names) if name.startswith("--"))
    variable = f"DBTRUST_{long[2:].replace('-', '_').upper()}"
    return click.option(*names, envvar=variable, **attributes)


def format_option(*formats: str) -> Callable[[_F], _F]:
    """--format of a verb that has only these formats."""
    return option(
        "--format", type=click.Choice(formats), default=formats[0], show_default=True, help="How to show it."
    )


output_option = option("--output", metavar="FILE", help="Write there; stdout is then empty.")
only_option = option(
    "--only",
    metavar="ID-PREFIX|ENGINE",
    multiple=True,
    help="Only these checks, or postgres, or mongo; repeatable.",
)
quiet_option = option("-q", "--quiet", is_flag=True, help="No progress, and nothing of what holds.")
verbose_option = option("-v", "--verbose", is_flag=True, help="All evidence, and a traceback for a bug.")

_SERVER_OPTIONS = (
    option(
        "--postgres", metavar="URL", help="A scratch database on this server instead of an embedded server."
    ),
    option("--mongo", metavar="URL", help="The same for MongoDB."),
    option("--target", metavar="NAME", help="The servers of [targets.NAME] in dbtrust.toml."),
    option("--database", metavar="NAME", help="The database to connect to on the target."),
)
_TARGET_OPTIONS = (
    option(
        "--postgres", metavar="URL", help="The PostgreSQL database that is meant; nothing else is started."
    ),
    option("--mongo", metavar="URL", help="The MongoDB database that is meant."),
    *_SERVER_OPTIONS[2:],
)
_BEFORE_SERVERS = (
    output_option,
    only_option,
    option("--strict", is_flag=True, help="What is unproved fails, too."),
    option(
        "--fail-on",
        type=click.Choice(LEVELS),
        help="Findings from this level fail (dbtrust.toml, else error).",
    ),
)
_AFTER_SERVERS = (quiet_option, verbose_option)


def report_options(function: _F) -> _F:
    """Every shared option of a verb that ends in a report; the verb makes them a `Shared` with `shared`."""
    return _judging(function, _SERVER_OPTIONS)


def target_report_options(function: _F) -> _F:
    """`report_options` of a verb that acts on the servers that are named, without a scratch database."""
    return _judging(function, _TARGET_OPTIONS)


def _judging(function: _F, servers: Sequence[Callable[[Any], Any]]) -> _F:
    return _decorated(function, (format_option(*FORMATS), *_BEFORE_SERVERS, *servers, *_AFTER_SERVERS))


def server_options(function: _F) -> _F:
    """The options that say which servers are used."""
    return _decorated(function, _SERVER_OPTIONS)


def target_options(function: _F) -> _F:
    """`server_options` of a verb that acts on the servers that are named."""
    return _decorated(function, _TARGET_OPTIONS)


def plan_options(function: _F) -> _F:
    """The shared options of a verb that shows one thing of a server and no report."""
    return _decorated(
        function, (format_option(*FORMATS), output_option, *_SERVER_OPTIONS, quiet_option, verbose_option)
    )


def _decorated(function: _F, options: Sequence[Callable[[Any], Any]]) -> _F:
    for decorate in reversed(options):
        function = decorate(function)
    return function


def live_engines(context: click.Context) -> frozenset[str]:
    """The engines whose database was named by an option; the environment names servers for scratch databases."""
    names = (*ENGINES, "target")
    said = {n for n in names if context.get_parameter_source(n) == click.core.ParameterSource.COMMANDLINE}
    return frozenset(ENGINES if "target" in said else said)


def shared(values: dict[str, Any]) -> Shared:
    """The keyword arguments of a verb that has `report_options` as one value."""
    output = values.pop("output")
    return Shared(**values, output=Path(output) if output is not None else None)
