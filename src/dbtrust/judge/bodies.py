"""The statements of a script, those in its DO blocks and functions among them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from dbtrust.judge.statements import SqlSyntaxError, messages, parse_tree, split

_STATEMENT = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|MERGE|WITH)\b", re.IGNORECASE)
_TRIGGERS = frozenset({"CreateTrigStmt", "CommentStmt", "GrantStmt", "DropStmt", "AlterOwnerStmt"})


@dataclass(frozen=True, slots=True)
class Part:
    """One statement. `runs`: the script itself runs it; the body of a function that only a trigger calls is not run."""

    text: str
    runs: bool = True


def parts(sql: str) -> list[Part]:
    """Every statement in the order of the script; of text that is no SQL none. EXECUTE of what is no constant is left out."""
    try:
        statements = split(sql)
    except SqlSyntaxError:
        return []
    plain = " ".join(s.text for s in statements if s.kind not in {*_TRIGGERS, "CreateFunctionStmt"})
    return [part for s in statements for part in _parts(s.text, s.kind, plain)]


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
    if told.get("language", "plpgsql").lower() == "sql":
        yield from (Part(part.text, runs and part.runs) for part in parts(told.get("as", "")))
    else:
        yield from (Part(query, runs) for query in _queries(text))


def _option(argument: Any) -> str:
    if argument.WhichOneof("node") == "list":
        return str(argument.list.items[0].string.sval) if argument.list.items else ""
    return str(argument.string.sval)


def _queries(text: str) -> list[str]:
    """The statements of a PL/pgSQL body, and the constants that it EXECUTEs."""
    import postgast

    try:
        tree: Any = postgast.parse_plpgsql(text)
    except (postgast.PgQueryError, ValueError):
        return []
    found = [query.strip() for query in _expressions(tree)]
    found += [text for query in found if not _STATEMENT.match(query) for text in _constants(query)]
    return [query for query in found if _STATEMENT.match(query)]


def _constants(expression: str) -> list[str]:
    """The texts in what a body reckons: those that are statements may be EXECUTEd."""
    try:
        tree = parse_tree(f"SELECT {expression}")
    except SqlSyntaxError:
        return []
    return [str(c.sval.sval).strip() for c in messages(tree, "A_Const") if c.WhichOneof("val") == "sval"]


def _expressions(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        items = cast("dict[str, object]", node)
        if isinstance(query := items.get("query"), str):
            yield query
        for value in items.values():
            yield from _expressions(value)
    elif isinstance(node, list):
        for value in cast("list[object]", node):
            yield from _expressions(value)
