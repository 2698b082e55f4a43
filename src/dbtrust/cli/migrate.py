"""dbtrust migrate: runs the migrations of a project on databases of yours."""

from __future__ import annotations

from typing import Any

import click

from dbtrust.cli.subverbs import subverbs

#: Sub-command -> (module with the click command `command`, one line for the list).
SUBS: dict[str, tuple[str, str]] = {
    "up": ("dbtrust.cli.migrate_up", "Apply what is not applied, in one order over both engines."),
    "down": ("dbtrust.cli.migrate_down", "Undo the last migration, or everything above a number."),
    "status": ("dbtrust.cli.migrate_status", "Show what is applied and what is not."),
    "plan": ("dbtrust.cli.migrate_plan", "Try what `up` would do, and show the locks that it takes."),
    "prove": ("dbtrust.cli.migrate_prove", "Prove ups and downs, of any layout, on scratch databases."),
    "baseline": ("dbtrust.cli.migrate_baseline", "Take migrations as applied without running them."),
    "adopt": ("dbtrust.cli.migrate_adopt", "Take over the ledger of another migration tool."),
    "repair": ("dbtrust.cli.migrate_repair", "Say of one migration that it is applied or is not."),
    "new": ("dbtrust.cli.migrate_new", "Write the files of the next migration."),
    "dump": ("dbtrust.cli.migrate_dump", "Show the schema as a text for review."),
}


@click.command(cls=subverbs(SUBS), context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def migrate(context: click.Context, arguments: tuple[str, ...]) -> Any:
    """Run and undo the migrations of a project: PostgreSQL and MongoDB, one order, one ledger in each database.

    up, down, status, baseline, adopt and repair act on a target: --postgres and --mongo, or --target NAME, or the
    environment (DBTRUST_POSTGRES, DBTRUST_MONGO). Nothing is started for them.
    """
    from dbtrust.model.words import nearest

    word = arguments[0] if arguments else ""
    close = nearest(word, SUBS) if word else None
    what = f"no sub-command {word}" if word else "a sub-command is missing"
    hint = f"did you mean {close}?" if close else f"one of {', '.join(SUBS)}"
    raise click.UsageError(f"{what} ({hint})", ctx=context)
