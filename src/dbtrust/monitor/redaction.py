"""Statements without their literals, by PostgreSQL's own scanner.

Whose text is `parsed` was read by its server: its literals end where the scanner says, unless a backslash stands
before a quote. What follows such a place is left out. Any other text must be SQL as a whole, else all of it is left
out: a literal with a quote too few ends elsewhere than was meant. A text that is `cut` ends before the token in which
it was cut. Literals go first; of what is left `MOST` characters are shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from dbtrust.engine.postgres.monitor_questions import MARK

#: What stands where a text could not be read.
DROPPED = "(left out: it cannot be told apart from its values)"
#: What the server shows instead of another role's statement.
HIDDEN = "<insufficient privilege>"
#: Characters of a statement that are shown, and what stands behind one that goes on.
MOST = 2000
MORE = " …"
_REST = f"{MORE} (the rest is left out: it cannot be told apart from its values)"
_VALUE = "?"
_PASSWORD = "'***'"
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


@dataclass(frozen=True, slots=True)
class _Read:
    """A text, or its beginning, token by token; `ends` is what stands behind it: nothing where it is whole."""

    text: str
    tokens: Sequence[_Token]
    ends: str


@lru_cache(maxsize=4096)
def without_literals(text: str, *, cut: bool = False, parsed: bool = False) -> str:
    """Constants and values of settings become ?, comments go but the mark of dbtrust's own statements.

    The same again for what it gave, with `cut` and `parsed` where that `goes_on`.
    """
    if text in ("", HIDDEN, DROPPED):
        return text
    read = _read(text, cut=cut, parsed=parsed)
    if read is None or (not parsed and not _parses(read.text, read.tokens)):
        return DROPPED
    shown = _replaced(read.text, _cuts(read.tokens))
    again = _scanned(shown)
    if again is None or _has_values(again) or (not parsed and not _parses(shown, again)):
        return DROPPED
    return _shortened(shown, read.ends)


@lru_cache(maxsize=4096)
def with_literals(text: str, *, cut: bool = False, parsed: bool = False) -> str:
    """The text with its literals, but no password; what may hold one in an unclear place is left out."""
    if text in ("", HIDDEN, DROPPED):
        return text
    if "password" not in text.lower():
        return _shortened(text, MORE if cut else "")
    read = _read(text, cut=cut, parsed=parsed)
    if read is None:
        return DROPPED
    return _shortened(_replaced(read.text, _passwords(read.tokens)), read.ends)


def goes_on(shown: str) -> bool:
    """Is a text that was shown the beginning of a longer one?"""
    return shown.endswith((MORE, _REST))


def _shortened(shown: str, ends: str) -> str:
    """At most MOST characters, and then that it goes on."""
    body = shown.removesuffix(MORE)
    return f"{body}{ends}" if len(body) <= MOST else f"{body[:MOST]}{ends or MORE}"


def _read(text: str, *, cut: bool, parsed: bool) -> _Read | None:
    """The part of a text whose literals are certain; None where there is none."""
    ends = ""
    if cut:
        ends = _REST if text.endswith(_REST) else MORE
        text = text.removesuffix(ends)
    tokens = _scanned(text)
    while tokens is None and cut and parsed and text:
        text = text[: _broken_at(text)]
        tokens = _scanned(text)
    if tokens is None:
        return None
    doubt = _doubt(tokens)
    if doubt is None:
        return _Read(text, tokens, ends)
    if not parsed or not doubt:
        return None
    return _Read(text.encode()[: tokens[doubt].start].decode(), tokens[:doubt], _REST)


def _scanned(text: str) -> list[_Token] | None:
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


def _broken_at(text: str) -> int:
    """Where the token begins that the scanner cannot read, in characters; it is always before the end."""
    import postgast

    try:
        postgast.scan(text)
    except postgast.PgQueryError as error:
        return max(0, min(error.cursorpos, len(text)) - 1)
    except ValueError:
        pass
    return 0


def _doubt(tokens: Sequence[_Token]) -> int | None:
    """The number of the first token that could end elsewhere than the scanner says, or is a password in the open."""
    plain = [(n, token) for n, token in enumerate(tokens) if token.kind not in _COMMENTS]
    kinds = [token for _, token in plain]
    found = [n for n, token in enumerate(tokens) if _doubtful(token)]
    found += [
        plain[place + 1][0]
        for place, token in enumerate(kinds[:-1])
        if token.kind == "PASSWORD" and _sets_password(kinds[:place]) and not _is_clean(kinds[place + 1])
    ]
    return min(found, default=None)


def _has_values(tokens: Sequence[_Token]) -> bool:
    return any(t.kind in _CONSTANTS or (t.kind in _COMMENTS and t.text != MARK) for t in tokens)


def _passwords(tokens: Sequence[_Token]) -> Iterator[tuple[int, int, str]]:
    """(start, end, what stands there instead) of each password that is set."""
    plain = [token for token in tokens if token.kind not in _COMMENTS]
    for number, token in enumerate(plain[:-1]):
        after = plain[number + 1]
        if token.kind == "PASSWORD" and _sets_password(plain[:number]) and after.kind == "SCONST":
            yield after.start, after.end, _PASSWORD


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


def _is_clean(after: _Token) -> bool:
    """One literal, NULL or what stands for a literal."""
    return after.kind in ("SCONST", "PARAM") or after.word in ("NULL", _VALUE)


def _cuts(tokens: Sequence[_Token]) -> Iterator[tuple[int, int, str]]:
    """(start, end, what stands there instead) in bytes, in order."""
    plain = [token for token in tokens if token.kind not in _COMMENTS]
    values = {token.start: end for token, end in _settings(plain)}
    until = -1
    for token in tokens:
        if token.start < until:
            continue
        if token.kind in _COMMENTS:
            if token.text == MARK:
                continue
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
