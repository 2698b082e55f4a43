"""A function of a Python migration gets statements: what its author wrote, and everything around it, stays as it is."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from dbtrust.migrate.unified import ended, lines_of

_INDENT = "    "
#: A comment that declares a loss outlives the statements around it.
_DECLARED = re.compile(r"[ \t]*#[ \t]*(--[ \t]*)?lossy[ \t]*:")


def with_function(
    text: str, name: str, header: str, lines: Sequence[str], *, head: Sequence[str] = (), keep: bool = True
) -> str | None:
    """The exact text of a file whose function `name` ends with the lines; it is made where there is none.

    `head` are comments for the top of its body. Without `keep` the lines take the place of its statements. `header` is
    the `def` line of a function that is made, or that takes the place of a coroutine. None where the text is no Python
    or has no place for them: lines that only CR ends, a way out that is shared with another statement.
    """
    bom = "\ufeff" if text.startswith("\ufeff") else ""
    text = text.removeprefix(bom)
    tree, newline, source = parsed(text), "\r\n" if "\r\n" in text else "\n", lines_of(text)
    if tree is None:
        return None
    found = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef) and n.name == name]
    if not found or isinstance(found[-1], ast.AsyncFunctionDef):
        body = [f"{_indent_of(tree, source)}{line}" for line in (*head, *lines)]
        made = _made(source, found[-1] if found else None, [header, *body], newline)
    else:
        made = _edited(source, found[-1], head, lines, newline, keep=keep)
    return bom + made if made is not None and parsed(made) is not None else None


def parsed(text: str) -> ast.Module | None:
    """The tree of a file's exact text, whose lines are those of git; None for what is no Python."""
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    try:
        return None if "\r" in plain else ast.parse(plain)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _indent_of(tree: ast.Module, source: Sequence[str]) -> str:
    """As another function of the file is indented."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.body[0].lineno > node.lineno:
            return _leading(source[node.body[0].lineno - 1]) or _INDENT
    return _INDENT


def _leading(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _made(source: Sequence[str], coroutine: ast.stmt | None, lines: Sequence[str], newline: str) -> str:
    new = [f"{line}{newline}" for line in lines]
    if coroutine is not None:
        end = coroutine.end_lineno or coroutine.lineno
        return "".join([*source[: coroutine.lineno - 1], *new, *source[end:]])
    kept = [*source]
    if kept and not kept[-1].endswith("\n"):
        kept[-1] += newline
    while kept and not kept[-1].strip():
        kept.pop()
    return "".join([*kept, *([newline] * 2 if kept else []), *new])


def _edited(
    source: Sequence[str], node: ast.FunctionDef, head: Sequence[str], lines: Sequence[str], newline: str, *, keep: bool
) -> str | None:  # fmt: skip
    first = node.body[0]
    row = _start(first) - 1
    before = source[row].encode()[: first.col_offset].decode()
    if before.strip() and _start(first) == first.lineno:
        indent = _leading(source[node.lineno - 1]) + _INDENT
        return _unfolded(
            source, node, before, [f"{indent}{x}{newline}" for x in (*head, *lines)], indent, newline, keep
        )
    indent = _leading(source[row])
    top, new = ([f"{indent}{line}{newline}" for line in part] for part in (head, lines))
    own = [s for s in node.body if not _is_docstring(s, node)]
    behind_docstring = (node.body[0].end_lineno or 0) if len(own) < len(node.body) else row
    if not keep or all(_is_nothing(s) for s in own):
        start, end = (
            (_start(own[0]) - 1, own[-1].end_lineno or 0) if own else (behind_docstring, behind_docstring)
        )
        said = [line for line in source[start:end] if _DECLARED.match(line)]
        return "".join([*ended(source[:start], newline), *top, *said, *new, *source[end:]])
    at = _end(source, own)
    if at is None:
        return None
    start = _start(own[0]) - 1
    return "".join([*source[:start], *top, *ended(source[start:at], newline), *new, *source[at:]])


def _unfolded(
    source: Sequence[str], node: ast.FunctionDef, before: str, new: Sequence[str], indent: str, newline: str, keep: bool
) -> str:  # fmt: skip
    """`def downgrade(): pass` on one line: the body gets lines of its own."""
    row, end = node.body[0].lineno - 1, node.body[-1].end_lineno or node.body[-1].lineno
    body = [source[row][len(before) :], *source[row + 1 : end]]
    docstring = _is_docstring(node.body[0], node)
    kept = (keep and not all(_is_nothing(s) for s in node.body)) or (docstring and len(node.body) == 1)
    own = ended([f"{indent}{body[0]}", *body[1:]], newline) if kept else []
    return "".join([*source[:row], before.rstrip() + newline, *own, *new, *source[end:]])


def _end(source: Sequence[str], own: Sequence[ast.stmt]) -> int | None:
    """The line before which new statements go: behind the last one, before a `return` or `raise` that ends the function."""
    last = own[-1]
    if not isinstance(last, ast.Return | ast.Raise):
        return last.end_lineno
    alone = not source[last.lineno - 1].encode()[: last.col_offset].strip()
    return last.lineno - 1 if alone else None


def _start(node: ast.stmt) -> int:
    """The first line of a statement, its decorators included."""
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(d.lineno for d in decorators)])


def _is_docstring(node: ast.stmt, function: ast.FunctionDef) -> bool:
    return (
        node is function.body[0]
        and isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _is_nothing(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and node.value.value is ...
    )


def operations(text: str) -> tuple[str, str]:
    """How an Alembic revision calls `alembic.op`, and the import that this needs, "" where the file has it."""
    tree = parsed(text)
    for node in tree.body if tree is not None else ():
        if isinstance(node, ast.ImportFrom) and node.module == "alembic" and not node.level:
            for alias in node.names:
                if alias.name == "op":
                    return alias.asname or "op", ""
    return "op", "from alembic import op"


def parameter(text: str, name: str, default: str) -> str:
    """The first parameter of a function of the file; `default` where there is no such function."""
    tree = parsed(text)
    for node in reversed(tree.body if tree is not None else []):
        if isinstance(node, ast.FunctionDef) and node.name == name and node.args.args:
            return node.args.args[0].arg
    return default


def with_names(text: str, name: str, values: Sequence[str]) -> str | None:
    """The file with more texts in the list `name`, which is made above the first function where there is none.

    None where the list that is there is no literal on lines of its own.
    """
    bom = "\ufeff" if text.startswith("\ufeff") else ""
    text = text.removeprefix(bom)
    tree, newline, source = parsed(text), "\r\n" if "\r\n" in text else "\n", lines_of(text)
    if tree is None:
        return None
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == name for t in node.targets
        ):
            try:
                there = list(ast.literal_eval(node.value))
            except (ValueError, TypeError):
                return None
            line = f"{name} = {[*there, *values]!r}{newline}"
            return bom + "".join(
                [*source[: node.lineno - 1], line, *source[node.end_lineno or node.lineno :]]
            )
    first = next((_start(n) - 1 for n in tree.body if isinstance(n, ast.FunctionDef)), 0)
    return bom + "".join(
        [*source[:first], f"{name} = {list(values)!r}{newline}", newline, newline, *source[first:]]
    )
