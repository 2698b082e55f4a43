"""The line comments of a script: what says something about it stands there, and not in a string that only looks like it."""

from __future__ import annotations

import re

#: A COPY with its rows, up to the line that ends them.
ROWS = re.compile(r"\bFROM\s+STDIN\b[^;]*;[ \t]*\n.*?^\\\.[ \t]*$", re.IGNORECASE | re.MULTILINE | re.DOTALL)
_OPENING = re.compile(r"--[^\n]*|/\*|(?P<escaped>(?<!\w)[eE])?'|\"|(?<![\w$])(?P<tag>\$(?:[^\W\d]\w*)?\$)")
_EDGE = re.compile(r"/\*|\*/")
_STRING, _ESCAPED = (
    re.compile(r"[^']*(?:''[^']*)*'"),
    re.compile(r"[^'\\]*(?:(?:''|\\.)[^'\\]*)*'", re.DOTALL),
)


def line_comments(text: str) -> str:
    """The same lines and columns with nothing of strings, quoted names, block comments, bodies in $$ and rows of COPY.

    What is opened and never closed is left as it stands.
    """
    if not any(mark in text for mark in ("'", '"', "$", "/*", "STDIN", "stdin")):
        return text
    text = ROWS.sub(lambda m: _blank(m.group()), text)
    kept: list[str] = []
    position = done = 0
    while (opening := _OPENING.search(text, position)) is not None:
        position = opening.end()
        if opening.group().startswith("--"):
            continue
        end = _end(text, opening)
        if end is None:
            break
        kept += [text[done : opening.start()], _blank(text[opening.start() : end])]
        position = done = end
    return "".join([*kept, text[done:]])


def _end(text: str, opening: re.Match[str]) -> int | None:
    """Behind what closes it; None where nothing does."""
    start = opening.end()
    if opening["tag"] is not None:
        found = text.find(opening["tag"], start)
        return found + len(opening["tag"]) if found >= 0 else None
    if opening.group() == "/*":
        return _comment_end(text, start)
    if opening.group() == '"':
        found = text.find('"', start)
        return found + 1 if found >= 0 else None
    match = (_ESCAPED if opening["escaped"] else _STRING).match(text, start)
    return match.end() if match else None


def _comment_end(text: str, start: int) -> int | None:
    depth, position = 1, start
    while depth:
        if (edge := _EDGE.search(text, position)) is None:
            return None
        depth, position = depth + (1 if edge.group() == "/*" else -1), edge.end()
    return position


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)
