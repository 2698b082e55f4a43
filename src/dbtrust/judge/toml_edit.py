"""One more entry in a list of dbtrust.toml: the text keeps its comments and its layout."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from typing import Any

_HEADER = r"^[ \t]*\[[ \t]*{}[ \t]*\][ \t]*(#[^\n]*)?$"
_ANY_HEADER = re.compile(r"^[ \t]*\[", re.MULTILINE)


def add_to_list(text: str, table: Sequence[str], key: str, value: str) -> str | None:
    """The text with `value` at the end of the list `key` of a [table]; the key is made where it is absent.

    None where that cannot be done by adding characters alone (an inline table, a dotted key): what comes out
    is read again and compared.
    """
    if "\r" in text.replace("\r\n", ""):
        return None
    edited = _edit(text, table, key, value)
    if edited is None:
        return None
    wanted = _document(text)
    inner = wanted
    for part in table:
        inner = inner.setdefault(part, {})
    inner[key] = [*inner.get(key, []), value]
    try:
        return edited if _document(edited) == wanted else None
    except tomllib.TOMLDecodeError:
        return None


def _document(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


def _edit(text: str, table: Sequence[str], key: str, value: str) -> str | None:
    pattern = r"[ \t]*\.[ \t]*".join(re.escape(part) for part in table)
    header = re.search(_HEADER.format(pattern), text, re.MULTILINE)
    if header is None:
        return None
    after = _ANY_HEADER.search(text, header.end())
    end = after.start() if after else len(text)
    entry = re.compile(rf"^[ \t]*{re.escape(key)}[ \t]*=[ \t]*\[", re.MULTILINE).search(text, header.end())
    literal = _literal(value)
    if entry is None or entry.start() >= end:
        return _append_key(text, header.end(), end, f"{key} = [{literal}]")
    closing = _closing(text, entry.end())
    return None if closing is None else _append_item(text, entry.end(), closing, literal)


def _append_key(text: str, start: int, end: int, line: str) -> str:
    """Behind the last line of the table that is neither blank nor a comment."""
    lines = text[start:end].split("\n")
    last = max(
        (i for i, one in enumerate(lines) if one.strip() and not one.lstrip().startswith("#")), default=0
    )
    lines.insert(last + 1, line)
    joined = "\n".join(lines)
    return text[:start] + (joined if joined.endswith("\n") or end < len(text) else joined + "\n") + text[end:]


def _closing(text: str, start: int) -> int | None:
    """The bracket that ends the list which begins before `start`: not one in a string or a comment."""
    token = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#[^\n]*|\]|\[')
    position, depth = start, 1
    while found := token.search(text, position):
        depth += {"[": 1, "]": -1}.get(found.group(), 0)
        if depth == 0:
            return found.start()
        position = found.end()
    return None


def _append_item(text: str, start: int, closing: int, literal: str) -> str | None:
    body = text[start:closing]
    if "\n" not in body:
        bare = body.rstrip()
        comma = "" if not bare or bare.endswith(",") else ","
        return (
            text[:start] + bare + comma + (" " if bare else "") + literal + body[len(bare) :] + text[closing:]
        )
    lines = body.split("\n")
    last = max((i for i, one in enumerate(lines[:-1]) if _code(one)), default=None)
    if last is None:
        return None
    code = _code(lines[last])
    if not code.rstrip().endswith(","):
        lines[last] = code.rstrip() + "," + lines[last][len(code.rstrip()) :]
    indent = re.match(r"[ \t]*", lines[last]) if last else None
    lines.insert(last + 1, (indent.group() if indent else "    ") + literal + ",")
    return text[:start] + "\n".join(lines) + text[closing:]


def _code(line: str) -> str:
    """A line without its comment."""
    found = re.match(r'(?:"(?:[^"\\]|\\.)*"|\'[^\']*\'|[^"\'#])*', line)
    text = found.group() if found else ""
    return text if text.strip() else ""


def add_table(text: str, table: Sequence[str], entries: Sequence[tuple[str, str | int]]) -> str | None:
    """The text with a new [table] at its end; None where that does not give the document that is meant."""
    header = ".".join(_key(part) for part in table)
    lines = [f"{key} = {_literal(value) if isinstance(value, str) else value}" for key, value in entries]
    edited = text.rstrip("\n") + f"\n\n[{header}]\n" + "\n".join(lines) + "\n"
    wanted = _document(text)
    inner = wanted
    for part in table:
        inner = inner.setdefault(part, {})
    inner.update(entries)
    try:
        return edited if _document(edited) == wanted else None
    except tomllib.TOMLDecodeError:
        return None


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _literal(name)


def _literal(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
