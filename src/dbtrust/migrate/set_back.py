"""Sequences that give a lower value after the down than before the up: the next INSERT would take a key a second time."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from dbtrust.engine.postgres.sequence_values import Counter, counters, move_on
from dbtrust.engine.postgres.table_rows import Name
from dbtrust.migrate.filling import Connection
from dbtrust.migrate.lossy import Declared, Loss, label
from dbtrust.migrate.verdicts import verdict
from dbtrust.model.project import Migration
from dbtrust.model.report import Verdict

#: Words without which no script makes a sequence or sets one.
_COUNTS = re.compile(r"SEQUENCE|IDENTITY|SERIAL|SETVAL", re.IGNORECASE)


def moved(connection: Connection, migration: Migration) -> Mapping[Name, Counter]:
    """What the sequences give next, each moved on to where its keys are; nothing where no script speaks of sequences."""
    scripts = [s.sql for s in (migration.up, migration.down) if s is not None]
    if not any(_COUNTS.search(text) for text in scripts):
        return {}
    move_on(connection)
    return counters(connection)


def set_back(connection: Connection, before: Mapping[Name, Counter]) -> list[tuple[Counter, int]]:
    """The sequences that would give less than they may, and what; one that is gone the catalog tells."""
    now = counters(connection) if before else {}
    return [(c, now[name].next) for name, c in before.items() if name in now and now[name].next < c.least]


def undeclared_set_back(
    found: Collection[tuple[Counter, int]], declared: Declared
) -> list[tuple[Counter, int]]:
    """Those whose column or table no line declares to be lost."""
    return [
        (counter, now)
        for counter, now in found
        if counter.table is None or not declared.excuses(Loss(counter.table, (counter.column,), {}, {}), {})
    ]


def set_back_verdict(migration: Migration, check: str, found: Sequence[tuple[Counter, int]]) -> Verdict:
    """Refuted, with each sequence named."""
    said = [
        f"sequence:{'.'.join(c.name)} would give {now} next, and {c.next} before the up"
        + (f", so that the next row of {label(c.table)} takes a {c.column} that is there" if c.table else "")
        for c, now in found
    ]
    counter = found[0][0]
    value = (
        f"the largest {counter.column} of {label(counter.table)}" if counter.table else "what it had reached"
    )
    return verdict(
        migration, check, "refuted", f"lossy: {'; '.join(said[:3])}",
        next=f"let the down set {label(counter.name)} to {value}, with setval",
        location=migration.down.location if migration.down is not None else migration.location,
        evidence={"kind": "lossy", "declared": False, "lost": said, "sequences": [f"sequence:{'.'.join(c.name)}" for c, _ in found]},
    )  # fmt: skip
