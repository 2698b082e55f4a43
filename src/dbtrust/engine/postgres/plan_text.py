"""PostgreSQL's EXPLAIN text format, as the document that its JSON format would be. Pure; a damaged one is refused.

`read` gives what plan_document.parse takes, so that both formats are one tree. What the text leaves out because it
is zero (rows removed, blocks) is filled in where the text shows that it was counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dbtrust.engine.postgres import plan_damage, plan_lines, plan_properties
from dbtrust.engine.postgres.plan_lines import Properties
from dbtrust.model.errors import DbtrustError
from dbtrust.model.location import Location

_KEY = re.compile(r"([A-Z][\w/ -]*?):(?:\s+(.*))?", re.DOTALL)
_WORKER = re.compile(r"Worker (\d+): +(.*)", re.DOTALL)
_QUOTE = re.compile("['\"]")
#: A text constant of more lines than this is taken for a quote that was cut off.
_LONGEST = 500
#: Property -> the count that the text leaves out where it is zero.
_REMOVED = {
    "Filter": "Rows Removed by Filter", "Join Filter": "Rows Removed by Join Filter",
    "Recheck Cond": "Rows Removed by Index Recheck",
}  # fmt: skip
_BLOCKS = [f"{kind} {what} Blocks" for kind in ("Shared", "Local") for what in ("Hit", "Read")]


@dataclass(slots=True)
class TextPlan:
    """`entry` is one object of the JSON document; `line` counts from 0. `lines` are those of the nodes."""

    line: int
    entry: Properties
    nodes: list[Properties] = field(default_factory=list[Properties])
    lines: list[_Line] = field(default_factory=list["_Line"])
    #: The last line of the text that belongs to the tree or stands below it.
    last: _Line | None = None


@dataclass(slots=True)
class _Line:
    number: int
    column: int
    text: str


def read(lines: Sequence[str], file: str = "") -> list[TextPlan]:
    """Every plan in the lines, in their order; what stands before the first one is skipped.

    Lines have their indentation, without a terminal's frame. A statement's text ("Query Text") may stand before
    its plan. A list without plans where nothing is one. Raises DbtrustError, with the line, for a damaged plan.
    """
    reader = _Reader(file)
    logical = list(_logical(lines))
    for at, line in enumerate(logical):
        following = logical[at + 1] if at + 1 < len(logical) else None
        reader.line(line, following)
        if reader.plans:
            reader.plans[-1].last = line
    for plan in reader.plans:
        _refuse_damaged(plan, file)
        _complete(plan)
    return reader.plans


def _refuse_damaged(plan: TextPlan, file: str) -> None:
    """Raises DbtrustError for a node without its children or numbers, and for a last line that is cut off."""
    last, root = plan.last, plan.nodes[0]
    for node, line in zip(plan.nodes, plan.lines, strict=True):
        if what := plan_damage.line_lacks(line.text, node, root, last=line is last):
            raise _damaged(what, line, file)
    if last is not None and last not in plan.lines:
        below = last.column > plan.lines[0].column
        if what := plan_damage.end_lacks(last.text) if below else plan_damage.statement_lacks(last.text):
            raise _damaged(what, last, file)
    for node, line in zip(plan.nodes, plan.lines, strict=True):
        if what := plan_damage.lacking(node):
            raise _damaged(what, line, file)


def _damaged(what: str, line: _Line, file: str) -> DbtrustError:
    return DbtrustError(
        f"a damaged plan: {what}", location=Location(file or None, line.number + 1),
        next="save the whole plan, as EXPLAIN printed it",
    )  # fmt: skip


def _logical(lines: Sequence[str]) -> Iterator[_Line]:
    """Lines that are not blank; one whose quote is open goes on in the next ones."""
    at = 0
    while at < len(lines):
        text = lines[at]
        end = _closed(lines, at)
        if end > at:
            text = "\n".join(lines[at : end + 1])
        if text.strip():
            yield _Line(at, len(text) - len(text.lstrip()), text.strip())
        at = end + 1


def _closed(lines: Sequence[str], at: int) -> int:
    """The line in which the quotes of this one are closed: itself where they never are."""
    if lines[at].lstrip().startswith(("CTE ", "Query Text:")):
        return at
    quote = ""
    for end in range(at, min(at + _LONGEST, len(lines))):
        for match in _QUOTE.finditer(lines[end]):
            if not quote:
                quote = match[0]
            elif match[0] == quote:
                quote = ""
        if not quote:
            return end
    return at


class _Reader:
    """Line by line: a root opens a plan, arrows give the tree, all else belongs to the last node or the statement."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.plans: list[TextPlan] = []
        self._root = 0
        #: (column of the arrow, node)
        self._stack: list[tuple[int, Properties]] = []
        self._label = ""
        #: The statement's own lines began; the block of it that is open.
        self._after = False
        self._block: Properties | None = None
        self._worker: int | None = None
        self._before: list[str] = []

    def line(self, line: _Line, following: _Line | None) -> None:
        if line.text.startswith("->") and (self.plans or plan_lines.node(line.text[2:].lstrip())[1]):
            self._child(line)
        elif self._is_label(line, following):
            self._label = line.text
            self._pop(line.column)
        elif (not self.plans or line.column <= self._root) and self._opens(line, following):
            self._open(line)
        elif not self.plans:
            self._before.append(" " * line.column + line.text)
        elif line.column <= self._root or self._after:
            self._statement(line)
        else:
            self._property(line)

    def _is_label(self, line: _Line, following: _Line | None) -> bool:
        """CTE x, InitPlan 1, SubPlan 2: the arrow below it is two cells to the right."""
        return (
            following is not None
            and following.text.startswith("->")
            and following.column == line.column + 2
            and bool(self._stack)
            and line.column > self._root
        )

    def _opens(self, line: _Line, following: _Line | None) -> bool:
        """Is it a root? With costs off, only a type that is known or what has an arrow below it."""
        properties, sure = plan_lines.node(line.text)
        if "Total Cost" in properties or "Actual Loops" in properties:
            return True
        below = following is not None and following.text.startswith("->") and ":" not in line.text
        likely = below and not self.plans and plan_damage.is_type(properties["Node Type"])
        return sure or (likely and len(line.text) < 200)

    def _open(self, line: _Line) -> None:
        node, _ = plan_lines.node(line.text)
        plan = TextPlan(line.number, {"Plan": node}, [node], [line])
        if (text := self._query_text()) is not None:
            plan.entry["Query Text"] = text
        self.plans.append(plan)
        self._root, self._stack, self._after = line.column, [(-1, node)], False
        self._block, self._label, self._worker, self._before = None, "", None, []

    def _query_text(self) -> str | None:
        text = "\n".join(self._before)
        _, found, rest = text.partition("Query Text: ")
        return rest.partition("\nQuery Parameters: ")[0] if found else None

    def _child(self, line: _Line) -> None:
        node, _ = plan_lines.node(line.text[2:].lstrip())
        if not self.plans:  # a plan whose beginning was cut off
            raise _damaged("its beginning is missing", line, self._file)
        if line.column <= self._root:
            raise _damaged("this node is below nothing", line, self._file)
        if not self._label:
            self._pop(line.column)
        parent = self._stack[-1][1]
        siblings: list[Properties] = parent.setdefault("Plans", [])
        place = sum("Subplan Name" not in sibling for sibling in siblings)
        node["Parent Relationship"] = plan_lines.relationship(parent, self._label, place)
        if self._label:
            node["Subplan Name"] = self._label
        siblings.append(node)
        self.plans[-1].nodes.append(node)
        self.plans[-1].lines.append(line)
        self._stack.append((line.column, node))
        self._label, self._worker, self._after = "", None, False

    def _pop(self, column: int) -> None:
        while len(self._stack) > 1 and self._stack[-1][0] >= column:
            self._stack.pop()

    def _property(self, line: _Line) -> None:
        node = self._stack[-1][1]
        if worker := _WORKER.fullmatch(line.text):
            self._worker = line.column
            node.setdefault("Workers", []).append(
                {"Worker Number": int(worker[1])} | plan_lines.actual(worker[2])
            )
            return
        if self._worker is not None and line.column > self._worker:
            return
        self._worker = None
        match = _KEY.fullmatch(line.text)
        if node.get("Node Type") == "ModifyTable" and (target := plan_lines.written_target(line.text)):
            node.setdefault("Target Tables", []).append(target)
        elif match and not plan_properties.grouping(node, match[1], match[2] or ""):
            node.update(plan_properties.properties(match[1], match[2] or "", node))

    def _statement(self, line: _Line) -> None:
        """Planning, settings, triggers, times: what stands below the tree."""
        entry = self.plans[-1].entry
        match = _KEY.fullmatch(line.text)
        if line.column > self._root:
            if match and self._block is not None:
                read = plan_properties.compilation if self._block is entry.get("JIT") else _plain
                self._block.update(read(match[1], match[2] or ""))
            return
        self._after, self._block = True, None
        if (trigger := plan_properties.trigger(line.text)) is not None:
            entry.setdefault("Triggers", []).append(trigger)
        elif match and not match[2]:
            self._block = entry.setdefault(match[1], {})
        elif match and match[1] == "Settings":
            entry["Settings"] = plan_properties.settings(match[2])
        elif match:
            key = "Execution Time" if match[1] == "Total runtime" else match[1]
            entry[key] = plan_properties.measure(match[2])


def _plain(key: str, value: str) -> Properties:
    return plan_properties.properties(key, value, {})


def _complete(plan: TextPlan) -> None:
    """Fills in the zeros that the text format leaves out, as far as the text shows what was counted."""
    analyzed = any("Actual Loops" in node for node in plan.nodes)
    timed = any("Actual Total Time" in node for node in plan.nodes)
    counted = any(key in node for node in plan.nodes for key in _BLOCKS)
    counted = counted or (analyzed and any(key in _section(plan, "Planning") for key in _BLOCKS))
    for node in plan.nodes:
        if "Actual Loops" not in node:
            continue
        if timed and node["Actual Loops"] == 0:
            node.setdefault("Actual Startup Time", 0.0)
            node.setdefault("Actual Total Time", 0.0)
        for condition, count in _REMOVED.items():
            if condition in node:
                node.setdefault(count, 0)
        if "Index Cond" in node and node["Node Type"] in ("Index Scan", "Index Only Scan"):
            node.setdefault("Rows Removed by Index Recheck", 0)
        if counted:
            for key in _BLOCKS:
                node.setdefault(key, 0)


def _section(plan: TextPlan, name: str) -> Properties:
    return plan.entry.get(name) or {}
