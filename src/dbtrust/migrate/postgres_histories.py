"""A history on its way to PostgreSQL: what it expects of the server, and, for Alembic, the program that runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from dbtrust.engine.postgres.programs import end_program_sessions, parameters
from dbtrust.engine.postgres.scratch import Scratch
from dbtrust.migrate.histories import marked, prove_history, unproved_all
from dbtrust.migrate.surroundings import lend
from dbtrust.model.progress import Progress
from dbtrust.model.report import NotExamined, Verdict
from dbtrust.source.data import RowSource
from dbtrust.source.layouts.reading import Read, Reading
from dbtrust.stage.alembic import AlembicProgram, EnvironmentFailed, running
from dbtrust.stage.postgres import PostgresStage


class Asked(Protocol):
    """What is needed of the request."""

    @property
    def root(self) -> Path: ...
    @property
    def progress(self) -> Progress: ...
    @property
    def generators(self) -> Sequence[RowSource]: ...


def prove_reading(
    stage: PostgresStage, reading: Reading, asked: Asked, wanted: Callable[[Read], bool], *, configured: bool
) -> tuple[list[Verdict], Sequence[NotExamined]]:
    """The verdicts of one history and what was left out; where nothing is configured, roles and extensions are lent."""
    asked.progress(f"proving {reading.folder or '.'} ({reading.layout})")
    with ExitStack() as stack:
        told: Sequence[NotExamined] = ()
        if reading.program is not None:
            program, reading = stack.enter_context(running(reading, asked.root))
            if (refused := _refused(stage, program)) is not None:
                left = [r for r in reading.reads if wanted(r)]
                found = unproved_all(left, refused.message, "environment", refused.next)
                return [marked(v, reading) for v in found], ()
        elif not configured:
            lent = lend(reading, stage)
            reading, told = lent.reading, lent.not_examined
            scratch = Scratch(stage.scratch.host, lent.extensions, uuid_stand_in=lent.uuid_stand_in)
            stack.callback(_close, scratch, stage.scratch)
            stage = PostgresStage(scratch, stage.version, stage.embedded)
        return prove_history(stage, reading, wanted, asked.progress, asked.generators, asked.root), told


def _close(scratch: Scratch, outer: Scratch) -> None:
    """What it could not take back is told by the other one."""
    scratch.close()
    if scratch.guest is not None and outer.guest is not None:
        outer.guest.left += scratch.guest.left
        outer.guest.touched += scratch.guest.touched


def _refused(stage: PostgresStage, program: AlembicProgram) -> EnvironmentFailed | None:
    """Why the project's env.py does not run."""
    with stage.empty() as connection:
        try:
            program.check(parameters(connection))
        except EnvironmentFailed as error:
            return error
        finally:
            end_program_sessions(connection)
    return None
