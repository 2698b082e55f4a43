"""Explains commands as a driver sent them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, cast

from pymongo.database import Database
from pymongo.errors import AutoReconnect, OperationFailure

from dbtrust.engine.mongo.command_text import command_text
from dbtrust.engine.mongo.errors import describe
from dbtrust.engine.mongo.plans import parse
from dbtrust.engine.mongo.stages import OUTPUT
from dbtrust.model.errors import ServerError
from dbtrust.model.plan import Node, Plan

__all__ = ["document", "explain", "explainable", "parse", "statements"]

Verbosity = Literal["queryPlanner", "executionStats", "allPlansExecution"]
Document = Mapping[str, Any]
#: What belongs to session, transaction or wire and not to the statement; explain refuses some of it.
ENVELOPE = frozenset({
    "lsid", "txnNumber", "autocommit", "startTransaction", "stmtId", "stmtIds", "readConcern", "writeConcern",
    "maxTimeMS", "apiVersion", "apiStrict", "apiDeprecationErrors", "ordered",
})  # fmt: skip
_STATEMENTS = {"update": "updates", "delete": "deletes"}
_EXPLAINED = ("find", "aggregate", "count", "distinct", "findAndModify", "findandmodify", "update", "delete")


def explainable(command: Document) -> bool:
    """find, aggregate over a collection, count, distinct, findAndModify, update, delete."""
    name = next(iter(command), "")
    return name in _EXPLAINED and isinstance(command[name], str)


def explain(
    db: Database[Any], command: Document, *, verbosity: Verbosity = "executionStats"
) -> tuple[Plan, ...]:
    """The plans of one captured command, one for each statement of an update or delete. Nothing is written.

    A statement that the server does not explain is a plan whose `unknown` says why. Raises ServerError where
    the server does not answer.
    """
    return tuple(_one(db, statement, verbosity) for statement in statements(command))


def document(db: Database[Any], command: Document, *, verbosity: Verbosity = "allPlansExecution") -> Document:
    """The explain document of a command's first statement as the server gives it. Raises OperationFailure."""
    statement, _ = _without_output(next(statements(command)))
    return db.command({"explain": statement, "verbosity": verbosity})


def statements(command: Document) -> Iterator[dict[str, Any]]:
    """The command without its envelope, one for each statement of an update or delete: explain takes no more."""
    name = next(iter(command), "")
    bare = {key: value for key, value in command.items() if key not in ENVELOPE and not key.startswith("$")}
    field = _STATEMENTS.get(name, "")
    if field not in bare:
        yield bare
        return
    for statement in cast("Sequence[Any]", bare[field]):
        yield {**bare, field: [statement]}


def _one(db: Database[Any], command: dict[str, Any], verbosity: Verbosity) -> Plan:
    text = command_text(command)
    command, output = _without_output(command)
    try:
        document = db.command({"explain": command, "verbosity": verbosity})
    except AutoReconnect as error:
        raise ServerError(
            f"explain: the server does not answer: {describe(error)}", next="is it running?"
        ) from error
    except OperationFailure as error:
        why = (f"a command that the server does not explain ({describe(error)})",)
        return Plan("mongo", (), analyzed=False, command=text, unknown=why)
    version = str(cast("Document", document.get("serverInfo", {})).get("version", ""))
    plan = parse(document, server_version=version, command=text)
    return _with_output(plan, output) if output else plan


def _without_output(command: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    """An aggregate without its $out or $merge: the server does not tell what writing reads."""
    pipeline = command.get("pipeline")
    if not isinstance(pipeline, list) or not pipeline:
        return command, None
    stages = cast("list[Any]", pipeline)
    last = next(iter(cast("Document", stages[-1])), "") if isinstance(stages[-1], Mapping) else ""
    return ({**command, "pipeline": stages[:-1]}, last) if last in OUTPUT else (command, None)


def _with_output(plan: Plan, name: str) -> Plan:
    nodes = (*plan.nodes, Node(id=len(plan.nodes), parent=None, type=name))
    return replace(plan, nodes=nodes)
