"""dbtrust migrate: migrations of both engines."""

from __future__ import annotations

import click

from dbtrust.cli.subverbs import subverbs

#: Sub-command -> (module with the click command `command`, one line for the list).
SUBS: dict[str, tuple[str, str]] = {
    "prove": ("dbtrust.cli.migrate_prove", "Prove ups and downs, of any layout, on scratch databases."),
}


@click.command(cls=subverbs(SUBS))
@click.pass_context
def migrate(context: click.Context) -> int:
    """Run, undo and prove migrations."""
    raise click.UsageError(f"a sub-command is missing (one of {', '.join(SUBS)})", ctx=context)
