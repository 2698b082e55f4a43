"""Saved plans: what a text is, and the plans in it. Pure; whatever the text, only DbtrustError is raised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from dbtrust.engine import plan_values
from dbtrust.engine.framing import unframed
from dbtrust.engine.postgres import plan_log, plan_text, plan_yaml
from dbtrust.model.errors import DbtrustError
from dbtrust.model.location import Location, locate
from dbtrust.model.plan import Node, Plan

#: Bytes, and nodes of all plans of a file: what can be read and shown in less than 300 MB of memory.
LIMIT = 8 * 1024 * 1024
_NODES = 20_000
_WHOLE = "save one plan as EXPLAIN or explain() printed it"
#: Details nested deeper than this are left out: nothing that a server prints is.
_DEEP = 60


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """`form` names the format for a reader ("PostgreSQL text"); `line` is where it begins, from 1."""

    plan: Plan
    form: str
    line: int


def read_plans(data: bytes, file: str) -> tuple[SavedPlan, ...]:
    """The plans of a file, at least one, in their order. `file` is its name in errors.

    Raises DbtrustError: too large, no text, XML, or nothing in it is a plan; with a place where there is one.
    """
    text = _decoded(data, file)
    try:
        found, nodes = list[SavedPlan](), 0
        for saved in _logs(text, file) if plan_log.is_log(text) else _plans(text, file):
            found.append(saved)
            nodes += len(saved.plan.nodes)
            if nodes > _NODES:
                raise _error(f"more than {_NODES:,} plan nodes", file, "save one plan to a file of its own")
    except RecursionError:
        raise _error("nested too deep for a plan", file, _WHOLE) from None
    if not found:
        place = locate(text, len(text) - len(text.lstrip()), file)
        raise DbtrustError("no plan of PostgreSQL or MongoDB", location=place, next=_WHOLE)
    return tuple(replace(saved, plan=_shallow(saved.plan)) for saved in found)


def _error(message: str, file: str, step: str) -> DbtrustError:
    return DbtrustError(message, location=Location(file), next=step)


def _decoded(data: bytes, file: str) -> str:
    if len(data) > LIMIT:
        raise _error(f"larger than {LIMIT >> 20} MiB", file, "save one plan to a file of its own")
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        place = locate(data[: error.start].decode(encoding, "replace"), len(data), file)
        raise DbtrustError("no text in UTF-8", location=place, next="name the file of a plan") from None
    if "\0" in text:
        place = locate(text, text.index("\0"), file)
        raise DbtrustError("holds a NUL byte: a binary file", location=place, next="name the file of a plan")
    if not text.strip():
        raise _error("is empty", file, _WHOLE)
    return text


def _logs(text: str, file: str) -> Iterator[SavedPlan]:
    """The plans of auto_explain's entries; lines count from the beginning of the log."""
    for before, entry in plan_log.entries(text):
        try:
            for saved in _plans(entry, file):
                yield replace(saved, line=saved.line + before)
        except DbtrustError as error:
            if error.location.line is None:
                raise
            place = Location(file, error.location.line + before, error.location.column)
            raise DbtrustError(error.message, location=place, next=error.next) from None


def _plans(text: str, file: str) -> Iterator[SavedPlan]:
    lines = unframed(text)
    _refuse_markup(lines, file)
    if plan_values.are_documents(lines):
        for found in plan_values.read("\n".join(lines), file):
            if found.text is not None:
                yield from (replace(saved, line=found.line) for saved in _plans(found.text, file))
            elif found.plan is not None:
                yield SavedPlan(found.plan, found.form, found.line)
    elif plan_yaml.is_yaml(lines):
        first = next(number for number, line in enumerate(lines) if line.strip())
        place = Location(file, first + 1)
        plan = plan_values.postgres_plan(plan_yaml.read(lines, file), place, uniform=True)
        yield SavedPlan(plan, "PostgreSQL YAML", first + 1)
    else:
        for found in plan_text.read(lines, file):
            plan = plan_values.postgres_plan([found.entry], Location(file, found.line + 1))
            yield SavedPlan(plan, "PostgreSQL text", found.line + 1)


def _refuse_markup(lines: Sequence[str], file: str) -> None:
    """Raises DbtrustError for the formats that are not read."""
    number, first = next(((n, line.strip()) for n, line in enumerate(lines, 1) if line.strip()), (1, ""))
    if not first.startswith("<"):
        return
    xml = first.startswith(("<?xml", "<explain"))
    raise DbtrustError(
        "an XML plan is not read" if xml else "a page of HTML is not read", location=Location(file, number),
        next="use EXPLAIN (FORMAT JSON), or the text format" if xml else "save the plan without \\pset format html",
    )  # fmt: skip


def _shallow(plan: Plan) -> Plan:
    """The plan without details that are nested without an end."""
    nodes = tuple(_shallow_node(node) if _any_deep(node.detail) else node for node in plan.nodes)
    totals = {key: _DEEPER if _is_deep(value) else value for key, value in plan.totals.items()}
    return replace(plan, nodes=nodes, totals=totals)


_DEEPER = "nested too deep to be shown"


def _any_deep(detail: Any) -> bool:
    return any(isinstance(value, (dict, list)) and _is_deep(value) for value in detail.values())


def _shallow_node(node: Node) -> Node:
    return replace(
        node, detail={key: _DEEPER if _is_deep(value) else value for key, value in node.detail.items()}
    )


def _is_deep(value: Any) -> bool:
    level: list[Any] = [value]
    for _ in range(_DEEP):
        inner = [_inside(item) for item in level if isinstance(item, (dict, list))]
        level = [item for items in inner for item in items]
        if not level:
            return False
    return True


def _inside(item: Any) -> list[Any]:
    return list(cast("dict[str, Any]", item).values()) if isinstance(item, dict) else item
