"""Plans in JSON, extended JSON and shell syntax: documents of either engine, in the wrappings that tools add. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import orjson

from dbtrust.engine.mongo.plan_shell import MOST, Value, read_value
from dbtrust.engine.mongo.shell_types import relaxed
from dbtrust.engine.postgres import plan_damage, plan_document
from dbtrust.model.errors import DbtrustError
from dbtrust.model.location import Location
from dbtrust.model.plan import Plan

Document = dict[str, Any]
_MONGO = ("queryPlanner", "stages", "shards", "executionStats", "winningPlan", "stage")
#: psql's heading: the name of the column in which rows of a plan are exported.
_COLUMN = "QUERY PLAN"


@dataclass(frozen=True, slots=True)
class Found:
    """A plan, or (exported row by row) the text of one; `line` is where it begins, from 1."""

    line: int
    plan: Plan | None = None
    form: str = ""
    text: str | None = None


def are_documents(lines: Sequence[str]) -> bool:
    """Does the text hold documents, perhaps behind a prompt, and not the lines of a text plan?"""
    for line in lines:
        if line.startswith(("{", "[")):
            return True
        if "(cost=" in line or line.lstrip(" -").startswith(("> ", "Plan:", "Node Type:")):
            return False
    return False


def read(text: str, file: str) -> Iterator[Found]:
    """Every plan of the text. Raises DbtrustError for a document that cannot be read, or that is no plan."""
    at, line, last = 0, 1, 0
    while (at := _begin(text, at)) >= 0:
        value = _value(text, at, file)
        line, last = line + text.count("\n", last, at), at
        place = Location(file, line, 1)
        if _is_vast(value.value):
            raise DbtrustError("too many documents for a plan", location=place, next="save one plan alone")
        yield from _found(value.value, place, value.lost)
        at = value.end


def _is_vast(value: Any) -> bool:
    """More documents and lists than a plan has."""
    waiting: list[Any] = [value]
    seen = 0
    while waiting and seen <= MOST:
        item, inner = waiting.pop(), list[Any]()
        if isinstance(item, dict):
            inner = list(cast("Document", item).values())
        elif isinstance(item, list):
            inner = cast("list[Any]", item)
        found: list[Any] = [part for part in inner if isinstance(part, (dict, list))]
        waiting += found
        seen += len(found)
    return seen > MOST


def _begin(text: str, at: int) -> int:
    """Where the next document opens: at the beginning of a line, or right behind the last one; -1 for nowhere."""
    while at < len(text) and text[at] in " \t\n,;":
        at += 1
    if text.startswith(("{", "["), at):
        return at
    found = [place + 1 for opening in ("\n{", "\n[") if (place := text.find(opening, at)) >= 0]
    return min(found, default=-1)


def _value(text: str, at: int, file: str) -> Value:
    """The quick reader takes a text that is one JSON document; the other one takes all else."""
    if not text[:at].strip():
        try:
            return Value(orjson.loads(text), len(text))
        except orjson.JSONDecodeError:
            pass
    return read_value(text, at, file)


def _found(value: Any, place: Location, lost: Sequence[str]) -> Iterator[Found]:
    if isinstance(value, list):
        yield from _of_list(cast("list[Any]", value), place, lost)
    elif isinstance(value, dict):
        yield from _of_document(cast("Document", value), place, lost)
    else:
        raise _no_plan(place, "a value")


def _of_document(document: Document, place: Location, lost: Sequence[str]) -> Iterator[Found]:
    inner = _member(document, "explain")
    if _COLUMN in document:
        yield from _of_list([document], place, lost)
    elif isinstance(document.get("Plan"), dict):
        yield _postgres([document], place)
    elif isinstance(document.get("Node Type"), str):
        yield _postgres([{"Plan": document}], place)
    elif _is_mongo(document):
        yield _mongo(document, place, lost)
    elif _is_mongo(inner):
        yield _mongo(inner, place, lost)
    else:
        keys = ", ".join(str(key)[:40] for key in list(document)[:5])
        raise _no_plan(place, f"a document with {keys}" if keys else "an empty document")


def _of_list(values: list[Any], place: Location, lost: Sequence[str]) -> Iterator[Found]:
    """PostgreSQL's document, rows of an export, or several documents of MongoDB."""
    documents: list[Document] = [value for value in values if isinstance(value, dict)]
    cells = [document[_COLUMN] for document in documents if _COLUMN in document] or _texts(values)
    if not values:
        raise _no_plan(place, "an empty list")
    if any(isinstance(document.get("Plan"), dict) for document in documents):
        yield _postgres(values, place)
    elif cells and all(isinstance(cell, str) for cell in cells):
        yield Found(place.line or 1, text="\n".join(cells))
    elif documents and any(key.startswith("$") for key in documents[0]):
        yield _mongo({"stages": values}, place, lost)
    elif len(documents) < len(values):
        raise _no_plan(place, "a list of values")
    else:
        for value in cells or documents:
            yield from _found(value, place, lost)


def _texts(values: list[Any]) -> list[Any]:
    return values if all(isinstance(value, str) for value in values) else []


def _postgres(document: list[Any], place: Location) -> Found:
    return Found(place.line or 1, postgres_plan(document, place), "PostgreSQL JSON")


def _no_plan(place: Location, what: str) -> DbtrustError:
    return DbtrustError(
        f"{what}, and no plan of PostgreSQL or MongoDB",
        location=place,
        next="save what EXPLAIN (FORMAT JSON) or explain() printed",
    )


def postgres_plan(document: list[Any], place: Location, *, uniform: bool = False) -> Plan:
    """The plan of PostgreSQL's document; its command is the query's text, where auto_explain wrote it.

    Raises DbtrustError for one whose nodes lack what their types need; `uniform` as plan_damage.tree_lacks has it.
    """
    entries: list[Document] = [entry for entry in document if isinstance(entry, dict)]
    roots = [_member(entry, "Plan") for entry in entries if isinstance(entry.get("Plan"), dict)]
    if what := plan_damage.tree_lacks(roots, uniform=uniform):
        step = "save the whole plan, as EXPLAIN printed it"
        raise DbtrustError(f"a damaged plan: {what}", location=place, next=step)
    plan = plan_document.parse(document, server_version="")
    texts = [entry.get("Query Text") for entry in entries]
    return replace(plan, command="; ".join(text for text in texts if isinstance(text, str)))


def _is_mongo(document: Document) -> bool:
    return any(key in document for key in _MONGO)


def _mongo(document: Document, place: Location, lost: Sequence[str]) -> Found:
    from dbtrust.engine.mongo.command_text import command_text
    from dbtrust.engine.mongo.plans import parse

    try:
        document = _whole(cast("Document", relaxed(document)))
        version, command = _member(document, "serverInfo").get("version"), document.get("command")
        text = command_text(cast("Document", command)) if isinstance(command, dict) else ""
        plan = parse(document, server_version=str(version or ""), command=text)
    except (ValueError, RecursionError):
        raise DbtrustError(
            "a document nested deeper than MongoDB's can be", location=place, next="save the plan again"
        ) from None
    unknown = (*plan.unknown, *(f"{path or 'a part'}, left out by the shell" for path in dict.fromkeys(lost)))
    return Found(place.line or 1, replace(plan, unknown=unknown), "MongoDB")


def _whole(document: Document) -> Document:
    """The explain document around a part of one."""
    if any(key in document for key in ("queryPlanner", "stages", "shards")):
        return document
    if "executionStats" in document:
        return {"queryPlanner": {}, **document}
    if "winningPlan" in document:
        return {"queryPlanner": document}
    return {"queryPlanner": {"winningPlan": document}}


def _member(document: Document, key: str) -> Document:
    found = document.get(key)
    return cast("Document", found) if isinstance(found, dict) else {}
