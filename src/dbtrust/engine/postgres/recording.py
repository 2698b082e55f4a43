"""What a command sends to a database: the server's own JSON log, with a plan of auto_explain for each statement.

The log is read as a stream: one line is held at a time, and a last line that is half written is no line.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import orjson
import psycopg
from psycopg import sql

from dbtrust.engine.postgres.connect import connect
from dbtrust.engine.postgres.sql import load
from dbtrust.engine.waiting import await_true
from dbtrust.model.errors import ServerError
from dbtrust.model.recorded import Executed

#: Rows are wanted, times are not: reading the clock for each row is what makes ANALYZE slow. Statements
#: inside functions belong to the function. `log_verbose` tells the schemas.
_SETTINGS = {
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_verbose": "on",
    "auto_explain.log_triggers": "off",
    "auto_explain.log_nested_statements": "off",
    "auto_explain.log_format": "json",
    "auto_explain.log_level": "log",
    "auto_explain.sample_rate": "1",
}
_WITH_PARAMETERS = {"auto_explain.log_parameter_max_length": "-1"}
#: Before 16 auto_explain writes no parameters; the server writes them beside each statement that it executes.
_STATEMENTS = {"log_statement": "all", "log_parameter_max_length": "-1"}
_HEAD = re.compile(r"duration: [\d.]+ ms  plan:\n")
_EXECUTE = re.compile(r"execute [^:]*: ", re.DOTALL)
_PARAMETER = re.compile(r"\$\d+ = (?:'((?:[^']|'')*)'|(NULL))(?:, |\Z)")
_SECONDS = 60.0


def start_recording(admin: psycopg.Connection[Any], database: str) -> None:
    """From now on each new session in `database` logs every statement. `admin` is the superuser's."""
    new = admin.info.server_version >= 160000
    for name, value in {**_SETTINGS, **(_WITH_PARAMETERS if new else _STATEMENTS)}.items():
        statement = sql.SQL("ALTER DATABASE {} SET {} = {}")
        admin.execute(
            statement.format(sql.Identifier(database), sql.Identifier(*name.split(".")), sql.Literal(value))
        )


def end_recording(url: str, log: Path) -> None:
    """Ends every other session of the database of `url` (a superuser's) and waits until the log holds all of it.

    Raises ServerError where the server's last word never arrives.
    """
    mark = f"dbtrust_end_{secrets.token_hex(8)}"
    with connect(url) as admin:
        admin.execute(load("end_sessions"))
        await_true(lambda: not _others(admin), _SECONDS)
        # The logger reads one pipe in order: what was written before this statement stands before it.
        admin.execute(sql.SQL("SELECT {} AS mark").format(sql.Literal(mark)))
        if not await_true(lambda: _holds(log, mark.encode()), _SECONDS):
            raise ServerError("the server's log does not arrive", next="is the disk full? run again")


def _others(admin: psycopg.Connection[Any]) -> bool:
    return admin.execute(load("other_sessions")).fetchone() != (0,)


def _holds(log: Path, mark: bytes) -> bool:
    """Does the end of the log hold the mark?"""
    with suppress(OSError), log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - (1 << 16)))
        return mark in stream.read()
    return False


def executions(log: Path, database: str) -> Iterator[Executed]:
    """The statements that ended in `database`, in the order of the log; lines that are no such thing are passed over.

    Raises ServerError where the log cannot be read.
    """
    wanted = b'"dbname":' + orjson.dumps(database)
    sent: dict[str, tuple[str, str]] = {}
    try:
        with log.open("rb") as stream:
            for line in stream:
                entry = _object(line) if wanted in line[:4096] and line.endswith(b"\n") else None
                if entry is None or entry.get("dbname") != database:
                    continue
                if (found := _executed(entry, sent)) is not None:
                    yield found
    except FileNotFoundError:
        return
    except OSError as error:
        raise ServerError(f"the server's log cannot be read: {error.strerror}", next="run again") from error


def _object(text: str | bytes) -> dict[str, Any] | None:
    try:
        found: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None


def _executed(entry: Mapping[str, Any], sent: dict[str, tuple[str, str]]) -> Executed | None:
    """`sent`: session -> statement and parameters that the server announced last (before 16)."""
    message, session = str(entry.get("message", "")), str(entry.get("session_id", ""))
    if (head := _HEAD.match(message)) is None:
        if announced := _EXECUTE.match(message):
            sent[session] = message[announced.end() :], str(entry.get("detail", ""))
        return None
    document = _object(message[head.end() :])
    plan: Any = document.get("Plan") if document else None
    if document is None or not isinstance(plan, dict):
        return None
    text, root = str(document.get("Query Text", "")), cast("dict[str, Any]", plan)
    given = document.get("Query Parameters")
    if given is None and (announced := sent.get(session)) is not None and announced[0] == text:
        given = re.sub(r"\A[Pp]arameters: ", "", announced[1])
    return Executed(
        text=text, session=session,
        parameters=parse_parameters(str(given)) if given else None,
        kind=str(root.get("Operation") or root.get("Node Type", "")),
        rows=_number(root.get("Actual Rows")) * max(1.0, _number(root.get("Actual Loops"))),
        cost=_number(root.get("Total Cost")), relations=frozenset(_relations(root)),
    )  # fmt: skip


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _relations(root: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Without recursion: a plan may be deep."""
    stack = [root]
    while stack:
        node = stack.pop()
        if name := node.get("Relation Name"):
            yield str(node.get("Schema", "")), str(name)
        stack += [child for child in node.get("Plans", ()) if isinstance(child, dict)]


def parse_parameters(text: str) -> tuple[str | None, ...] | None:
    """ "$1 = 'it''s', $2 = NULL" as values; None where the text is something else (it was cut)."""
    values: list[str | None] = []
    position = 0
    while position < len(text):
        found = _PARAMETER.match(text, position)
        if found is None:
            return None
        values.append(None if found[2] else found[1].replace("''", "'"))
        position = found.end()
    return tuple(values)
