"""Runs the steps or functions of a MongoDB migration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pymongo.errors

from dbtrust.engine.mongo.errors import describe
from dbtrust.engine.mongo.steps import apply, revert
from dbtrust.model.errors import FAILED, DbtrustError
from dbtrust.model.location import Location
from dbtrust.model.project import Migration
from dbtrust.model.project_code import called


class StepFailed(DbtrustError):
    """A step or function of a migration failed on the server or in Python."""

    code = FAILED
    #: Did a `raise` of the migration's own raise it?
    raised: bool = False


def run_steps(db: Any, steps: Sequence[Any], migration: Migration) -> list[Any]:
    """Applies the steps in order; what each needs to be undone. Raises StepFailed."""
    return [_guarded(migration, step.describe(), lambda step=step: apply(db, step)) for step in steps]


def undo_steps(db: Any, steps: Sequence[Any], undo: Sequence[Any], migration: Migration) -> None:
    """Undoes the steps, the last first. Raises StepFailed."""
    for step, stored in reversed(list(zip(steps, undo, strict=True))):
        _guarded(
            migration, f"undoing {step.describe()}", lambda step=step, stored=stored: revert(db, step, stored)
        )


def call(db: Any, function: Callable[[Any], object], migration: Migration) -> None:
    """Runs up(db) or down(db). Raises StepFailed at the line of the migration that raised."""
    _guarded(migration, f"{function.__name__}(db)", lambda: called(function, db))


def _guarded(migration: Migration, doing: str, work: Callable[[], Any]) -> Any:
    try:
        return work()
    except DbtrustError as error:
        message = f"{doing}: {error.message}"
        place = line_of(error, migration)
        raise StepFailed(message, location=place, next=error.next or "mend the step") from error
    except pymongo.errors.PyMongoError as error:
        raise StepFailed(
            f"{doing}: {describe(error)}", location=line_of(error, migration), next="mend the step"
        ) from error
    except Exception as error:
        said = f"{doing} raised {type(error).__name__}: {' '.join(str(error).split())}"
        failed = StepFailed(said, location=line_of(error, migration), next="mend the migration")
        failed.raised = _own_raise(error, migration)
        raise failed from error


def line_of(error: BaseException, migration: Migration) -> Location:
    """The innermost line of the migration's own file in the traceback; else the place in it that the error names."""
    name, line = Path(str(migration.location.file)).name, migration.location.line
    if isinstance(error, DbtrustError) and Path(error.location.file or "").name == name:
        line = error.location.line
    trace = error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename).name == name:
            line = trace.tb_lineno
        trace = trace.tb_next
    return Location(migration.location.file, line, 1)


def _own_raise(error: BaseException, migration: Migration) -> bool:
    """Does the error come straight from a `raise` statement in the migration's file?"""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if (
        trace is None
        or Path(trace.tb_frame.f_code.co_filename).name != Path(str(migration.location.file)).name
    ):
        return False
    lines = (migration.python or "").splitlines()
    return trace.tb_lineno <= len(lines) and lines[trace.tb_lineno - 1].lstrip().startswith("raise ")
