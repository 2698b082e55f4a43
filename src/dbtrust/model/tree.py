"""PostgreSQL's pg_node_tree text as Python values: the query as the server resolved it.

The form is that of outfuncs.c: `{TAG :field value …}`, `(…)` for lists, `<>` for nothing, `(i …)`, `(o …)`, `(b …)`
for lists of numbers, `4 [ 1 0 0 0 ]` for a datum. Names, functions, operators and casts are resolved in it, so
nothing has to be guessed from the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

_TOKEN = re.compile(r'[(){}]|<>(?=[\s)}])|"(?:[^"\\]|\\.)*"|(?:\\.|[^\s(){}])+', re.DOTALL)
#: What says where an expression stood and not what it means.
_PLACE = frozenset({"location", "varnosyn", "varattnosyn", "varnullingrels", "stmt_location", "stmt_len"})
#: Up to PostgreSQL 15 some nodes were written under shorter names.
_OLD_TAGS = {
    "CASE": "CASEEXPR", "WHEN": "CASEWHEN", "ARRAY": "ARRAYEXPR", "ROW": "ROWEXPR", "COALESCE": "COALESCEEXPR",
    "MINMAX": "MINMAXEXPR", "RTE": "RANGETBLENTRY", "COLLATE": "COLLATEEXPR", "ROWCOMPARE": "ROWCOMPAREEXPR",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Node:
    """One node: `tag` as the server writes it ("VAR", "OPEXPR") and its fields."""

    tag: str
    fields: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]

    def get(self, name: str, default: Any = None) -> Any:
        return self.fields.get(name, default)

    def number(self, name: str, default: int = 0) -> int:
        """An integer field."""
        value = self.fields.get(name)
        return int(value) if value is not None else default

    def flag(self, name: str) -> bool:
        """A boolean field."""
        return self.fields.get(name) == "true"

    def list(self, name: str) -> list[Any]:
        """A list field; an empty list is written as nothing."""
        return cast("list[Any]", self.fields.get(name) or [])

    def child(self, name: str) -> Node | None:
        """A field that is a node or nothing."""
        value = self.fields.get(name)
        return value if isinstance(value, Node) else None


@dataclass(frozen=True, slots=True)
class Datum:
    """The bytes of a constant."""

    data: bytes


def parse_nodes(text: str) -> Any:
    """The value that the text stands for: Node, list, Datum, string or None. Raises ValueError for other text.

    Short ones are kept, for the same default or check is read again and again: nobody may change what comes back.
    """
    return _parsed(text) if len(text) < _SHORT else _parsed.__wrapped__(text)


#: Characters of a text that is kept, and how many of them are.
_SHORT, _KEPT = 4_000, 512


@lru_cache(_KEPT)
def _parsed(text: str) -> Any:
    tokens = _TOKEN.findall(text)
    value, end = _value(tokens, 0)
    if end != len(tokens):
        raise ValueError(f"a node tree ends at token {end} of {len(tokens)}")
    return value


def _value(tokens: Sequence[str], at: int) -> tuple[Any, int]:
    token = tokens[at]
    if token == "{":
        return _node(tokens, at + 1)
    if token == "(":
        return _list(tokens, at + 1)
    if token == "<>":
        return None, at + 1
    if at + 1 < len(tokens) and tokens[at + 1] == "[":
        end = tokens.index("]", at)
        return Datum(bytes(int(byte) & 255 for byte in tokens[at + 2 : end])), end + 1
    return _word(token), at + 1


def _word(token: str) -> str:
    quoted = len(token) > 1 and token[0] == token[-1] == '"'
    return re.sub(r"\\(.)", r"\1", token[1:-1] if quoted else token, flags=re.DOTALL)


def _node(tokens: Sequence[str], at: int) -> tuple[Node, int]:
    tag, fields = _OLD_TAGS.get(tokens[at], tokens[at]), dict[str, Any]()
    at += 1
    while tokens[at] != "}":
        name = tokens[at]
        if not name.startswith(":"):
            raise ValueError(f"{name!r} stands where a field of {tag} should")
        values: list[Any] = []
        at += 1
        while tokens[at] != "}" and not tokens[at].startswith(":"):
            value, at = _value(tokens, at)
            values.append(value)
        fields[name[1:]] = values[0] if len(values) == 1 else values
    return Node(tag, fields), at + 1


def _list(tokens: Sequence[str], at: int) -> tuple[list[Any], int]:
    if tokens[at] in ("i", "o", "b", "x") and all(
        t.lstrip("-").isdigit() for t in tokens[at + 1 : tokens.index(")", at)]
    ):
        end = tokens.index(")", at)
        return [int(token) for token in tokens[at + 1 : end]], end + 1
    values: list[Any] = []
    while tokens[at] != ")":
        value, at = _value(tokens, at)
        values.append(value)
    return values, at + 1


def walk(value: Any) -> Iterator[Node]:
    """Every node of a tree, the outer ones first."""
    if isinstance(value, Node):
        yield value
        for field in value.fields.values():
            yield from walk(field)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from walk(item)


def variables(expression: Node) -> Iterator[Node]:
    """The columns that an expression reads itself, not those inside its aggregates and subqueries."""
    if expression.tag == "VAR":
        yield expression
    elif expression.tag not in ("AGGREF", "SUBLINK", "QUERY"):
        for value in expression.fields.values():
            for child in cast("list[Any]", value) if isinstance(value, list) else [value]:
                if isinstance(child, Node):
                    yield from variables(child)


def same(a: Any, b: Any, varno: Mapping[int, int] | None = None) -> bool:
    """Do two expressions mean the same? `varno` maps the relations of `a` to those of `b`."""
    if isinstance(a, Node) and isinstance(b, Node):
        fields = (set(a.fields) | set(b.fields)) - _PLACE
        return a.tag == b.tag and all(_same_field(name, a, b, varno or {}) for name in fields)
    if isinstance(a, list) and isinstance(b, list):
        left, right = cast("list[Any]", a), cast("list[Any]", b)
        return len(left) == len(right) and all(same(x, y, varno) for x, y in zip(left, right, strict=True))
    return bool(a == b)


def _same_field(name: str, a: Node, b: Node, varno: Mapping[int, int]) -> bool:
    if name == "varno" and a.tag == "VAR":
        return varno.get(a.number(name), a.number(name)) == b.number(name)
    return same(a.get(name), b.get(name), varno)


def integer(node: Node | None) -> int | None:
    """The value of an integer constant (a datum that is passed by value), else None."""
    if node is None or node.tag != "CONST" or not node.flag("constbyval") or node.flag("constisnull"):
        return None
    datum = node.get("constvalue")
    return int.from_bytes(datum.data, "little", signed=True) if isinstance(datum, Datum) else None
