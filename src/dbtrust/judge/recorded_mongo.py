"""The module of recorded MongoDB commands as text: rendered, taken apart, and merged with what was there before."""

from __future__ import annotations

import ast
import datetime
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from dbtrust.judge.mongo_recording import Hole, RecordedCommand
from dbtrust.judge.recorded_sql import Block, signature

CLASS = "RecordedQueries"
HEAD = '''\
"""Written by `dbtrust claims record`. A method that is changed here by hand stays as it is when it is recorded again."""

# ruff: noqa: F401
from __future__ import annotations

import datetime
import re
import uuid
from typing import Any

import bson

from dbtrust import MongoQueries, claim, example


class RecordedQueries(MongoQueries):
    """The commands that were seen."""
'''
_SIGNED = re.compile(r'^ {4}    """Recorded: ([0-9a-f]{12})\.[^"]*"""\n', re.MULTILINE)
_WIDTH = 100


def block(command: RecordedCommand, claims: Sequence[str], why: str = "") -> Block:
    """A recorded command as a method. Raises ValueError for a value that has no literal."""
    names = list(dict.fromkeys(command.names.values()))
    given = {f"{n}: Any" for n in names}
    lines: list[str] = [f"@claim({_string(c)})" for c in claims]
    for label, values in command.examples if names else command.examples[: not claims]:
        binds = "".join(f", {name}={literal(values[hole])}" for hole, name in command.names.items())
        lines.append(f"@example({_string(label)}{binds})")
    parameters = "".join(f", {one}" for one in sorted(given, key=lambda one: int(one[1:-5])))
    lines.append(f"def {command.name}(self{parameters}) -> Any:")
    sender = "cursor_command" if next(iter(command.command)) in ("find", "aggregate") else "command"
    body = _written(
        command.command, command.names, command.examples[0][1], len("    return self.db.(") + len(sender)
    )
    lines.append("    return self.db." + f"{sender}({body})".replace("\n", "\n    "))
    text = textwrap.indent("\n".join(lines), "    ")
    note = f" Without claims, since {why}." if why else ""
    head, _, rest = text.rpartition(" -> Any:\n")
    return Block(command.name, f'{head} -> Any:\n        """Recorded: {signature(text)}.{note}"""\n{rest}')


def edited(one: Block) -> bool:
    """Is it another text than the one that was recorded?"""
    signed = _SIGNED.search(one.text)
    return signed is None or signed[1] != signature(_SIGNED.sub("", one.text, count=1))


def claims_of(one: Block) -> list[str]:
    """The claims, without their numbers."""
    return [re.sub(r"(at most )[\d_.]+", r"\1N", line) for line in one.text.splitlines() if "@claim(" in line]


def parameters_of(one: Block) -> int:
    """Of the same shape the one with more parameters stands for more executions."""
    return len(re.findall(r", p\d+: Any", one.text))


def blocks(text: str) -> tuple[str, list[Block]]:
    """What stands before the first method, and the methods. Raises SyntaxError."""
    tree = ast.parse(text)
    lines = text.splitlines()
    found: list[Block] = []
    first = len(lines)
    for node in tree.body:
        if not isinstance(node, ast.ClassDef) or node.name != CLASS:
            continue
        for method in node.body:
            if isinstance(method, ast.FunctionDef):
                start = min([d.lineno for d in method.decorator_list] + [method.lineno]) - 1
                first = min(first, start)
                found.append(Block(method.name, "\n".join(lines[start : method.end_lineno])))
    return "\n".join(lines[:first]).rstrip(), found


def document(head: str, methods: Iterable[Block]) -> str:
    """The text of the module."""
    return "\n\n".join([(head or HEAD).rstrip(), *(one.text for one in methods)]) + "\n"


def _written(value: Any, names: Mapping[int, str], values: Sequence[Any], column: int) -> str:
    """A part of the command as source, over several lines where it is long."""
    flat = _flat(value, names, values)
    if len(flat) + column <= _WIDTH:
        return flat
    inner: list[str] = []
    if isinstance(value, Mapping) and value:
        for key, item in cast("Mapping[str, Any]", value).items():
            head = f"{_string(key)}: "
            inner.append(head + _written(item, names, values, 12 + len(head)))
        return "{\n" + textwrap.indent(",\n".join(inner), "    ") + ",\n}"
    if isinstance(value, list) and value:
        inner = [_written(item, names, values, 12) for item in cast("list[Any]", value)]
        return "[\n" + textwrap.indent(",\n".join(inner), "    ") + ",\n]"
    return flat


def _flat(value: Any, names: Mapping[int, str], values: Sequence[Any]) -> str:
    if isinstance(value, Hole):
        return names.get(value.number) or literal(values[value.number])
    if isinstance(value, Mapping):
        items = cast("Mapping[str, Any]", value).items()
        return "{" + ", ".join(f"{_string(k)}: {_flat(v, names, values)}" for k, v in items) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flat(item, names, values) for item in cast("Sequence[Any]", value)) + "]"
    return literal(value)


def literal(value: Any) -> str:
    """The source of a value. Raises ValueError for a type without one."""
    if isinstance(value, Mapping):
        items = cast("Mapping[str, Any]", value).items()
        return "{" + ", ".join(f"{_string(key)}: {literal(item)}" for key, item in items) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(literal, cast("Sequence[Any]", value))) + "]"
    for found in _scalar(value):
        return found
    raise ValueError(f"a value of type {type(value).__name__} has no literal")


def _scalar(value: Any) -> Iterator[str]:
    kind = type(value).__name__
    if value is None or isinstance(value, bool):
        yield repr(value)
    elif isinstance(value, str):
        yield _string(value)
    elif isinstance(value, int):
        yield f"bson.Int64({int(value)})" if kind == "Int64" else repr(value)
    elif isinstance(value, float):
        yield repr(value) if value == value and abs(value) != float("inf") else f'float("{value}")'
    elif isinstance(value, datetime.datetime):
        aware = ", tzinfo=datetime.UTC" if value.tzinfo else ""
        parts = f"{value.year}, {value.month}, {value.day}, {value.hour}, {value.minute}, {value.second}"
        yield f"datetime.datetime({parts}, {value.microsecond}{aware})"
    elif kind == "ObjectId":
        yield f'bson.ObjectId("{value}")'
    elif kind == "UUID":
        yield f'uuid.UUID("{value}")'
    elif kind == "Decimal128":
        yield f'bson.Decimal128("{value}")'
    elif kind == "Binary":
        yield f"bson.Binary({bytes(value)!r}, {value.subtype})"
    elif isinstance(value, bytes):
        yield repr(value)
    elif kind == "Regex":
        yield f"bson.Regex({_string(value.pattern)}, {value.flags})"
    elif isinstance(value, re.Pattern):
        pattern = cast("re.Pattern[str]", value)
        yield f"re.compile({_string(pattern.pattern)}, {int(pattern.flags) & ~re.UNICODE})"
    elif kind in ("MinKey", "MaxKey"):
        yield f"bson.{kind}()"


def _string(text: str) -> str:
    """A literal in double quotes, on one line and printable."""
    body = "".join(c if c.isprintable() and c not in '"\\' else _escaped(c) for c in text)
    return f'"{body}"'


def _escaped(character: str) -> str:
    return f"\\{character}" if character in '"\\' else character.encode("unicode_escape").decode("ascii")
