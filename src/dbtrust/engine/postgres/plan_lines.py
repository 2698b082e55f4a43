"""One line of EXPLAIN's text format as the properties that its JSON format writes. Pure, and nothing is raised.

The words are those of explain.c of PostgreSQL 15 to 18.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Properties = dict[str, Any]

_IDENTIFIER = r'(?:"(?:[^"]|"")*"|[^\s."]+)'
_NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_COSTS = re.compile(
    rf"\s*\(cost=(?P<startup>{_NUMBER})\.\.(?P<total>{_NUMBER}) rows=(?P<rows>{_NUMBER}) width=(?P<width>{_NUMBER})\)"
)
_ACTUAL = re.compile(
    rf"(?:time=(?P<first>{_NUMBER})\.\.(?P<last>{_NUMBER}) )?rows=(?P<rows>{_NUMBER}) loops=(?P<loops>{_NUMBER})"
)
_TAIL = re.compile(r"\s*\((?P<what>cost=[^()]*|actual [^()]*|never executed)\)\s*$")
_TARGET = re.compile(
    rf" on (?:(?P<schema>{_IDENTIFIER})\.)?(?P<name>{_IDENTIFIER})(?: (?P<alias>{_IDENTIFIER}))?$"
)
_USING = re.compile(rf"(?P<backward> Backward)? using (?P<index>{_IDENTIFIER})(?= on |$)")
_JOIN = re.compile(
    r"(?P<kind>Nested Loop|Merge|Hash)(?: (?P<join>Left|Full|Right|Semi|Anti|Right Semi|Right Anti))? Join"
)
_AGGREGATE = re.compile(r"(?:(?P<mode>Partial|Finalize) )?(?P<kind>Group|Hash|Mixed)?Aggregate")
_SET_OPERATION = re.compile(r"(?P<hash>Hash)?SetOp(?: (?P<command>.+))?")
_CUSTOM = re.compile(r"Custom Scan \((?P<provider>.*)\)")
_STRATEGIES = {None: "Plain", "Group": "Sorted", "Hash": "Hashed", "Mixed": "Mixed"}
_WRITES = ("Insert", "Update", "Delete", "Merge")
#: The node types whose text is the JSON format's "Node Type".
_PLAIN = frozenset({
    "Result", "ProjectSet", "Append", "Merge Append", "Recursive Union", "BitmapAnd", "BitmapOr", "Nested Loop",
    "Seq Scan", "Sample Scan", "Gather", "Gather Merge", "Index Scan", "Index Only Scan", "Bitmap Index Scan",
    "Bitmap Heap Scan", "Tid Scan", "Tid Range Scan", "Subquery Scan", "Function Scan", "Table Function Scan",
    "Values Scan", "CTE Scan", "Named Tuplestore Scan", "WorkTable Scan", "Foreign Scan", "Custom Scan",
    "Materialize", "Memoize", "Sort", "Incremental Sort", "Group", "WindowAgg", "Unique", "LockRows", "Limit",
    "Hash",
})  # fmt: skip
#: What "on NAME" names, where it is not "Relation Name"; None: an alias alone.
_TARGETS: Mapping[str, str | None] = {
    "Bitmap Index Scan": "Index Name", "Function Scan": "Function Name",
    "Table Function Scan": "Table Function Name", "CTE Scan": "CTE Name", "WorkTable Scan": "CTE Name",
    "Named Tuplestore Scan": "Tuplestore Name", "Values Scan": None, "Subquery Scan": None,
}  # fmt: skip
_MEMBERS = ("Append", "Merge Append", "BitmapAnd", "BitmapOr")


def number(text: str) -> int | float:
    """A number of the text; raises ValueError."""
    value = float(text)
    return int(value) if re.fullmatch(r"-?\d+", text) else value


def unquoted(identifier: str) -> str:
    """The name that an identifier of SQL stands for."""
    return identifier[1:-1].replace('""', '"') if identifier.startswith('"') else identifier


def node(text: str) -> tuple[Properties, bool]:
    """A node's line without its arrow, and whether it is one beyond doubt: with costs or counts, or a known type."""
    head, counts, measured = text.rstrip(), dict[str, Any](), False
    while match := _TAIL.search(head):
        head, measured = head[: match.start()], True
        counts |= _counts(match)
    properties, known = _head(head.strip())
    return properties | counts, known or measured


def _counts(match: re.Match[str]) -> Properties:
    if costs := _COSTS.match(match[0]):
        return {
            "Startup Cost": number(costs["startup"]), "Total Cost": number(costs["total"]),
            "Plan Rows": number(costs["rows"]), "Plan Width": number(costs["width"]),
        }  # fmt: skip
    if match["what"] == "never executed":
        return {"Actual Rows": 0, "Actual Loops": 0}
    return actual(match["what"])


def actual(text: str) -> Properties:
    """time=0.01..0.02 rows=3 loops=1"""
    found = _ACTUAL.search(text)
    if found is None:
        return {}
    times = {"Actual Startup Time": "first", "Actual Total Time": "last"}
    counted = {"Actual Rows": "rows", "Actual Loops": "loops"}
    return {key: number(found[group]) for key, group in (times | counted).items() if found[group] is not None}


def _head(head: str) -> tuple[Properties, bool]:
    """Parallel Async TYPE [Backward] [using INDEX] [on [SCHEMA.]NAME [ALIAS]]"""
    flags: Properties = {}
    for word, key in (("Parallel ", "Parallel Aware"), ("Async ", "Async Capable")):
        if head.startswith(word):
            head, flags[key] = head.removeprefix(word), True
    target = _TARGET.search(head) if " on " in head else None
    kind = head[: target.start()] if target else head
    using = _USING.search(kind)
    kind = kind[: using.start()] if using else kind
    properties, known = _kind(kind)
    if using:
        properties["Scan Direction"] = "Backward" if using["backward"] else "Forward"
        properties["Index Name"] = unquoted(using["index"])
    return properties | (_target(properties["Node Type"], target) if target else {}) | flags, known


def _kind(kind: str) -> tuple[Properties, bool]:
    if kind in _PLAIN:
        return {"Node Type": kind} | ({"Join Type": "Inner"} if kind == "Nested Loop" else {}), True
    if kind in _WRITES:
        return {"Node Type": "ModifyTable", "Operation": kind}, True
    if kind.startswith("Foreign ") and kind[8:] in _WRITES:
        return {"Node Type": "Foreign Scan", "Operation": kind[8:]}, True
    for pattern, make in _COMPOSED:
        if match := pattern.fullmatch(kind):
            return make(match), True
    return {"Node Type": kind}, False


def _join(match: re.Match[str]) -> Properties:
    kind = match["kind"] if match["kind"] == "Nested Loop" else f"{match['kind']} Join"
    return {"Node Type": kind, "Join Type": match["join"] or "Inner"}


def _aggregate(match: re.Match[str]) -> Properties:
    return {
        "Node Type": "Aggregate",
        "Strategy": _STRATEGIES[match["kind"]],
        "Partial Mode": match["mode"] or "Simple",
    }


def _set_operation(match: re.Match[str]) -> Properties:
    command = {"Command": match["command"]} if match["command"] else {}
    return {"Node Type": "SetOp", "Strategy": "Hashed" if match["hash"] else "Sorted"} | command


def _custom(match: re.Match[str]) -> Properties:
    return {"Node Type": "Custom Scan", "Custom Plan Provider": match["provider"]}


_COMPOSED: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Properties]], ...] = (
    (_JOIN, _join),
    (_AGGREGATE, _aggregate),
    (_SET_OPERATION, _set_operation),
    (_CUSTOM, _custom),
)


def _target(kind: str, match: re.Match[str]) -> Properties:
    name = unquoted(match["name"])
    key = _TARGETS.get(kind, "Relation Name")
    if key == "Index Name":
        return {key: name}
    alias = unquoted(match["alias"]) if match["alias"] else name
    # A function of another name than the alias, or several functions: one name alone may be only an alias.
    unsure = key == "Function Name" and not (match["alias"] or match["schema"])
    named = {key: name} if key and not unsure else {}
    schema = {"Schema": unquoted(match["schema"])} if match["schema"] else {}
    return named | schema | {"Alias": alias}


def written_target(text: str) -> Properties | None:
    """ "Update on public.part_1 p": one of the tables that a ModifyTable writes; None for any other line."""
    match = _TARGET.search(text)
    kind = text[: match.start()].removeprefix("Foreign ") if match else ""
    return _target("ModifyTable", match) if match and kind in _WRITES else None


def relationship(parent: Properties, label: str, place: int) -> str:
    """What the JSON format calls the child at `place` (0, 1, …) among those without a label."""
    if label:
        return "InitPlan" if label.startswith(("CTE ", "InitPlan")) else "SubPlan"
    kind = parent.get("Node Type")
    if kind in _MEMBERS:
        return "Member"
    if kind == "Subquery Scan":
        return "Subquery"
    return "Outer" if place == 0 else "Inner"
