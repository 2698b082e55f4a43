"""Applies and undoes mutants of collections and indexes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pymongo.database import Database

from dbtrust.engine.mongo.catalog import collections, indexes
from dbtrust.engine.mongo.copy import index_command
from dbtrust.model.mutants import Change, MongoChange, NewBody


def apply_changes(db: Database[Any], changes: Iterable[Change | NewBody | MongoChange]) -> None:
    """Runs the commands in order. Raises PyMongoError where the server refuses one."""
    for change in changes:
        if isinstance(change, MongoChange):
            db.command(_sent(change.command))


def _sent(command: Mapping[str, Any]) -> dict[str, Any]:
    if "createIndexes" not in command:
        return dict(command)
    return {**command, "indexes": [index_command(spec) for spec in command["indexes"]]}


def undo_changes(db: Database[Any], changes: Iterable[Change | NewBody | MongoChange]) -> bool:
    """Undoes what `apply_changes` did; False, with nothing done, where a change has no way back."""
    wanted = [change.undo for change in changes if isinstance(change, MongoChange)]
    if any(undo is None for undo in wanted):
        return False
    for undo in reversed(wanted):
        db.command(dict(undo or {}))
    return True


def specifications(db: Database[Any]) -> list[tuple[str, Mapping[str, Any], list[dict[str, Any]]]]:
    """(name, options, index specifications) of every plain collection."""
    plain = [info for info in collections(db) if info.get("type", "collection") == "collection"]
    return [(info["name"], info.get("options", {}), indexes(db, info["name"])) for info in plain]
