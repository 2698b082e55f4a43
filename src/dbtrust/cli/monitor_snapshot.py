"""dbtrust monitor snapshot: the counters of a target in a file that needs no server to be judged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from dbtrust.cli.monitor import flow_options, reading_options, statements
from dbtrust.cli.options import (
    only_option,
    output_option,
    quiet_option,
    server_options,
    shared,
    verbose_option,
)
from dbtrust.cli.output import check_output, complain, deliver, note
from dbtrust.cli.progress import show_progress
from dbtrust.model.report import Report


@click.command("snapshot")
@click.argument("project", default=".", type=click.Path(path_type=Path))
@reading_options
@output_option
@only_option
@server_options
@quiet_option
@verbose_option
def command(project: Path, **options: Any) -> int:
    """Read the servers of a target into one JSON document, on stdout or in --output.

    PROJECT is only read for its targets; with a URL it needs no dbtrust.toml. A server that cannot be read is
    exit code 3, and what was read of the other is written all the same.
    """
    from dbtrust.monitor.files import dump
    from dbtrust.monitor.flow import snapshot

    said = {
        key: options.pop(key)
        for key in ("sample_docs", "profile_seconds", "no_profiler", "show_literals", "print_sql", "since")
    }
    asked = shared(options)
    check_output(asked.output)
    with show_progress(asked.quiet) as progress:
        wanted = flow_options(project, asked, said, progress)
        if said["print_sql"]:
            deliver(statements(wanted), asked)
            return 0
        taken = snapshot(wanted)
    if taken.snapshots:
        deliver(dump(taken.snapshots), asked)
    for item in (i for s in taken.snapshots for i in s.not_examined if not asked.quiet):
        note(f"not examined: {item.what}: {item.needs}")
    complain(*taken.problems)
    return replace(Report(taken.project), errors=taken.problems).exit_code
