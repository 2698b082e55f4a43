"""What shows that a saved plan of PostgreSQL is not whole: children that are missing, lines that end too early. Pure.

A plan that was cut is refused and never shown as the plan that it no longer is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

from dbtrust.engine.postgres.plan_document import KNOWN

_ONE = frozenset({
    "Sort", "Incremental Sort", "Limit", "Hash", "Materialize", "Memoize", "Unique", "Group", "Aggregate",
    "WindowAgg", "LockRows", "Gather", "Gather Merge", "ProjectSet", "Subquery Scan", "Bitmap Heap Scan",
})  # fmt: skip
_TWO = frozenset({"Nested Loop", "Merge Join", "Hash Join", "Recursive Union"})
#: As many as there are, but one at the least. SetOp has one up to PostgreSQL 17 and two from 18 on.
_SOME = frozenset({"BitmapAnd", "BitmapOr", "ModifyTable", "SetOp"})
_MEMBERS = frozenset({"Append", "Merge Append"})
#: A type that no version writes yet is a few words.
_TYPE = re.compile(r"[A-Z][\w ()./-]*")
#: What the text format writes for every node or for none.
_COUNTED = ("Total Cost", "Actual Loops")
_TEXTS = re.compile(r"'[^']*'|\"[^\"]*\"")
_BELOW = (
    "Planning Time:", "Execution Time:", "Planning:", "Settings:", "JIT:", "Query Identifier:", "Serialization:",
)  # fmt: skip
_TIME = re.compile(r"(?:Planning|Execution) Time: .*(?<! ms)")


def lacking(node: Mapping[str, Any]) -> str:
    """What a node lacks: its type, or the children that its type needs; "" for a node that is whole."""
    kind = node.get("Node Type")
    if not is_type(kind):
        return "a node without a type"
    wanted = 2 if kind in _TWO else 1 if kind in _ONE or kind in _SOME or kind in _MEMBERS else 0
    have = len(_inputs(node))
    if kind in _MEMBERS and node.get("Subplans Removed"):
        return ""
    if have < wanted or (have > wanted and (kind in _ONE or kind in _TWO)):
        nodes = "one node" if wanted == 1 else "two nodes"
        less = "at least " if kind in _SOME or kind in _MEMBERS else ""
        return f"{kind} has {have or 'none'} below it and needs {less}{nodes}"
    return ""


def _inputs(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The children whose rows the node takes: not the subplans of its expressions, and no CTE."""
    return [
        child
        for child in children(node)
        if "Subplan Name" not in child and child.get("Parent Relationship") not in ("InitPlan", "SubPlan")
    ]


def children(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The nodes below one, whatever else stands there left out."""
    found: Any = node.get("Plans")
    items = cast("list[Any]", found) if isinstance(found, list) else []
    return [child for child in items if isinstance(child, dict)]


def is_type(kind: object) -> bool:
    """Can this be the type of a node? Pieces of a frame, arrows and numbers are none."""
    return isinstance(kind, str) and (kind in KNOWN or _TYPE.fullmatch(kind) is not None)


def tree_lacks(roots: Iterable[Mapping[str, Any]], *, uniform: bool = False) -> str:
    """What the first node of a document that is not whole lacks; "" where all are whole.

    `uniform`: what the server wrote itself, with costs for every node or for none.
    """
    for root in roots:
        waiting = [root]
        while waiting:
            node = waiting.pop()
            keys = ("Plan Width", "Actual Loops") if uniform else ()
            lost = [key for key in keys if key in root and key not in node]
            if what := lacking(node) or (f"{node.get('Node Type')} has no {lost[0]}" if lost else ""):
                return what
            waiting += reversed(children(node))
    return ""


def line_lacks(text: str, node: Mapping[str, Any], root: Mapping[str, Any], *, last: bool) -> str:
    """What a node's line of the text format lacks; `last`: nothing follows it."""
    kind = str(node.get("Node Type"))
    if not is_type(kind):
        return "this is no node of a plan"
    if re.search(r"\s\([^()]*$", _TEXTS.sub("", text)):
        return "this line ends inside its numbers"
    known = kind in KNOWN or node.get("Custom Plan Provider")
    if (known or last) and any(key in root and key not in node for key in _COUNTED):
        return "this line has no numbers, as the plan's first one has"
    if not known and any(one.endswith(f" {kind}") for one in KNOWN):
        return "the beginning of this line is missing"
    if last and not known and any(_begins(kind, one) for one in KNOWN):
        return "this line is cut off"
    return ""


def _begins(kind: str, known: str) -> bool:
    return known.startswith(kind) or kind.startswith((f"{known} on", f"{known} using"))


def end_lacks(text: str) -> str:
    """What the last line of a text plan lacks, a node's line excepted; it stands below a node."""
    bare = _TEXTS.sub("", text)
    closed = bare.count("(") == bare.count(")") and bare.count("[") == bare.count("]")
    if not closed or "'" in bare or '"' in bare or re.search(r":\s*$", bare) or ":" not in text:
        return "this line is cut off"
    return ""


def statement_lacks(text: str) -> str:
    """What a last line below the tree lacks, as far as it can be known for one of the server's."""
    begun = len(text) > 1 and any(one.startswith(text) for one in _BELOW)
    return "this line is cut off" if begun or _TIME.fullmatch(text) else ""
