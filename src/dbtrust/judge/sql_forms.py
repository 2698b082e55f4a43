"""A statement without its constants: what is the same in every execution, and what differs.

Comments are left out and blanks collapse. A constant may become a parameter where the grammar has an expression;
the others (interval '1 day', numeric(10, 2), ORDER BY 1) belong to the form.
"""

from __future__ import annotations

import hashlib
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dbtrust.judge.statements import SqlSyntaxError, messages, parse_tree

_CONSTANTS = frozenset({"ICONST", "FCONST", "SCONST"})
_COMMENTS = frozenset({"SQL_COMMENT", "C_COMMENT"})
_VERBS = {
    "select_stmt": "select", "insert_stmt": "insert", "update_stmt": "update", "delete_stmt": "delete",
    "merge_stmt": "merge",
}  # fmt: skip
#: Statements around one that is planned: the word behind which it stands, and how it is called.
_AROUND = {"declare_cursor_stmt": ("FOR", "a server-side cursor"), "prepare_stmt": ("AS", "PREPARE")}
_MARK = "\0"
#: A_Expr_Kind.AEXPR_OP of libpg_query's protobuf.
_OPERATOR = 1


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a value: the parameter `$number` (from 1), or the constant `index` (from 0) of the text.

    `negative`: a minus sign before the constant belongs to it.
    """

    number: int = 0
    index: int = -1
    negative: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """One statement of a text. `verb` is empty for what is no query; `fixed` are constants that stay as they are.

    `relations` are (schema or None, name) without CTEs, `columns` those that its WHERE names, `ordered`
    whether the text asks for an order or for groups.
    """

    verb: str
    fingerprint: str = ""
    pieces: tuple[str | Slot, ...] = ()
    open: tuple[Slot, ...] = ()
    fixed: tuple[int, ...] = ()
    relations: tuple[tuple[str | None, str], ...] = ()
    columns: tuple[str, ...] = ()
    ordered: bool = False
    through: str = ""


@dataclass(frozen=True, slots=True)
class _Token:
    start: int
    end: int
    name: str


def masked(sql: str) -> tuple[str, tuple[str, ...]]:
    """The text with a mark for each constant, comments and blanks collapsed; and the constants as written.

    Raises SqlSyntaxError.
    """
    raw, tokens = _tokens(sql)
    out: list[str] = []
    constants: list[str] = []
    for gap, token in _spaced(raw, tokens):
        if token.name in _CONSTANTS:
            constants.append(raw[token.start : token.end].decode())
            out += [gap, _MARK]
        else:
            out += [gap, raw[token.start : token.end].decode()]
    return "".join(out), tuple(constants)


def forms(sql: str, key: str) -> tuple[Form, ...]:
    """The statements of a text that the server plans, in order. `key` is that of `masked`. Raises SqlSyntaxError."""
    return _cached(key, _Source(sql))


class _Source:
    """The text behind a key; it is no part of the key."""

    def __init__(self, sql: str) -> None:
        self.sql = sql

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Source)


@lru_cache(maxsize=4096)
def _cached(key: str, source: _Source) -> tuple[Form, ...]:
    del key
    sql = source.sql
    raw, tokens = _tokens(sql)
    found: list[Form] = []
    for item in parse_tree(sql).stmts:
        end = item.stmt_location + (item.stmt_len or len(raw) - item.stmt_location)
        inside = [t for t in tokens if item.stmt_location <= t.start < end]
        found += _forms(raw, tokens, inside, item.stmt)
    return tuple(found)


def _forms(raw: bytes, every: Sequence[_Token], inside: Sequence[_Token], stmt: Any) -> Iterator[Form]:
    node = stmt.WhichOneof("node")
    through = ""
    if node in _AROUND:
        word, through = _AROUND[node]
        start = next(i for i, t in enumerate(inside) if t.name == word)
        inside, stmt = inside[start + 1 :], getattr(stmt, node).query
        node = stmt.WhichOneof("node")
    if node in _VERBS:
        yield _form(raw, every, inside, stmt, _VERBS[node], through)
    elif node in ("copy_stmt", "create_table_as_stmt", "explain_stmt", "refresh_mat_view_stmt"):
        yield Form("")  # the server plans something in it


def _form(
    raw: bytes, every: Sequence[_Token], inside: Sequence[_Token], stmt: Any, verb: str, through: str
) -> Form:
    allowed = set(_constants(stmt))
    numbers = {t.start: n for n, t in enumerate(t for t in every if t.name in _CONSTANTS)}
    code = [t for t in inside if t.name not in _COMMENTS]
    pieces, fixed = list[str | Slot](), list[int]()
    for place, (gap, token) in enumerate(_spaced(raw, inside)):
        text = raw[token.start : token.end].decode()
        if token.name == "PARAM":
            pieces += [gap, Slot(number=int(text[1:]))]
        elif token.start not in numbers or token.name not in _CONSTANTS:
            pieces += [gap, text]
        elif token.start in allowed:
            pieces += [gap, Slot(index=numbers[token.start])]
        elif place and code[place - 1].start in allowed and pieces[-1] == "-":
            pieces[-1] = Slot(index=numbers[token.start], negative=True)
        else:
            fixed.append(numbers[token.start])
            pieces += [gap, Slot(index=numbers[token.start])]
    text = raw[code[0].start : code[-1].end].decode() if code else ""
    slots = [p for p in pieces if isinstance(p, Slot) and p.index >= 0 and p.index not in fixed]
    return Form(
        verb, _fingerprint(text, stmt), tuple(pieces), tuple(slots), tuple(fixed), tuple(_relations(stmt)),
        tuple(_columns(stmt)), _ordered(stmt), through,
    )  # fmt: skip


def _fingerprint(sql: str, stmt: Any) -> str:
    """libpg_query's, told apart by what it takes for equal: `= x`, `= ANY (x)`, `IN (x)`, `IS DISTINCT FROM x`."""
    import postgast

    found = postgast.fingerprint(sql).hex
    kinds = [expression.kind for expression in messages(stmt, "A_Expr")]
    plain = all(kind == _OPERATOR for kind in kinds)
    return found if plain else hashlib.sha256(f"{found} {kinds}".encode()).hexdigest()[:16]


def _tokens(sql: str) -> tuple[bytes, list[_Token]]:
    import postgast
    from postgast import pg_query_pb2

    raw = sql.encode()
    try:
        found: Any = postgast.scan(sql).tokens
    except postgast.PgQueryError as error:
        raise SqlSyntaxError(str(error), 0) from None
    name: Any = pg_query_pb2.Token.Name
    return raw, [_Token(t.start, t.end, name(t.token)) for t in found]


def _spaced(raw: bytes, tokens: Sequence[_Token]) -> Iterator[tuple[str, _Token]]:
    """Each token but comments and the last semicolon, with what separates it from the one before."""
    code = [t for t in tokens if t.name not in _COMMENTS]
    while code and raw[code[-1].start : code[-1].end] == b";":
        code.pop()
    end: int | None = None
    for token in code:
        yield ("" if end is None else _gap(raw[end : token.start].decode())), token
        end = token.end


def _gap(text: str) -> str:
    """Nothing, one blank, or a line break with the indentation of the next line."""
    if not text:
        return ""
    return "\n" + re.findall(r"[ \t]*\Z", text)[0].expandtabs(4) if "\n" in text else " "


def _constants(message: Any) -> Iterator[int]:
    """The byte offsets of constants that a parameter may replace."""
    name = message.DESCRIPTOR.name
    if name == "A_Const":
        yield message.location
        return
    if name in ("TypeName", "DefElem"):
        return
    if name == "TypeCast" and message.location < 0:
        return  # interval '1 day'
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None:
            continue
        for child in value if not hasattr(value, "ListFields") else [value]:
            if descriptor.name in ("group_clause", "sort_clause") and _ordinal(child):
                continue
            yield from _constants(child)


def _ordinal(child: Any) -> bool:
    """ORDER BY 1, GROUP BY 1"""
    kind = child.WhichOneof("node") if child.DESCRIPTOR.name == "Node" else None
    return kind == "a_const" or (kind == "sort_by" and child.sort_by.node.WhichOneof("node") == "a_const")


def _relations(stmt: Any) -> Iterator[tuple[str | None, str]]:
    ctes = {c.ctename for c in messages(stmt, "CommonTableExpr")}
    seen: set[tuple[str | None, str]] = set()
    for relation in messages(stmt, "RangeVar"):
        key = (relation.schemaname or None, relation.relname)
        if key not in seen and not (key[0] is None and key[1] in ctes):
            seen.add(key)
            yield key


def _columns(stmt: Any) -> Iterator[str]:
    """The columns that the outermost WHERE names, each once."""
    inner = getattr(stmt, stmt.WhichOneof("node"))
    if "where_clause" not in inner.DESCRIPTOR.fields_by_name or not inner.HasField("where_clause"):
        return
    seen: set[str] = set()
    for column in messages(inner.where_clause, "ColumnRef"):
        last = column.fields[-1]
        if last.WhichOneof("node") == "string" and last.string.sval not in seen:
            seen.add(last.string.sval)
            yield last.string.sval


def _ordered(stmt: Any) -> bool:
    """Does a part of it ask for an order, for groups or for distinct rows?"""
    parts = ("sort_clause", "group_clause", "distinct_clause")
    return any(len(getattr(select, part)) for select in messages(stmt, "SelectStmt") for part in parts)


def written(form: Form, constants: Sequence[str], names: Mapping[Slot, str]) -> str:
    """The statement with `:name` for each slot that has a name. Raises ValueError for what one line cannot hold."""
    out: list[str] = []
    for piece in form.pieces:
        if isinstance(piece, str):
            if piece.strip("\n") != piece.strip("\n").replace("\n", "") or "\r" in piece:
                raise ValueError("a name with a line break")
            out.append(piece)
        elif piece in names:
            out.append(f":{names[piece]}")
        else:
            out.append(("-" if piece.negative else "") + one_line(constants[piece.index]))
    lines = "".join(out).split("\n")
    rest = textwrap.dedent("\n".join(lines[1:])).split("\n") if len(lines) > 1 else []
    return "\n".join(line.rstrip() for line in [lines[0], *rest])


_SEGMENT = re.compile(r"'((?:[^']|'')*)'")
_CONTROLS = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}


def one_line(literal: str) -> str:
    """A constant as it stands in a text, on one line and without a dollar quote. Raises ValueError."""
    if not literal or literal[0] in "0123456789.":
        return literal
    if literal[0] == "$":
        tag = literal[: literal.index("$", 1) + 1]
        return quoted(literal[len(tag) : -len(tag)])
    if literal.isprintable():
        return literal
    if literal[0] in "eE":
        body = "".join(_SEGMENT.findall(literal))
        return f"E'{''.join(_control(c) for c in body)}'"
    if literal[0] == "'":
        return quoted("".join(_SEGMENT.findall(literal)).replace("''", "'"))
    raise ValueError("a constant with a line break")


def quoted(value: str) -> str:
    """A value as a string constant on one line."""
    if value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    body = value.replace("\\", "\\\\").replace("'", "''")
    return "E'" + "".join(_control(c) for c in body) + "'"


def _control(character: str) -> str:
    if character.isprintable():
        return character
    number = ord(character)
    return _CONTROLS.get(character) or (f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}")
