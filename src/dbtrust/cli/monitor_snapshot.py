"""dbtrust monitor snapshot: the counters of a target in a file that needs no server to be judged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from dbtrust.cli.monitor import begun, reading_options
from dbtrust.cli.options import (
    only_option,
    output_option,
    quiet_option,
    target_options,
    verbose_option,
)
from dbtrust.cli.output import complain, deliver_parts, note
from dbtrust.model.report import Report


@click.command("snapshot")
@click.argument("project", default=".", type=click.Path(path_type=Path))
@reading_options
@output_option
@only_option
@target_options
@quiet_option
@verbose_option
def command(project: Path, **options: Any) -> int:
    """Read the servers of a target into one JSON document, on stdout or in --output.

    PROJECT is only read for its targets; with a URL it needs no dbtrust.toml. A server that cannot be read is
    exit code 3, and what was read of the other is written all the same.
    """
    from dbtrust.monitor.files import parts
    from dbtrust.monitor.flow import snapshot
    from dbtrust.monitor.judging import in_words

    asked, taken = begun(project, options, snapshot)
    if taken is None:
        return 0
    if taken.snapshots:
        deliver_parts(parts(taken.snapshots), asked)
    for item in (i for s in taken.snapshots for i in s.not_examined if not asked.quiet):
        note(f"not examined: {in_words(item.what)}: {item.needs}")
    complain(*taken.problems)
    return replace(Report(taken.project), errors=taken.problems).exit_code
