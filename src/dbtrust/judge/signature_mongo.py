"""The decisions of MongoDB's plans as lines, the same for a pipeline that ran in stages and one that ran in slots."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from dbtrust.judge.signature import Line, quoted
from dbtrust.model.plan import Node, Plan

#: The slot-based engine takes stages of a pipeline into its plan under names of the find layer.
_SAME = {
    "$group": "GROUP", "$lookup": "LOOKUP", "EQ_LOOKUP": "LOOKUP", "EQ_LOOKUP_UNWIND": "LOOKUP", "$sort": "SORT",
    "$limit": "LIMIT", "$skip": "SKIP", "$match": "MATCH", "$unwind": "UNWIND", "$_internalStreamingGroup": "GROUP",
}  # fmt: skip
#: Stages that only shape what the one below gives; which of them there are depends on the engine.
_SHAPING = frozenset({
    "PROJECTION_SIMPLE", "PROJECTION_DEFAULT", "PROJECTION_COVERED", "CACHED_PLAN", "MULTI_PLAN", "SORT_KEY_GENERATOR",
    "$internalFacetTeeConsumer", "$teeConsumer", "$project", "$addFields", "$set", "$unset", "$replaceRoot", "$replaceWith", "REPLACE_ROOT",
})  # fmt: skip
_SCANS = frozenset({"IXSCAN", "COUNT_SCAN", "DISTINCT_SCAN", "CLUSTERED_IXSCAN", "COLLSCAN", "IDHACK"})
_COMMAND = re.compile(r'\{"(\w+)": ?"((?:[^"\\]|\\.)*)"')
_EVERYTHING = frozenset({"[MinKey, MaxKey]", "[MaxKey, MinKey]"})


def mongo_lines(plans: Sequence[Plan]) -> tuple[Line, ...]:
    """The trees of a method's commands, one below the other; a command that is sent again counts once."""
    lines: list[Line] = []
    seen: set[tuple[str, ...]] = set()
    for plan in plans:
        block = _command(plan)
        texts = tuple(line.text for line in block)
        lines += [] if texts in seen else block
        seen.add(texts)
    return tuple(lines)


def _command(plan: Plan) -> list[Line]:
    match = _COMMAND.match(plan.command)
    head = f"{match[1]} {quoted(match[2])}" if match else "command"
    block: list[Line] = []
    for root in plan.children(None):
        block = _block(plan, root, block)
    return [Line(head), *_deeper(block)]


def _block(plan: Plan, node: Node, source: list[Line]) -> list[Line]:
    """A stage over its children; `source` is what the stage before it in a pipeline gives."""
    below = list(plan.children(node.id))
    children = [source] * bool(source) + [_block(plan, child, []) for child in below]
    if node.type in _SHAPING:
        return [line for child in children for line in child]
    lines = [Line(_head(node, below), node), *(Line(f"    {text}", node) for text in _attributes(node))]
    return lines + [line for child in children for line in _deeper(child)]


def _deeper(lines: Sequence[Line]) -> list[Line]:
    return [replace(line, text=f"  {line.text}") for line in lines]


def _head(node: Node, below: Sequence[Node]) -> str:
    parts = [_SAME.get(node.type, node.type)]
    if node.type in _SCANS and node.detail.get("direction") == "backward":
        parts.append("Backward")
    if parts[0] == "LOOKUP":
        parts.append(f"({_strategy(node, below)})")
    if node.index:
        parts.append(f"using {quoted(node.index)}")
    if node.relation and node.type != "FETCH":
        parts.append(f"on {quoted(node.relation)}")
    return " ".join(parts)


def _strategy(node: Node, below: Sequence[Node]) -> str:
    """How a join looks its partners up; in a pipeline stage it always loops."""
    told = node.detail.get("strategy")
    if isinstance(told, str):
        return told
    told_by_counters = {child.type for child in below if child.detail.get("reported_by")}
    return "IndexedLoopJoin" if "IXSCAN" in told_by_counters else "NestedLoopJoin"


def _attributes(node: Node) -> Iterator[str]:
    if (keys := node.detail.get("keyPattern")) is not None:
        yield f"Index: {keys if isinstance(keys, str) else json.dumps(keys, ensure_ascii=False)}"
    bounds = node.detail.get("indexBounds")
    if isinstance(bounds, Mapping) and bounds:
        fields = _intervals(cast("Mapping[str, Any]", bounds))
        yield f"Bounds: {', '.join(f'{name} {_kind(value)}' for name, value in fields.items())}"
    pattern = node.detail.get("sortPattern")
    if pattern is None and node.type == "$sort":
        spec = node.detail.get("spec")
        pattern = cast("Mapping[str, Any]", spec).get("sortKey", spec) if isinstance(spec, Mapping) else None
    if pattern is not None:
        yield f"Sort: {json.dumps(pattern, ensure_ascii=False)}"


def _intervals(bounds: Mapping[str, Any]) -> Mapping[str, Any]:
    """Field -> intervals as texts; COUNT_SCAN tells the two ends as documents instead."""
    start, end = bounds.get("startKey"), bounds.get("endKey")
    if not (isinstance(start, Mapping) and isinstance(end, Mapping)):
        return bounds
    ends = cast("Mapping[str, Any]", end)
    return {
        name: [f"[{_end(value)}, {_end(ends.get(name))}]"]
        for name, value in cast("Mapping[str, Any]", start).items()
    }


def _end(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return {'{"$minKey": 1}': "MinKey", '{"$maxKey": 1}': "MaxKey"}.get(text, text)


def _kind(intervals: Any) -> str:
    """all, equal (points only) or range."""
    items = [str(item) for item in cast("list[Any]", intervals)] if isinstance(intervals, list) else []
    if not items or any(item in _EVERYTHING for item in items):
        return "all"
    return "equal" if all(_is_point(item) for item in items) else "range"


def _is_point(interval: str) -> bool:
    """`[5, 5]`, whatever stands for 5: both halves are the same text."""
    inside = interval[1:-1]
    half = (len(inside) - 2) // 2
    return interval[:1] == "[" and interval[-1:] == "]" and inside == f"{inside[:half]}, {inside[:half]}"
