"""The decisions of a PostgreSQL plan as lines: what the planner chose, and nothing that changes with a sample.

Kept: node types, join types, strategies, relations with their aliases, indexes, directions, the columns and
operators of index, hash, merge and KNN conditions, keys of sorts, groups and caches, the order of children.
Left out: costs, rows, widths, times, buffers, workers, constants, and filters (what an index does not do).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from dbtrust.judge.expressions import without_values
from dbtrust.model.plan import Node, Plan

_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_$]*")
#: Words behind a node's type, in brackets.
_WORDS = ("Operation", "Partial Mode", "Strategy", "Command", "Join Type", "Custom Plan Provider")
_USUAL = frozenset({("Partial Mode", "Simple"), ("Join Type", "Inner")})
_CONDITIONS = ("Index Cond", "Order By", "TID Cond", "Hash Cond", "Merge Cond", "Cache Key")
_KEYS = ("Presorted Key", "Sort Key", "Group Key", "Grouping Sets", "Conflict Arbiter Indexes")
_APPENDS = frozenset({"Append", "Merge Append"})
_BITMAPS = frozenset({"BitmapAnd", "BitmapOr"})
_HASHED = re.compile(r"hashed (SubPlan \d+)")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a tree, indented by two blanks for each level; `node` is where the plan has it."""

    text: str
    node: Node | None = None


_WORD = r"(?:\"(?:[^\"]|\"\")+\"|[a-z0-9_$]+)"
_ATTRIBUTE = re.compile(rf" *(?:{'|'.join((*_CONDITIONS, *_KEYS, 'Index', 'Bounds', 'Sort'))}): ")
_INDEX = re.compile(rf".*? using ((?:{_WORD}\.)?{_WORD})(?: |$)")


def index_named(line: str) -> str | None:
    """The index that a line of a tree names, as it stands there."""
    match = None if _ATTRIBUTE.match(line) else _INDEX.match(line)
    return match[1] if match else None


def unquoted(name: str) -> tuple[str | None, str]:
    """[SCHEMA.]NAME of a line as schema (None: public) and name."""
    *schema, last = (_plain(word) for word in re.findall(_WORD, name))
    return (schema[0] if schema else None), last


def _plain(word: str) -> str:
    return word[1:-1].replace('""', '"') if word.startswith('"') else word


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return name if _PLAIN_NAME.fullmatch(name) else '"' + name.replace('"', '""') + '"'


def qualified(schema: str | None, name: str) -> str:
    """A name with its schema, unless that is public."""
    return quoted(name) if schema in (None, "", "public") else f"{quoted(schema)}.{quoted(name)}"


def postgres_lines(plan: Plan, indexes: Mapping[tuple[str, str], str]) -> tuple[Line, ...]:
    """The tree of one plan; several roots (a rewrite rule) stand one below the other.

    `indexes` tells what an index of (schema, name) is: the same name over other columns is another decision.
    """
    tree = _Tree(plan, indexes)
    return tuple(line for root in plan.children(None) for line in tree.blocks[root.id])


@dataclass(slots=True)
class _Tree:
    plan: Plan
    indexes: Mapping[tuple[str, str], str]
    below: dict[int | None, list[Node]] = field(default_factory=dict[int | None, list[Node]])
    aliases: dict[str, str] = field(default_factory=dict[str, str])
    hashed: set[str] = field(default_factory=set[str])
    #: Node id -> the lines of the node and of all below it.
    blocks: dict[int, list[Line]] = field(default_factory=dict[int, "list[Line]"])
    #: Nodes below which a partition is read.
    partitioned: set[int] = field(default_factory=set[int])

    def __post_init__(self) -> None:
        parents = {node.id: node for node in self.plan.nodes}
        for node in self.plan.nodes:
            self.below.setdefault(node.parent, []).append(node)
            if node.root_relation and node.alias and self._appended(node, parents):
                self.aliases[node.alias] = re.sub(r"_\d+$", "", node.alias)
            for text in node.detail.values():
                self.hashed.update(_HASHED.findall(str(text)))
        # Children come behind their parent, so from the end no node needs recursion.
        for node in reversed(self.plan.nodes):
            if node.root_relation or any(
                child.id in self.partitioned for child in self.below.get(node.id, [])
            ):
                self.partitioned.add(node.id)
            self.blocks[node.id] = self.block(node)

    @staticmethod
    def _appended(node: Node, nodes: Mapping[int, Node]) -> bool:
        """Below an Append the server numbers the aliases of partitions."""
        while node.parent is not None:
            node = nodes[node.parent]
            if node.type in _APPENDS:
                return True
        return False

    def block(self, node: Node) -> list[Line]:
        """The node's line, its attributes and the blocks of its children."""
        lines = [Line(self.head(node), node)]
        lines += [Line(f"    {text}", node) for text in self.attributes(node)]
        for child in self.children(node):
            lines += [replace(line, text=f"  {line.text}") for line in child]
        return lines

    def children(self, node: Node) -> list[list[Line]]:
        """The blocks of the children in the plan's order, where that is a decision."""
        nodes = self.below.get(node.id, [])
        blocks = [self.blocks[child.id] for child in nodes]
        if node.type in _BITMAPS:
            return sorted(blocks, key=_texts)
        if node.type in _APPENDS:
            if all(child.id in self.partitioned for child in nodes if not child.detail.get("Subplan Name")):
                return _counted(blocks)
            # A parallel Append starts with the dearest child: its order follows the costs.
            return sorted(blocks, key=_texts) if node.detail.get("Parallel Aware") else blocks
        return blocks

    def head(self, node: Node) -> str:
        """SubPlan 1 (hashed): Parallel Index Scan Backward using i on r a."""
        detail = node.detail
        parts = ["Parallel"] * bool(detail.get("Parallel Aware")) + [node.type]
        parts += ["Backward"] * (detail.get("Scan Direction") == "Backward")
        words = [str(detail[key]) for key in _WORDS if detail.get(key) and (key, detail[key]) not in _USUAL]
        parts += [f"({', '.join(words)})"] if words else []
        parts += self._names(node)
        parts += ["pruned at run time"] * bool(detail.get("Subplans Removed"))
        return self._named(detail) + " ".join(parts)

    def _named(self, detail: Mapping[str, Any]) -> str:
        name = detail.get("Subplan Name")
        if not name:
            return ""
        return f"{name}{' (hashed)' if name in self.hashed else ''}: "

    def _names(self, node: Node) -> Iterator[str]:
        relation, schema = node.root_relation or node.relation, node.root_schema or node.schema
        if index := node.root_index or node.index:
            yield f"using {qualified(schema, index)}"
        detail = node.detail
        for key in ("CTE Name", "Function Name", "Table Function Name", "Tuplestore Name"):
            relation = relation or detail.get(key)
        if relation:
            yield f"on {qualified(schema, str(relation))}"
        alias = self.aliases.get(node.alias or "", node.alias)
        if alias and alias != relation:
            yield quoted(alias)

    def attributes(self, node: Node) -> Iterator[str]:
        place = node.root_schema or node.schema or "", node.root_index or node.index or ""
        if told := self.indexes.get(place):
            yield f"Index: {told}"
        for key in _CONDITIONS:
            if key in node.detail:
                yield f"{key}: {self._bare(node.detail[key])}"
        for key in _KEYS:
            if key in node.detail:
                yield f"{key}: {self._key(node, key)}"

    def _key(self, node: Node, key: str) -> str:
        """Keys keep their order, but those of a hash table have none."""
        value = node.detail[key]
        if not isinstance(value, list):
            return self._bare(value)
        items = [self._bare(item) for item in cast("list[Any]", value)]
        if key == "Group Key" and node.detail.get("Strategy") == "Hashed":
            items.sort()
        return ", ".join(items)

    def _bare(self, value: Any) -> str:
        return without_values(str(value), self.aliases)


def _texts(block: Sequence[Line]) -> tuple[str, ...]:
    return tuple(line.text for line in block)


def _counted(blocks: Sequence[list[Line]]) -> list[list[Line]]:
    """Equal blocks once, with their number, in the order of their texts: which partition it is, is no decision."""
    count = Counter(_texts(block) for block in blocks)
    first: dict[tuple[str, ...], list[Line]] = {}
    for block in blocks:
        first.setdefault(_texts(block), block)
    return [_times(count[texts], first[texts]) for texts in sorted(first)]


def _times(number: int, block: list[Line]) -> list[Line]:
    if number == 1:
        return block
    return [replace(block[0], text=f"{number} x {block[0].text}"), *block[1:]]
