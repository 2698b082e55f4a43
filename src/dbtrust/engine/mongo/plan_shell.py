"""Values as JSON, as MongoDB's extended JSON, or as its shells print them: one reader for all three. Pure.

The shells' forms become extended JSON: ObjectId("…") is {"$oid": "…"}. There is no recursion, so no depth is too
much for it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from dbtrust.engine.mongo.shell_types import CONSTANTS, construct
from dbtrust.model.errors import DbtrustError
from dbtrust.model.location import locate

_SPACE = re.compile(r"(?:\s++|//[^\n]*+|/\*.*?\*/)++", re.DOTALL)
_LOST = re.compile(
    r"\[(?:Object(?:: null prototype)?|Array|Circular(?: \*\d+)?|Function[^\]\n]{0,80}|Getter)\]|\.\.\. \d+ more [a-z]+"
)
_STRING = re.compile(
    r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|\'[^\'\\]*+(?:\\.[^\'\\]*+)*+\'|`[^`\\]*+(?:\\.[^`\\]*+)*+`', re.DOTALL
)
_NUMBER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|Infinity\b|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)n?")
_WORD = re.compile(r"[^\W\d][\w$]*(?:\.[A-Za-z_$][\w$]*)*|\$[\w$.]*")
_REGEX = re.compile(r"/((?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*+\])++)/([a-z]*)")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}
#: Levels: a plan of 10,000 nodes in each other has 20,000.
_DEEPEST = 50_000
#: Documents and lists in one value: 20,000 stages with their bounds.
MOST = 100_000
#: Stands for a detail that the shell left out ("[Object]").
LOST = "[left out by the shell]"


@dataclass(slots=True)
class _Open:
    """A container that is being read. `name` is the word before a parenthesis."""

    kind: str
    items: list[Any] = field(default_factory=list[Any])
    fields: dict[str, Any] = field(default_factory=dict[str, Any])
    key: str | None = None
    name: str = ""


@dataclass(slots=True)
class Value:
    """`end` is where the text goes on; `lost` are the paths that the shell abbreviated."""

    value: Any
    end: int
    lost: tuple[str, ...] = ()


def read_value(text: str, at: int = 0, file: str = "") -> Value:
    """The value that begins at `at`. Raises DbtrustError, with line and column, where it is none or is cut off."""
    return _Reader(text, at, file).read()


class _Reader:
    def __init__(self, text: str, at: int, file: str) -> None:
        self._text, self._at, self._file = text, at, file
        self._open: list[_Open] = []
        self._lost: list[str] = []
        self._opened = 0

    def read(self) -> Value:
        while True:
            self._skip()
            value = self._next()
            if value is not _NOTHING and (whole := self._give(value)) is not _NOTHING:
                return Value(whole, self._at, tuple(self._lost))

    def _skip(self) -> None:
        if match := _SPACE.match(self._text, self._at):
            self._at = match.end()

    def _next(self) -> Any:
        """Takes one token: a value, or _NOTHING where it opened, separated or closed something outer."""
        here = self._open[-1] if self._open else None
        if self._at >= len(self._text):
            raise self._wrong("the text ends inside a value" if here else "the text ends before a value")
        if here is not None and (here.kind == "}" and here.key is None):
            return self._key(here)
        character = self._text[self._at]
        if here is not None and here.kind == "}" and character in "]}),":
            raise self._wrong(f"no value for {here.key}")
        if here is not None and character in "]})":
            return self._close(here, character)
        if here is not None and character == ",":
            self._at += 1
            return _NOTHING
        if (match := _LOST.match(self._text, self._at)) is not None:
            self._at = match.end()
            self._lost.append(self._path())
            return LOST
        if character in "[{":
            self._opened += 1
            if len(self._open) >= _DEEPEST or self._opened > MOST:
                raise self._wrong(
                    "nested too deep" if self._opened <= MOST else "too many documents for a plan"
                )
            self._at += 1
            self._open.append(_Open("]" if character == "[" else "}"))
            return _NOTHING
        return self._scalar()

    def _key(self, here: _Open) -> Any:
        """A field's name and its colon; or the end of the document."""
        if self._text[self._at] == "}":
            return self._close(here, "}")
        if self._text[self._at] == ",":
            self._at += 1
            return _NOTHING
        if (match := _LOST.match(self._text, self._at)) is not None:
            self._at = match.end()
            self._lost.append(self._path())
            return _NOTHING
        for pattern in (_STRING, _WORD, _NUMBER):
            if match := pattern.match(self._text, self._at):
                break
        else:
            raise self._wrong("no name of a field")
        self._at = match.end()
        self._skip()
        if not self._text.startswith(":", self._at):
            raise self._wrong("no colon after a field's name")
        self._at += 1
        here.key = _string(match[0]) if match[0][0] in "\"'`" else match[0]
        return _NOTHING

    def _close(self, here: _Open, character: str) -> Any:
        if here.kind != character:
            raise self._wrong(f"{character} where {here.kind} should be")
        self._at += 1
        self._open.pop()
        if here.kind == ")":
            return construct(here.name, here.items)
        return here.items if here.kind == "]" else here.fields

    def _scalar(self) -> Any:
        text, at = self._text, self._at
        for pattern, make in _SCALARS:
            if match := pattern.match(text, at):
                self._at = match.end()
                return make(match)
        match = _WORD.match(text, at)
        if match is None:
            quote = text[at] in "\"'`"
            raise self._wrong("a text without its closing quote" if quote else "no value")
        self._at = match.end()
        self._skip()
        if match[0] == "new":
            return _NOTHING
        if text.startswith("(", self._at):
            self._at += 1
            self._open.append(_Open(")", name=match[0]))
            return _NOTHING
        if match[0] in CONSTANTS:
            return CONSTANTS[match[0]]
        self._at = at
        raise self._wrong(f"{match[0][:40]} is no value")

    def _give(self, value: Any) -> Any:
        """Puts a value into what is open; the value itself where nothing is."""
        if not self._open:
            return value
        here = self._open[-1]
        if here.kind == "}":
            here.fields[here.key or ""] = value
            here.key = None
        else:
            here.items.append(value)
        return _NOTHING

    def _path(self) -> str:
        """queryPlanner.winningPlan.inputStage"""
        names = [here.key if here.kind == "}" else str(len(here.items)) for here in self._open]
        return ".".join(name for name in names[-12:] if name)

    def _wrong(self, what: str) -> DbtrustError:
        place = locate(self._text, min(self._at, len(self._text)), self._file)
        return DbtrustError(
            f"not JSON, extended JSON or shell syntax: {what}",
            location=place,
            next="save the whole plan as it was printed",
        )


_NOTHING: Any = object()


def _string(literal: str) -> str:
    inner = literal[1:-1]
    if "\\" not in inner:
        return inner
    if literal[0] == '"':
        try:
            return cast("str", json.loads(literal, strict=False))
        except ValueError:
            pass
    return _ESCAPE.sub(_unescaped, inner)


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else _ESCAPES.get(match[3], match[3])


def _number(match: re.Match[str]) -> Any:
    text = match[0].rstrip("n")
    if "x" in text or "X" in text:
        return int(text, 16)
    if text.lstrip("+-") == "Infinity":
        return -math.inf if text.startswith("-") else math.inf
    # Python refuses to turn very long digits into an int.
    return int(text) if text.lstrip("+-").isdecimal() and len(text) < 400 else float(text)


def _regex(match: re.Match[str]) -> Any:
    return {"$regularExpression": {"pattern": match[1], "options": match[2]}}


_SCALARS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Any]], ...] = (
    (_STRING, lambda match: _string(match[0])),
    (_NUMBER, _number),
    (_REGEX, _regex),
)
