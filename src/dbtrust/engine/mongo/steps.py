"""Applies and reverts the steps of a MongoDB migration; never in a transaction (DDL fails in one, code 263).

`apply` returns an undo document, plain data that a ledger can hold: {"applied": False} says that the object
was there already, exactly as wanted, and then `revert` leaves it. The server's errors are PyMongoErrors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymongo.database import Database

from dbtrust.engine.mongo.batches import revert_update, update_in_batches
from dbtrust.engine.mongo.builds import settle
from dbtrust.engine.mongo.present import existing
from dbtrust.engine.mongo.resume import Catalogue
from dbtrust.model.errors import QueryFileError
from dbtrust.model.location import NOWHERE, Location
from dbtrust.model.project_code import ProjectCodeError, called
from dbtrust.model.steps import CustomStep, Step, UpdateInBatches

Undo = dict[str, Any]
Document = Mapping[str, Any]


def apply(db: Database[Any], step: Step) -> Undo:
    """Applies one step; what `revert` needs.

    Raises DriftError where another object is in the way, or the one to change is not there.
    """
    known(step)
    if isinstance(step, UpdateInBatches):
        existing(db, step.collection)
        return update_in_batches(db, step)
    if isinstance(step, CustomStep):
        if step.probe is not None and probed(step, db):
            return {"applied": False}
        called(step.apply, db)
        return {"applied": True}
    catalogue = Catalogue(db, lambda name: settle(db, name))
    undo = catalogue.prepare(step)
    catalogue.forward(step, undo, again=False)
    return undo


def probed(step: CustomStep, db: Any) -> bool:
    """Is the step in force? Raises ProjectCodeError, with the place of the probe, for an answer that is no bool."""
    assert step.probe is not None
    value: object = called(step.probe, db)
    if isinstance(value, bool):
        return value
    code = getattr(step.probe, "__code__", None)
    raise ProjectCodeError(
        f"its probe gave {value!r}, not True or False",
        location=Location(code.co_filename, code.co_firstlineno, 1) if code is not None else NOWHERE,
        next="compare with what is there once the step has run: a count that is not 0 says nothing by itself",
    )


def revert(db: Database[Any], step: Step, undo: Document) -> None:
    """Undoes one applied step. Raises QueryFileError where the step has no inverse."""
    if not inverse_of(step):
        raise QueryFileError(
            f"{step.describe()} needs revert= to be undone", next="add revert=, or write down(db)"
        )
    if not undo.get("applied", True):
        return
    if isinstance(step, UpdateInBatches):
        revert_update(db, step, undo)
    elif isinstance(step, CustomStep):
        assert step.revert is not None
        called(step.revert, db)
    else:
        catalogue = Catalogue(db, lambda name: settle(db, name))
        stored = dict(undo) | catalogue.prepare_back(step)
        catalogue.backward(step, stored, again=False)


def known(step: object) -> None:
    """Raises QueryFileError for what is no step."""
    if not isinstance(step, Step):
        raise QueryFileError(f"{step!r} is no migration step", next="use the functions of dbtrust.migrations")


def inverse_of(step: Step) -> bool:
    """Can the step be undone? Data changes and custom steps only with `revert`."""
    return not isinstance(step, (UpdateInBatches, CustomStep)) or step.revert is not None
