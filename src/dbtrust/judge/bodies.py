"""The statements of a script, those in its DO blocks and functions among them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dbtrust.judge.statements import SqlSyntaxError, parse_tree, split

_STATEMENT = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|MERGE|WITH)\b", re.IGNORECASE)
#: What a statement of a body begins with, what stands before it, and what ends it beside a semicolon.
_STARTS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "PERFORM"})
_BOUNDARIES = frozenset({";", "BEGIN", "THEN", "ELSE", "LOOP", "IN", "QUERY", "FOR"})
_ENDS = frozenset({"LOOP", "THEN"})
_TRIGGERS = frozenset({"CreateTrigStmt", "CommentStmt", "GrantStmt", "DropStmt", "AlterOwnerStmt"})


@dataclass(frozen=True, slots=True)
class Part:
    """One statement. `runs`: the script itself runs it; the body of a function that only a trigger calls is not run."""

    text: str
    runs: bool = True


@lru_cache(maxsize=4)
def parts(sql: str) -> tuple[Part, ...]:
    """Every statement in the order of the script; of text that is no SQL none. EXECUTE of what is no constant is left out."""
    try:
        statements = split(sql)
    except SqlSyntaxError:
        return ()
    plain = " ".join(s.text for s in statements if s.kind not in {*_TRIGGERS, "CreateFunctionStmt"})
    return tuple(part for s in statements for part in _parts(s.text, s.kind, plain))


def _parts(text: str, kind: str, plain: str) -> Iterator[Part]:
    if kind not in ("DoStmt", "CreateFunctionStmt"):
        yield Part(text)
        return
    tree: Any = parse_tree(text).stmts[0].stmt
    node = tree.do_stmt if kind == "DoStmt" else tree.create_function_stmt
    options = node.args if kind == "DoStmt" else node.options
    told = {o.def_elem.defname: _option(o.def_elem.arg) for o in options}
    runs = (
        kind == "DoStmt"
        or re.search(rf"\b{re.escape(node.funcname[-1].string.sval)}\s*\(", plain) is not None
    )
    if kind == "CreateFunctionStmt" and node.HasField("sql_body"):
        yield Part(text, runs)
    elif told.get("language", "plpgsql").lower() == "sql":
        yield from (Part(part.text, runs and part.runs) for part in parts(told.get("as", "")))
    else:
        yield from (Part(query, runs) for query in _queries(told.get("as", "")))


def _option(argument: Any) -> str:
    if argument.WhichOneof("node") == "list":
        return str(argument.list.items[0].string.sval) if argument.list.items else ""
    return str(argument.string.sval)


def _queries(body: str) -> Iterator[str]:
    """The statements of a PL/pgSQL body as far as words tell them apart, and the constants that it may EXECUTE.

    libpg_query's own reader of PL/pgSQL gives no JSON for the functions of triggers, and may end the process.
    """
    words = _words(body)
    for place, (word, start, _) in enumerate(words):
        before = words[place - 1][0] if place else ";"
        if word in _STARTS and before in _BOUNDARIES:
            text = body[start : _end(words[place:], len(body))].strip()
            yield f"SELECT{text[len(word) :]}" if word == "PERFORM" else text
        elif word.startswith("'") and _STATEMENT.match(word[1:]):
            yield body[start + 1 : words[place][2] - 1].replace("''", "'").strip()


def _words(body: str) -> list[tuple[str, int, int]]:
    """(the word in capitals, its first character, the one behind it); none where the scanner gives up."""
    import postgast

    raw = body.encode()
    try:
        tokens = postgast.scan(body).tokens
    except (postgast.PgQueryError, ValueError):
        return []
    at = {place: n for n, place in enumerate(_offsets(body))} if len(raw) != len(body) else None
    found: list[tuple[str, int, int]] = []
    for token in tokens:
        start, end = (token.start, token.end) if at is None else (at[token.start], at[token.end])
        if not body.startswith(("--", "/*"), start):
            found.append((body[start:end].upper(), start, end))
    return found


def _offsets(text: str) -> Iterator[int]:
    """The byte at which each character begins, and the one behind the last."""
    place = 0
    for character in text:
        yield place
        place += len(character.encode())
    yield place


def _end(words: list[tuple[str, int, int]], length: int) -> int:
    """Where the statement ends that begins with the first word; a CASE and a MERGE have a THEN of their own."""
    depth, ends = 0, {";"} if words[0][0] == "MERGE" else {";", *_ENDS}
    for word, start, _ in words:
        depth += (word in ("(", "CASE")) - (word in (")", "END"))
        if depth <= 0 and word in ends:
            return start
    return length
