"""`:name` in SQL becomes `$1`: a tokenizer of what PostgreSQL's lexer would not read as a parameter.

Needs nothing but the standard library, since production code imports it. The lexical rules are those of
PostgreSQL's scan.l: strings, E'' and U&'' strings, dollar quotes, nested comments, quoted identifiers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

_TOKEN = re.compile(
    r"""
    (?P<comment>--[^\n]*)
  | (?P<block>/\*)
  | (?P<escape>\b[eE]'(?:[^'\\]|\\.|'')*(?:'|\Z))
  | (?P<string>'(?:[^']|'')*(?:'|\Z))
  | (?P<ident>"(?:[^"]|"")*(?:"|\Z))
  | (?P<dollar>(?<![\w$])\$(?P<tag>(?:[^\W\d]\w*)?)\$)
  | (?P<cast>::|:=)
  | (?P<param>:(?P<name>[^\W\d]\w*))
  | (?P<word>[^\W\d][\w$]*)
  | (?P<number>\d[\w.]*)
  | (?P<open>[\[\](){}])
    """,
    re.VERBOSE | re.DOTALL,
)
_CHOICE = re.compile(r"\{([^\W\d]\w*)\}")
_COMMENT_EDGE = re.compile(r"/\*|\*/")


@dataclass(frozen=True, slots=True)
class BoundSql:
    """`text` has $1 … for `names` in order of first use; `edits` are (offset in text, its length, offset in source, its length)."""

    text: str
    names: tuple[str, ...]
    edits: tuple[tuple[int, int, int, int], ...]

    def source_offset(self, offset: int) -> int:
        """The 0-based character of the source that stands at `offset` of `text`."""
        shift = 0
        for at, length, source, source_length in self.edits:
            if offset < at:
                break
            if offset < at + length:
                return source
            shift = source + source_length - at - length
        return offset + shift


@lru_cache(maxsize=2048)
def bind_params(sql: str) -> BoundSql:
    """Replaces each `:name` that is a parameter; the same name always gives the same number."""
    out: list[str] = []
    names: dict[str, int] = {}
    edits: list[tuple[int, int, int, int]] = []
    last = length = 0
    for start, end, name in parameters(sql):
        placeholder = f"${names.setdefault(name, len(names) + 1)}"
        length += start - last
        edits.append((length, len(placeholder), start, end - start))
        out += [sql[last:start], placeholder]
        length += len(placeholder)
        last = end
    out.append(sql[last:])
    return BoundSql("".join(out), tuple(names), tuple(edits))


def parameters(sql: str) -> list[tuple[int, int, str]]:
    """(start, end, name) of every `:name` that stands where a value may: not in a[1:n], 'text' or /* comment */."""
    return [found[1:] for found in _marks(sql) if found[0] == "param"]


def choices(sql: str) -> list[tuple[int, int, str]]:
    """(start, end, name) of every `{name}` outside literals and comments: a place for a listed identifier."""
    return [found[1:] for found in _marks(sql) if found[0] == "choice"]


def choose(sql: str, chosen: Mapping[str, str]) -> str:
    """Puts the chosen identifiers in the places of their `{name}`; a name that is not given stays."""
    for start, end, name in reversed(choices(sql)):
        sql = sql[:start] + chosen.get(name, sql[start:end]) + sql[end:]
    return sql


def _marks(sql: str) -> list[tuple[str, int, int, str]]:
    found: list[tuple[str, int, int, str]] = []
    brackets: list[str] = []
    position = 0
    while match := _TOKEN.search(sql, position):
        position = match.end()
        kind = (
            match.lastgroup
            if match.lastgroup not in {"tag", "name"}
            else ("dollar" if match["dollar"] else "param")
        )
        if kind == "block":
            position = _after_comment(sql, position)
        elif kind == "dollar":
            closing = sql.find(match["dollar"], position)
            position = len(sql) if closing < 0 else closing + len(match["dollar"])
        elif kind == "open":
            if choice := _CHOICE.match(sql, match.start()):
                found.append(("choice", choice.start(), choice.end(), choice[1]))
                position = choice.end()
            else:
                _nest(brackets, match["open"])
        elif kind == "param" and not _is_slice(sql, match.start(), brackets):
            found.append(("param", match.start(), match.end(), match["name"]))
    return found


def _nest(brackets: list[str], bracket: str) -> None:
    if bracket in "[({":
        brackets.append(bracket)
    elif brackets:
        brackets.pop()


def _is_slice(sql: str, start: int, brackets: list[str]) -> bool:
    """Inside a subscript a colon behind a bound is the slice's own: a[1:n] and a[x:y], but a[:n] is a parameter."""
    if not brackets or brackets[-1] != "[":
        return False
    before = sql[:start].rstrip()
    return bool(before) and before[-1] != "[" and (before[-1].isalnum() or before[-1] in "_)]\"'$")


def _after_comment(sql: str, position: int) -> int:
    """PostgreSQL's comments nest."""
    depth = 1
    while depth and (edge := _COMMENT_EDGE.search(sql, position)):
        depth += 1 if edge.group() == "/*" else -1
        position = edge.end()
    return position if depth == 0 else len(sql)
