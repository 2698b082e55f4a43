"""What would MongoDB do if: a command with another hint, the plans that it tried, an index changed on a copy."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from bson import json_util
from pymongo.database import Database
from pymongo.errors import OperationFailure

from dbtrust.engine.mongo.catalog import as_asked, indexes
from dbtrust.engine.mongo.copy import index_command
from dbtrust.engine.mongo.explain import document, explain
from dbtrust.engine.mongo.plans import parse
from dbtrust.model.plan import Plan

Document = Mapping[str, Any]
NATURAL: Document = {"$natural": 1}
_STATEMENTS = {"update": "updates", "delete": "deletes"}


@dataclass(frozen=True, slots=True)
class Tried:
    """The plan of a command's first statement. `works` counts the units of work of its root (None: not told)."""

    plan: Plan
    works: int | None
    rejected: tuple[Plan, ...] = ()


def collection_of(command: Document) -> str:
    """The collection that a command reads first."""
    return str(next(iter(command.values()), ""))


def hinted(command: Document, hint: str | Document) -> dict[str, Any]:
    """The command with this hint in the place of its own."""
    name = next(iter(command), "")
    field = _STATEMENTS.get(name)
    if field is None:
        return {**command, "hint": hint}
    statements = [{**cast("Document", statement), "hint": hint} for statement in command[field]]
    return {**command, field: statements}


def planned(db: Database[Any], command: Document) -> Tried:
    """Executes the command under explain with every plan that the server tries. Nothing is written."""
    plan = explain(db, command)[0]
    try:
        told = document(db, command)
    except OperationFailure:
        return Tried(plan, None)
    planner, stats = _cursor(told)
    works = _mapping(stats.get("executionStages")).get("works")
    return Tried(plan, works if isinstance(works, int) else None, tuple(_rejected(planner, stats)))


def _cursor(told: Document) -> tuple[Document, Document]:
    """queryPlanner and executionStats of a find, or of the cursor at the start of a pipeline."""
    if "queryPlanner" not in told:
        for stage in cast("Sequence[Document]", told.get("stages", ())):
            if "$cursor" in stage:
                return _cursor(_mapping(stage["$cursor"]))
        return {}, {}
    return _mapping(told["queryPlanner"]), _mapping(told.get("executionStats"))


def _rejected(planner: Document, stats: Document) -> Generator[Plan]:
    """The plans that lost; their counters are those of the trial, as far as the trees are the same."""
    trials = [_mapping(t) for t in cast("Sequence[Any]", stats.get("allPlansExecution", ()))]
    for plan in cast("Sequence[Any]", planner.get("rejectedPlans", ())):
        tree = _mapping(_mapping(plan).get("queryPlan")) or _mapping(plan)
        trial = next((t for t in trials if _shape(_mapping(t.get("executionStages"))) == _shape(tree)), None)
        own = {"namespace": planner.get("namespace", ""), "winningPlan": tree}
        yield parse({"queryPlanner": own} | ({"executionStats": trial} if trial else {}))


def _shape(stage: Document) -> Any:
    below = [stage["inputStage"]] if "inputStage" in stage else stage.get("inputStages", [])
    return stage.get("stage"), stage.get("indexName"), [_shape(_mapping(child)) for child in below]


def _mapping(value: Any) -> Document:
    return cast("Document", value) if isinstance(value, Mapping) else {}


def index_specs(db: Database[Any], collection: str) -> list[dict[str, Any]]:
    """The indexes of a collection as listIndexes tells them."""
    return [dict(spec) for spec in indexes(db, collection)]


@contextmanager
def index_changed(
    db: Database[Any], collection: str, spec: Document, replaced: Document | None
) -> Generator[None]:
    """Within the block the index `spec` exists, in the place of `replaced`; then all is as it was.

    Raises OperationFailure where the server does not build it; `replaced` is back then, too.
    """
    if replaced is not None:
        db[collection].drop_index(replaced["name"])
    try:
        db.command({"createIndexes": collection, "indexes": [_bare(spec)]})
        try:
            yield
        finally:
            db[collection].drop_index(spec["name"])
    finally:
        if replaced is not None:
            db.command({"createIndexes": collection, "indexes": [_bare(replaced)]})


def _bare(spec: Document) -> dict[str, Any]:
    """A text index is told with the keys that the server made of its weights."""
    command = index_command(spec)
    if "weights" in spec:
        command.pop("collation", None)
        command["key"] = as_asked(spec)["key"]
    return command


def as_json(value: Any) -> str:
    """A value as a shell or a tool would write it: relaxed extended JSON."""
    return json_util.dumps(value, json_options=json_util.RELAXED_JSON_OPTIONS)
