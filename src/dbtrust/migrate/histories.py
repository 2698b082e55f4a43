"""One PostgreSQL history of any layout: what is wanted is proven, what stands before it is its ground."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import psycopg

from dbtrust.migrate.postgres import prove_postgres
from dbtrust.migrate.verdicts import CHECKS, and_proven, unproved, verdict
from dbtrust.migrate.world import run_for_good
from dbtrust.model.errors import DbtrustError
from dbtrust.model.progress import Progress
from dbtrust.model.project import Migration
from dbtrust.model.report import Verdict
from dbtrust.model.text import shortened
from dbtrust.source.data import RowSource
from dbtrust.source.layouts.reading import AMBIGUOUS, Hole, Read, Reading
from dbtrust.source.layouts.ways_back import Home
from dbtrust.source.migrations import History
from dbtrust.stage.postgres import PostgresStage

Wanted = Callable[[Read], bool]


def prove_history(
    stage: PostgresStage, reading: Reading, wanted: Wanted, progress: Progress, generators: Sequence[RowSource] = (),
    root: Path | None = None,
) -> list[Verdict]:  # fmt: skip
    """The verdicts of every wanted migration, each with the history that it belongs to in its evidence.

    `generators` are the project's own, which fill the tables that they fit; `root` is what the files are relative to.
    """
    home = Home(root, reading.layout, [read.migration for read in reading.reads])
    proof = _Proof(stage, progress, generators, home)
    reads = [read for read in reading.reads if read.migration.engine == "postgres"]
    last = max((place for place, read in enumerate(reads) if wanted(read)), default=-1)
    try:
        for kind, group in groupby(reads[: last + 1], lambda read: _kind(read, wanted)):
            found = list(group)
            proof.take(kind, found, wanted, more=found[-1] is not reads[last])
    finally:
        proof.close()
    return [marked(v, reading) for v in proof.verdicts]


def marked(found: Verdict, reading: Reading) -> Verdict:
    """Two histories may have the same numbers: the evidence tells them apart, and why something could not be run."""
    evidence = {**found.evidence, "history": reading.folder or ".", "layout": reading.layout}
    if (reason := _REASONS.get(found.reason)) is not None:
        evidence["cause"] = found.reason
    found = replace(found, message=shortened(found.message), evidence=evidence, reason=reason or found.reason)
    if found.reason != "no_down" or found.evidence.get("kind") != "missing":
        return found
    if found.subject.startswith("migration:R__"):
        said = "a repeatable migration is run again and never undone"
        return replace(found, verdict="not_applicable", message=said, reason="", next="")
    step = _DOWNS.get(reading.layout)
    if step is None:
        return found
    patch = found.evidence.get("patch") or found.evidence.get("statements")
    return replace(found, next=and_proven(step, patch) if patch else step)


#: Why a migration could not be run -> the report's word for it.
_REASONS = {
    "extension": "missing_object",
    "variables": "missing_object",
    "program": "missing_object",
    "psql": "missing_object",
    "unreadable": "missing_object",
    AMBIGUOUS: "missing_object",
    "environment": "server_error",
    "rights": "server_error",
}

#: How each layout writes what takes a migration back.
_DOWNS = {
    "golang-migrate": "write the same name with .down.sql",
    "sqlx": "write the pair of .up.sql and .down.sql",
    "diesel": "write down.sql beside up.sql",
    "Prisma": "write down.sql beside migration.sql",
    "dbmate": "write -- migrate:down and the statements behind it",
    "goose": "write -- +goose Down and the statements behind it",
    "sql-migrate": "write -- +migrate Down and the statements behind it",
    "Flyway": "write U with the same version",
    "plain": "write the same name with .down.sql or _rollback.sql",
    "Alembic": "write def downgrade()",
}


def unproved_all(reads: Sequence[Read], message: str, reason: str, next: str) -> list[Verdict]:
    """Every migration, unproved for one reason."""
    return [unproved(r.migration, c, message, reason, next) for r in reads for c in CHECKS]


def _kind(read: Read, wanted: Wanted) -> str:
    return "hole" if read.hole is not None else "proven" if wanted(read) else "ground"


class _Proof:
    """`_ground` is a database with everything before the next migration; None while there is nothing."""

    def __init__(
        self, stage: PostgresStage, progress: Progress, generators: Sequence[RowSource], home: Home
    ) -> None:
        self._stage, self._progress, self._generators, self._home = stage, progress, generators, home
        self._ground: str | None = None
        self._footprint = stage.scratch.footprint()
        self._broken: tuple[str, str] | None = None
        self._holed: str | None = None
        self.verdicts: list[Verdict] = []

    def close(self) -> None:
        """Drops the ground, then what its history made outside of it."""
        with suppress(psycopg.Error):
            if self._ground is not None:
                self._stage.scratch.drop(self._ground)
            if self._footprint is not None:
                self._footprint.undo()

    def take(self, kind: str, reads: Sequence[Read], wanted: Wanted, *, more: bool) -> None:
        """Proves what is wanted; the ground moves behind it where `more` stands on it."""
        if kind == "hole":
            self._holes(reads, wanted)
        elif self._broken is not None:
            self._behind([r for r in reads if wanted(r)])
        elif kind == "proven":
            self._prove([r.migration for r in reads])
            if more:
                self._apply(reads)
        else:
            self._apply(reads)

    def _holes(self, reads: Sequence[Read], wanted: Wanted) -> None:
        for read in reads:
            assert read.hole is not None
            if wanted(read):
                self.verdicts += [_of_hole(read.migration, read.hole, check) for check in CHECKS]
            self._holed = self._holed or read.migration.number
            if read.hole.reason == AMBIGUOUS and self._broken is None:
                self._broken = (read.migration.number, f"is ambiguous: {read.hole.message}")
        self._apply([r for r in reads if r.hole is not None and r.hole.partly])

    def _behind(self, reads: Sequence[Read]) -> None:
        assert self._broken is not None
        number, said = self._broken
        message = f"migration {number} before it {said}"
        self.verdicts += unproved_all(reads, message, "missing_object", f"mend migration {number}")

    def _prove(self, migrations: Sequence[Migration]) -> None:
        self._stage.scratch.base, self._stage.scratch.base_footprint = self._ground, self._footprint
        try:
            found = prove_postgres(
                self._stage,
                History(tuple(migrations), ()),
                generators=self._generators,
                progress=self._progress,
                home=self._home,
            )
        finally:
            self._stage.scratch.base = self._stage.scratch.base_footprint = None
        self.verdicts += [_softened(v, self._holed, self._stage.embedded) for v in found]

    def _apply(self, reads: Sequence[Read]) -> None:
        """Moves the ground behind these migrations."""
        if not reads or self._broken is not None:
            return
        if self._ground is None:
            self._ground = self._stage.scratch.create("ground")
        with self._stage.owner(self._ground, slow=True) as connection:
            for read in reads:
                self._progress(f"applying {read.migration.location.file}")
                if not self._one(connection, read):
                    return

    def _one(self, connection: Any, read: Read) -> bool:
        try:
            run_for_good(connection, read.migration, self._footprint)
        except DbtrustError as error:
            self._broken = (read.migration.number, f"failed: {shortened(error.message)}")
            return False
        return True


def _of_hole(migration: Migration, hole: Hole, check: str) -> Verdict:
    return verdict(
        migration, check, "unproved", hole.message, reason=hole.reason, next=hole.next, location=hole.location
    )


#: What PostgreSQL says of CREATE EXTENSION of one that is not installed.
_NO_EXTENSION = re.compile(r'0A000 \w*: extension "[^"]+" is not available')


#: A right that the role of the URL lacks, about what no schema of the history owns.
_RIGHTS = re.compile(
    r"42501 \w*: (?:permission denied to (?:create|alter|drop|rename|grant|set|comment)\b"
    r"|permission denied for (?:language|tablespace|foreign-data wrapper|large object|parameter)\b"
    r"|.*\bmust (?:be|have) .*\b(?:superuser|SUPERUSER|CREATEROLE|ADMIN|privileges)\b|[Oo]nly (?:roles|superusers)\b)"
)


def _softened(found: Verdict, holed: str | None, embedded: bool) -> Verdict:
    """A failure that another cause explains as well is no refutation: a migration that could not run, or a missing right."""
    if found.verdict != "refuted" or found.evidence.get("differences"):
        return found
    if "42501" in found.message and embedded:
        step = "prove it on a server of yours whose role has that right (--postgres URL)"
        return replace(found, verdict="unproved", reason="rights", next=step)
    if _RIGHTS.search(found.message):
        step = "name a role in the URL that has that right, or leave --postgres out"
        return replace(found, verdict="unproved", reason="rights", next=step)
    if _NO_EXTENSION.search(found.message):
        step = "prove it on a server that has it (--postgres URL)"
        return replace(found, verdict="unproved", reason="extension", next=step)
    if holed is None:
        return found
    message = f"{found.message}; migration {holed} before it could not be run"
    return replace(found, verdict="unproved", reason="missing_object", message=message)
