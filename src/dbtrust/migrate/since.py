"""What `--since` says of files that others may have applied already."""

from __future__ import annotations

from dbtrust.model.location import Location
from dbtrust.model.report import Finding
from dbtrust.source.git import Changes
from dbtrust.source.layouts.reading import Read, Reading


def edits(reading: Reading, changes: Changes) -> list[Finding]:
    """A finding for each migration whose up was there before and is another one now, or that is gone."""
    found = [_edited(read, changes) for read in reading.reads if read.files[0] in changes.edited]
    known = {file for read in reading.reads for file in read.files}
    inside = f"{reading.folder}/" if reading.folder else ""
    gone = sorted(f for f in changes.removed - known if f.startswith(inside) and f.endswith((".sql", ".py")))
    return found + [_removed(file, changes) for file in gone]


def _edited(read: Read, changes: Changes) -> Finding:
    migration = read.migration
    return Finding(
        "migration.edited", "warning", migration.engine, migration.subject,
        f"the file was there at {changes.since} and is another one now: databases that applied it keep the old one",
        fix="put the old text back and write a new migration", location=migration.location,
    )  # fmt: skip


def _removed(file: str, changes: Changes) -> Finding:
    return Finding(
        "migration.removed", "warning", None, f"file:{file}",
        f"the file was there at {changes.since} and is gone: databases may have applied it",
        fix="put it back", location=Location(file, None, None),
    )  # fmt: skip
