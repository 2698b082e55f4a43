"""Migrations out of text, and the loop of `up` over one runner."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dbtrust.migrate.runner_postgres import PostgresRunner
from dbtrust.model.ledger import Entry
from dbtrust.model.location import Location
from dbtrust.model.progress import Progress, silent
from dbtrust.model.project import Migration
from dbtrust.source.migrations import read_scripts

ALONE = "-- migrate:up transaction:false\n"
ALONE_DOWN = "\n-- migrate:down transaction:false\n"


def migration(number: int, text: str, down: str | None = None) -> Migration:
    file = f"{number:04}_m.sql"
    up, own = read_scripts(text, file)
    if down is not None:
        own, _ = read_scripts(down, f"{number:04}_m.down.sql")
    return Migration("postgres", f"{number:04}", "m", Location(file, 1, 1), up=up, down=own)


def runner(url: str, **options: Any) -> PostgresRunner:
    return PostgresRunner(url, root=Path(), **options)


def apply(url: str, history: Sequence[Migration], progress: Progress = silent, **options: Any) -> list[str]:
    """Brings a database up to date; the numbers that this run applied or finished."""
    one = runner(url, **options)
    applied: list[str] = []
    try:
        with one.locked(progress):
            known = one.entries()
            for wanted in history:
                entry = known.get(int(wanted.number))
                if entry is None or entry.state == "running":
                    one.up(wanted, entry, progress)
                    applied.append(wanted.number)
    finally:
        one.close()
    return applied


def entries(url: str) -> dict[int, Entry]:
    one = runner(url)
    try:
        return one.entries()
    finally:
        one.close()


def undo(url: str, wanted: Migration) -> None:
    one = runner(url)
    try:
        with one.locked(silent):
            one.down(wanted, one.entries()[int(wanted.number)], silent)
    finally:
        one.close()
