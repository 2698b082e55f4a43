"""Statements without their literals, by PostgreSQL's own scanner."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

#: What stands where a text could not be read.
DROPPED = "(left out: it cannot be told apart from its values)"
#: What the server shows instead of another role's statement.
HIDDEN = "<insufficient privilege>"
_VALUE = "?"
#: With standard_conforming_strings = off a backslash hides the quote behind it, and the scanner ends elsewhere.
_AMBIGUOUS = re.compile(r"\\'")
_COMMENTS = ("SQL_COMMENT", "C_COMMENT")
_CONSTANTS = ("SCONST", "USCONST", "BCONST", "XCONST", "FCONST", "ICONST")
_OPERANDS = (*_CONSTANTS, "PARAM", "IDENT", "UIDENT", "ASCII_41", "ASCII_93")


@dataclass(frozen=True, slots=True)
class _Token:
    """`text` is as written; `start` and `end` count bytes."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        return self.text.upper()


@lru_cache(maxsize=4096)
def without_literals(text: str) -> str:
    """Constants and values of settings become ?, comments go.

    A text that is no SQL, or whose literals could end elsewhere than they seem to, is left out as a whole.
    """
    if text in ("", HIDDEN, DROPPED):
        return text
    tokens = _tokens(text)
    if tokens is None or _unclear(tokens) or not _parses(text, tokens):
        return DROPPED
    shown = _replaced(text, _cuts(tokens))
    again = _tokens(shown)
    return shown if again is not None and _parses(shown, again) else DROPPED


@lru_cache(maxsize=4096)
def with_literals(text: str) -> str:
    """The text as it is; one that may hold a password in an unclear place is left out as a whole."""
    if text in ("", HIDDEN, DROPPED) or "password" not in text.lower():
        return text
    tokens = _tokens(text)
    return DROPPED if tokens is None or _unclear(tokens) else text


def _tokens(text: str) -> list[_Token] | None:
    """None for what the scanner cannot read."""
    import postgast

    try:
        found = postgast.scan(text).tokens
    except (postgast.PgQueryError, ValueError):
        return None
    raw, kinds = text.encode(), _kinds()
    return [
        _Token(kinds.get(t.token, ""), raw[t.start : t.end].decode(), int(t.start), int(t.end)) for t in found
    ]


def _unclear(tokens: Sequence[_Token]) -> bool:
    """Could a literal of it end elsewhere than the scanner says?"""
    plain = [token for token in tokens if token.kind not in _COMMENTS]
    return any(map(_doubtful, tokens)) or not all(
        _is_clean(plain[number + 1 : number + 2])
        for number, token in enumerate(plain)
        if token.kind == "PASSWORD" and _sets_password(plain[:number])
    )


def _doubtful(token: _Token) -> bool:
    if token.kind in ("SCONST", "USCONST") and token.text[:1] in "'uUnN":
        return _AMBIGUOUS.search(token.text) is not None
    return token.text == "\\"


def _sets_password(before: Sequence[_Token]) -> bool:
    """Not a column of that name in a query."""
    first = _statement(before)[:1]
    return not first or first[0].word not in (
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
        "MERGE",
        "WITH",
        "VALUES",
    )


def _statement(before: Sequence[_Token]) -> Sequence[_Token]:
    """The tokens since the last semicolon."""
    ends = [number for number, token in enumerate(before) if token.text == ";"]
    return before[ends[-1] + 1 :] if ends else before


def _is_clean(after: Sequence[_Token]) -> bool:
    """One literal, NULL or what stands for a literal."""
    return bool(after) and (after[0].kind in ("SCONST", "PARAM") or after[0].word in ("NULL", _VALUE))


def _cuts(tokens: Sequence[_Token]) -> Iterator[tuple[int, int, str]]:
    """(start, end, what stands there instead) in bytes, in order."""
    plain = [token for token in tokens if token.kind not in _COMMENTS]
    values = {token.start: end for token, end in _settings(plain)}
    until = -1
    for token in tokens:
        if token.start < until:
            continue
        if token.kind in _COMMENTS:
            yield token.start, token.end, ""
        elif token.start in values:
            until = values[token.start]
            yield token.start, until, _VALUE
        elif token.kind in _CONSTANTS:
            yield token.start, token.end, _VALUE


def _settings(plain: Sequence[_Token]) -> Iterator[tuple[_Token, int]]:
    """(first token, end in bytes) of the value in each SET name = value or SET name TO value; DEFAULT stays."""
    for number, token in enumerate(plain):
        if token.word != "SET" or not _may_set(_statement(plain[:number])):
            continue
        rest = list(plain[number + 1 :])
        while rest and rest[0].word in ("SESSION", "LOCAL"):
            rest.pop(0)
        assigned = _assigned(rest)
        if assigned and assigned[0].word != "DEFAULT":
            yield assigned[0], assigned[-1].end


def _may_set(before: Sequence[_Token]) -> bool:
    return not before or before[0].word in ("ALTER", "CREATE")


def _assigned(rest: Sequence[_Token]) -> list[_Token]:
    """The value's tokens after NAME = or NAME TO."""
    number = 1
    while number + 1 < len(rest) and rest[number].text == ".":
        number += 2
    if number >= len(rest) or (rest[number].text != "=" and rest[number].word != "TO"):
        return []
    value = list(rest[number + 1 :])
    ends = [place for place, token in enumerate(value) if token.text == ";"]
    return value[: ends[0]] if ends else value


def _replaced(text: str, cuts: Iterator[tuple[int, int, str]]) -> str:
    raw, parts, end = text.encode(), list[str](), 0
    for start, stop, instead in cuts:
        parts += [raw[end:start].decode(), instead]
        end = stop
    return "".join([*parts, raw[end:].decode()]).strip()


def _parses(text: str, tokens: Sequence[_Token]) -> bool:
    """Is it SQL, as it is or with a value for each ? that stands for one?"""
    if _is_sql(text):
        return True
    marks = [number for number, token in enumerate(tokens) if token.text == _VALUE]
    values = [number for number in marks if number == 0 or tokens[number - 1].kind not in _OPERANDS]
    for places, constant in ((values, None), (marks, "''"), (marks, "1")):
        cuts = (
            (tokens[n].start, tokens[n].end, constant or _fitting(tokens[n - 1].text if n else ""))
            for n in places
        )
        if marks and _is_sql(_replaced(text, cuts)):
            return True
    return False


def _fitting(before: str) -> str:
    """A length or limit is a number; what follows a word is a text."""
    return "1" if before in ("(", ",", "-", "+") else "''"


def _is_sql(text: str) -> bool:
    import postgast

    try:
        postgast.fingerprint(text)
    except (postgast.PgQueryError, ValueError):
        return False
    return True


@lru_cache(maxsize=1)
def _kinds() -> dict[int, str]:
    from postgast import pg_query_pb2

    return {number: name for name, number in pg_query_pb2.Token.items()}
