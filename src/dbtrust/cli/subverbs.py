"""A verb with sub-commands of its own: `dbtrust claims explain …` beside `dbtrust claims [PROJECT]`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class VerbWithSubs(click.Command):
    """A command whose first word may name a sub-command; it wins over a folder of that name (write ./NAME).

    `subs` maps a sub-command to (module, one line for the list); the module has a click command `command` and
    is imported when it is called.
    """

    subs: Mapping[str, tuple[str, str]] = {}

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if args and args[0] in self.subs:
            chosen: click.Command = import_module(self.subs[args[0]][0]).command
            return chosen.make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        return super().invoke(ctx) if ctx.command is self else ctx.command.invoke(ctx)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.subs:
            with formatter.section("Sub-commands"):
                formatter.write_dl([(name, line) for name, (_, line) in self.subs.items()])
        super().format_epilog(ctx, formatter)


def subverbs(subs: Mapping[str, tuple[str, str]]) -> type[VerbWithSubs]:
    """The command class of one verb, to be given as `cls`."""
    return type("Verb", (VerbWithSubs,), {"subs": subs})
