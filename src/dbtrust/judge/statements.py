"""SQL text into statements and bind lists, by PostgreSQL's own grammar (docs/decisions/0002-sql-grammar.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from dbtrust.judge.copy_blocks import ENDLESS, Segment, segments
from dbtrust.model.errors import QueryFileError
from dbtrust.model.location import Location
from dbtrust.model.text import shortened
from dbtrust.queries.placeholders import bind_params

_META = re.compile(r"^[ \t]*(\\[a-zA-Z!?]+)", re.MULTILINE)
_COPY_WORD = re.compile(r"\bSTDIN\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement without its semicolon; `offset` is the 0-based character of its first token in the source.

    `kind` is the grammar's node name, such as "SelectStmt" or "IndexStmt". `data` are the rows behind a
    COPY … FROM STDIN, in COPY's text format.
    """

    text: str
    offset: int
    kind: str
    data: str | None = None


class SqlSyntaxError(QueryFileError):
    """The text is no SQL; `offset` is the 0-based character that the grammar points at."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message, location=Location(), next="mend the SQL")
        self.offset = offset


@lru_cache(maxsize=256)
def split(sql: str) -> list[Statement]:
    """The statements of a script. Raises SqlSyntaxError, also for psql's own commands."""
    statements: list[Statement] = []
    for segment in script_segments(sql):
        found = _split(sql[segment.start : segment.end], segment.start)
        if segment.data is not None:
            found[-1] = replace(found[-1], data=sql[slice(*segment.data)])
        statements += found
    return statements


def script_segments(sql: str) -> Iterator[Segment]:
    """The script cut behind each COPY whose rows stand in it. Raises SqlSyntaxError for rows without an end."""
    if _COPY_WORD.search(sql) is None:
        yield Segment(0, len(sql))
        return
    for segment in segments(sql, _ends_in_copy):
        if segment.data == ENDLESS:
            raise SqlSyntaxError(
                "the rows of COPY … FROM STDIN have no line with \\. at their end", segment.end - 1
            )
        yield segment


def _ends_in_copy(text: str) -> bool:
    try:
        last = parse_tree(text).stmts[-1].stmt
    except (SqlSyntaxError, IndexError):
        return False
    return last.WhichOneof("node") == "copy_stmt" and last.copy_stmt.is_from


def _split(sql: str, start_at: int) -> list[Statement]:
    try:
        tree = parse_tree(sql)
    except SqlSyntaxError as error:
        raise SqlSyntaxError(error.message, error.offset + start_at) from None
    raw = sql.encode()
    statements: list[Statement] = []
    for item in tree.stmts:
        start, length = item.stmt_location, item.stmt_len or len(raw) - item.stmt_location
        chunk = raw[start : start + length].decode()
        skipped = leading_blank(chunk)
        offset = start_at + len(raw[:start].decode()) + skipped
        statements.append(Statement(chunk[skipped:].rstrip(), offset, _camel(item.stmt.WhichOneof("node"))))
    return statements


def parse_tree(sql: str) -> Any:
    """The grammar's own tree (libpg_query's protobuf). Raises SqlSyntaxError."""
    import postgast

    try:
        return postgast.parse(sql)
    except postgast.PgQueryError as error:
        raise _syntax_error(sql, error) from None


def _syntax_error(sql: str, error: Any) -> SqlSyntaxError:
    if meta := _META.search(sql):
        return SqlSyntaxError(f"{meta[1]} is a command of psql, not SQL", meta.start(1))
    position = int(getattr(error, "cursorpos", 0) or 0)
    # libpg_query counts characters from 1, 0 where it knows no place (the end of the text).
    said = str(error.args[0] if error.args else error)
    return SqlSyntaxError(shortened(said), position - 1 if position > 0 else len(sql.rstrip()))


def leading_blank(text: str, position: int = 0) -> int:
    """Where the first token stands at or behind `position`: blanks and comments are skipped."""
    while True:
        match = re.compile(r"\s+|--[^\n]*(?:\n|\Z)").match(text, position)
        if match:
            position = match.end()
        elif text.startswith("/*", position):
            depth, position = 1, position + 2
            while depth and (edge := re.compile(r"/\*|\*/").search(text, position)):
                depth, position = depth + (1 if edge.group() == "/*" else -1), edge.end()
            if depth:
                return len(text)
        else:
            return position


def _camel(name: str | None) -> str:
    return "".join(part.title() for part in (name or "").split("_"))


_EXPLAINABLE = frozenset({"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})


def explainable(sql: str) -> bool:
    """Is it one statement that EXPLAIN takes with parameters? Text that does not parse counts: the server will say why."""
    try:
        statements = split(bind_params(sql).text)
    except SqlSyntaxError:
        return True
    return len(statements) == 1 and statements[0].kind in _EXPLAINABLE


_WRITES = ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")


def writes(sql: str) -> bool:
    """Does an INSERT, UPDATE, DELETE or MERGE stand in the statement, be it in a WITH? True for what does not parse."""
    try:
        tree = parse_tree(bind_params(sql).text)
    except SqlSyntaxError:
        return True
    return any(next(messages(tree, name), None) is not None for name in _WRITES)


def messages(message: Any, name: str) -> Iterator[Any]:
    """Every message of that type at and below a message of the grammar's protobuf."""
    if message.DESCRIPTOR.name == name:
        yield message
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None:
            continue
        repeated = not hasattr(value, "ListFields")
        for child in value if repeated else [value]:
            yield from messages(child, name)


def expression_text(node: Any) -> str:
    """An expression of the grammar's tree as SQL."""
    import postgast

    tree = postgast.parse("SELECT 1")
    target: Any = tree.stmts[0].stmt.select_stmt.target_list[0].res_target.val
    target.CopyFrom(node)
    return postgast.deparse(tree).removeprefix("SELECT ").strip()


def quoted(name: str) -> str:
    """An identifier as it must be written, quoted only where SQL needs it."""
    node = parse_tree("SELECT x").stmts[0].stmt.select_stmt.target_list[0].res_target.val
    node.column_ref.fields[0].string.sval = name
    return expression_text(node)


def parse_binds(text: str) -> list[tuple[str, str]]:
    """ "a = 1, b = now() - interval '7 days'" as (name, SQL expression) pairs.

    The real scanner finds the commas that stand outside brackets and strings; each expression is then parsed.
    Raises SqlSyntaxError with the offset in `text`.
    """
    pairs: list[tuple[str, str]] = []
    for start, end in _parts(text):
        match = re.compile(r"\s*([^\W\d]\w*)\s*=(?!=)\s*").match(text, start, end)
        if match is None:
            raise SqlSyntaxError("an example is a list of param = SQL expression", start)
        expression = text[match.end() : end].strip()
        try:
            statements = split(f"SELECT ({expression}\n)")
        except SqlSyntaxError as error:
            raise SqlSyntaxError(
                f"{match[1]}: {error.message}", match.end() + max(0, error.offset - 8)
            ) from None
        if len(statements) != 1 or not expression:
            raise SqlSyntaxError(f"{match[1]} needs one SQL expression", match.end())
        if match[1] in {name for name, _ in pairs}:
            raise SqlSyntaxError(f"{match[1]} is given twice", start)
        pairs.append((match[1], expression))
    return pairs


def _parts(text: str) -> list[tuple[int, int]]:
    """The (start, end) of what stands between commas of the outermost level."""
    depth, start, parts = 0, 0, list[tuple[int, int]]()
    for kind, offset in _scan(text):
        if kind in "([":
            depth += 1
        elif kind in ")]":
            depth -= 1
        elif kind == "," and depth == 0:
            parts.append((start, offset))
            start = offset + 1
    return [*parts, (start, len(text))]


def tokens(text: str) -> list[bytes]:
    """The words of a script without blanks and comments. Raises SqlSyntaxError."""
    raw = text.encode()
    return [raw[t.start : t.end] for t in _tokens(text) if t.token not in _COMMENTS]


#: SQL_COMMENT and C_COMMENT among libpg_query's tokens.
_COMMENTS = (275, 276)


def _tokens(text: str) -> Any:
    import postgast

    try:
        return postgast.scan(text).tokens
    except postgast.PgQueryError as error:
        raise _syntax_error(text, error) from None


def _scan(text: str) -> list[tuple[str, int]]:
    raw = text.encode()
    marks = {"(": "(", ")": ")", "[": "[", "]": "]", ",": ","}
    return [
        (marks[mark], len(raw[: token.start].decode()))
        for token in _tokens(text)
        if (mark := raw[token.start : token.end].decode(errors="replace")) in marks
    ]


@dataclass(frozen=True, slots=True)
class Target:
    """What a CREATE … IF NOT EXISTS names; `schema` None means the search path, `part` a column."""

    kind: str
    schema: str | None
    name: str
    part: str | None = None


def creates(sql: str) -> Target | None:
    """The object of one CREATE … IF NOT EXISTS (or ADD COLUMN IF NOT EXISTS); None for other statements."""
    tree = parse_tree(sql)
    node = tree.stmts[0].stmt
    kind = node.WhichOneof("node")
    if kind == "create_stmt":
        return _relation("table", node.create_stmt.relation)
    if kind == "index_stmt":
        relation = node.index_stmt.relation
        return Target("index", relation.schemaname or None, node.index_stmt.idxname)
    if kind == "create_seq_stmt":
        return _relation("sequence", node.create_seq_stmt.sequence)
    if kind == "create_table_as_stmt":
        into = node.create_table_as_stmt.into.rel
        return _relation("view" if node.create_table_as_stmt.objtype == _OBJECT_MATVIEW else "table", into)
    if kind == "alter_table_stmt":
        commands = [c.alter_table_cmd for c in node.alter_table_stmt.cmds]
        if len(commands) == 1 and commands[0].missing_ok and commands[0].HasField("def"):
            relation = node.alter_table_stmt.relation
            column = getattr(commands[0], "def").column_def.colname
            return Target("column", relation.schemaname or None, relation.relname, column)
    return None


#: ObjectType.OBJECT_MATVIEW of libpg_query's protobuf.
_OBJECT_MATVIEW = 24


def _relation(kind: str, relation: Any) -> Target:
    return Target(kind, relation.schemaname or None, relation.relname)
