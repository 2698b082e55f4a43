"""The regular expressions in the text of a CHECK constraint as pg_get_constraintdef writes it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_OPERATORS = frozenset({"~", "~*", "!~", "!~*"})
_FUNCTIONS = frozenset({
    "regexp_count", "regexp_instr", "regexp_like", "regexp_match", "regexp_matches", "regexp_replace",
    "regexp_split_to_array", "regexp_split_to_table", "regexp_substr",
})  # fmt: skip
#: SIMILAR TO is stored as ~ over one of these.
_SIMILAR = frozenset({"similar_to_escape", "similar_escape"})

#: pg_get_constraintdef writes plain literals (standard_conforming_strings); E'' is read for other sources.
_TOKEN = re.compile(
    r"""(?P<blank>\s+)
      | (?P<escaped>[eE]'(?:[^'\\]|\\.|'')*')
      | (?P<string>'(?:[^']|'')*')
      | (?P<quoted>"(?:[^"]|"")*")
      | (?P<word>[^\W\d][\w$]*)
      | (?P<number>\d[\w.]*)
      | (?P<cast>::)
      | (?P<operator>[-+*/<>=~!@#%^&|`?]+)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A constant pattern. `flags` are those of a regexp_* call; `escape` is SIMILAR TO's ("" for none)."""

    text: str
    flags: str = ""
    similar: bool = False
    escape: str = "\\"


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def patterns_of(definition: str) -> Iterator[Pattern]:
    """Every constant pattern in an expression: operands of ~ ~* !~ !~*, regexp_* calls, SIMILAR TO.

    Concatenated constants count as one; a pattern with anything else in it is not judged.
    """
    tokens = [_token(match) for match in _TOKEN.finditer(definition) if match.lastgroup != "blank"]
    for place, token in enumerate(tokens):
        if token.kind == "operator" and token.text in _OPERATORS:
            yield from _operand(tokens, _after_operator(tokens, place))
        elif token.kind == "word" and token.text in _FUNCTIONS and _is(tokens, place + 1, "("):
            yield from _call(_arguments(tokens, place + 1), 1, token.text)


def _token(match: re.Match[str]) -> _Token:
    kind, text = match.lastgroup or "other", match.group()
    if kind == "string":
        return _Token("string", text[1:-1].replace("''", "'"))
    if kind == "escaped":
        return _Token("string", re.sub(r"\\(.)|''", lambda m: m[1] or "'", text[2:-1], flags=re.DOTALL))
    if kind == "quoted":
        return _Token("word", text[1:-1].replace('""', '"'))
    return _Token(kind, text)


def _is(tokens: Sequence[_Token], place: int, text: str) -> bool:
    return place < len(tokens) and tokens[place].kind != "string" and tokens[place].text == text


def _after_operator(tokens: Sequence[_Token], place: int) -> int:
    """An operator outside pg_catalog is written OPERATOR(schema.~)."""
    return place + 2 if _is(tokens, place + 1, ")") and _is(tokens, place - 1, ".") else place + 1


def _operand(tokens: Sequence[_Token], place: int) -> Iterator[Pattern]:
    if place >= len(tokens):
        return
    if tokens[place].kind == "word" and _is(tokens, place + 1, "("):
        name = tokens[place].text
        arguments = _arguments(tokens, place + 1)
        if name.upper() in ("ANY", "ALL"):
            yield from (Pattern(t.text) for part in arguments for t in part if t.kind == "string")
        elif name in _SIMILAR:
            yield from _similar(arguments)
    elif tokens[place].kind == "word" and _is(tokens, place + 1, "."):
        yield from _operand(tokens, place + 2)
    elif _is(tokens, place, "("):
        yield from _inside(_arguments(tokens, place))
    elif tokens[place].kind == "string":
        yield Pattern(tokens[place].text)


def _inside(arguments: list[list[_Token]]) -> Iterator[Pattern]:
    """A parenthesised operand: a constant, constants joined by ||, or again an operand."""
    if len(arguments) != 1:
        return
    text = _constant(arguments[0])
    if text is not None:
        yield Pattern(text)
    else:
        yield from _operand(arguments[0], 0) if not _has_concatenation(arguments[0]) else ()


def _has_concatenation(tokens: Sequence[_Token]) -> bool:
    return any(token.kind == "operator" and token.text == "||" for token in tokens)


def _similar(arguments: list[list[_Token]]) -> Iterator[Pattern]:
    text = _constant(arguments[0]) if arguments else None
    escape = _constant(arguments[1]) if len(arguments) > 1 else "\\"
    if text is not None and escape is not None:
        yield Pattern(text, similar=True, escape=escape)


def _call(arguments: list[list[_Token]], place: int, name: str) -> Iterator[Pattern]:
    """A regexp_* call: the pattern is its second argument, the flags the last one that is text."""
    text = _constant(arguments[place]) if len(arguments) > place else None
    if text is None:
        return
    first = place + (2 if name == "regexp_replace" else 1)
    flags = [flag for flag in map(_constant, arguments[first:]) if flag is not None]
    yield Pattern(text, flags=flags[-1] if flags else "")


def _arguments(tokens: Sequence[_Token], opening: int) -> list[list[_Token]]:
    """The tokens between the parenthesis at `opening` and its partner, split at the commas of that level."""
    parts: list[list[_Token]] = [[]]
    depth = 0
    for token in tokens[opening:]:
        mark = token.text if token.kind == "other" else ""
        depth += (mark in ("(", "[")) - (mark in (")", "]")) if mark else 0
        if depth == 0:
            break
        if mark == "," and depth == 1:
            parts.append([])
        elif depth > 1 or mark != "(":
            parts[-1].append(token)
    return parts


def _constant(tokens: Sequence[_Token]) -> str | None:
    """The text of constants joined by ||, casts and parentheses aside; None where anything else is in it."""
    texts: list[str] = []
    cast = False
    for token in tokens:
        if token.kind == "string":
            texts.append(token.text)
            cast = False
        elif token.kind == "cast":
            cast = True
        elif token.text in ("(", ")") or (token.kind == "operator" and token.text == "||"):
            cast = False
        elif not cast:
            return None
    return "".join(texts) if texts else None
