"""Text of a layout's file into the scripts that are run: sections, options, and what cannot be run at all."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from dbtrust.model.errors import DbtrustError
from dbtrust.model.location import Location, locate
from dbtrust.model.project import Script
from dbtrust.source.comments import ROWS, line_comments
from dbtrust.source.layouts.folder import Folder
from dbtrust.source.layouts.reading import Half, Hole, Reading
from dbtrust.source.migrations import declared_loss

_LOSSY = re.compile(r"^[ \t]*--[ \t]*lossy[ \t]*:(?P<value>[^\n]*)$", re.MULTILINE | re.IGNORECASE)
_META = re.compile(r"^[ \t]*(\\[a-zA-Z!?]+)", re.MULTILINE)
#: What a server refuses inside a transaction.
_ALONE = re.compile(
    r"\b(INDEX|REINDEX\s+\w+|VIEW|DETACH\s+PARTITION\s+\S+)\s+CONCURRENTLY\b|^[ \t]*VACUUM\b|\b(CREATE|DROP)\s+DATABASE\b|\bALTER\s+SYSTEM\b",
    re.IGNORECASE | re.MULTILINE,
)
#: A statement that begins or ends a transaction; one about a savepoint does not.
_TRANSACTION = re.compile(
    r"(?:\A|(?<=;))\s*(BEGIN|START\s+TRANSACTION|COMMIT|ROLLBACK|ABORT|END|PREPARE\s+TRANSACTION)\b"
    r"(?!\s+(?:(?:WORK|TRANSACTION)\s+)?TO\b)[^;]*(?:;|\Z)",
    re.IGNORECASE,
)
#: The body of a function that SQL reads itself: its END ends no transaction.
_ATOMIC = re.compile(r"\bBEGIN\s+ATOMIC\b.*?(?:;|\bATOMIC)\s*END\b", re.IGNORECASE | re.DOTALL)
_IN_TEXT = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|(?P<tag>\$[A-Za-z_]?\w*\$).*?(?P=tag)", re.DOTALL)


def read_half(folder: Folder, file: str, reading: Reading, options: Mapping[str, str] | None = None) -> Half:
    """A file that is a script as a whole. One that cannot be read is an error of the history and a hole in it."""
    place = folder.place(file)
    try:
        text = folder.text(file)
        return half(text, text, place, options)
    except DbtrustError as error:
        return unreadable(place, error, reading)


def unreadable(place: str, error: DbtrustError, reading: Reading) -> Half:
    reading.errors.append(error)
    hole = Hole("unreadable", f"{place} cannot be read: {error.message}", error.next, Location(place, 1, 1))
    return Half(place, None, hole)


def half(text: str, source: str, place: str, options: Mapping[str, str] | None = None, line: int = 1) -> Half:
    """The script of a text that keeps its place in `source`, the whole file, where declared losses stand; `line` is that of its mark.

    One that begins or ends transactions of its own is not run in one, whatever the tool does around it.
    Raises QueryFileError for a declaration that names no object.
    """
    lossy = tuple(
        declared_loss(" ".join(m["value"].split()), locate(source, m.start("value") + 1, place))
        for m in _LOSSY.finditer(line_comments(source))
    )
    options = dict(NO_TRANSACTION) if own_transactions(text) else dict(options or {})
    script = Script(text, place, Location(place, line, 1), options, lossy=lossy)
    return Half(place, script, psql_only(text, place))


def psql_only(text: str, place: str) -> Hole | None:
    """A command of psql's own. What stands in a string, a function's body or a COPY's rows is none."""
    bare = _IN_TEXT.sub(_keep_lines, ROWS.sub(_keep_lines, text))
    if (meta := _META.search(bare)) is None:
        return None
    at = locate(text, meta.start(1), place)
    return Hole("psql", f"{meta[1]} is a command of psql, not SQL", "write it as SQL", at)


def variables(text: str, place: str, pattern: re.Pattern[str], whose: str) -> Hole | None:
    """A variable of another tool, whose value nobody but that tool knows."""
    if (match := pattern.search(text)) is None:
        return None
    message = f"{match.group()} is a variable of {whose}: its value is not in the repository"
    return Hole(
        "variables",
        message,
        "write the value, or a file without variables",
        locate(text, match.start(), place),
    )


def sections(text: str, marks: Sequence[tuple[int, int, str]]) -> dict[str, str]:
    """The text of each kind of section, in its place: everything else is blank, so that errors have their line.

    `marks` are (start, end, kind) of the lines that begin a section, in order.
    """
    found: dict[str, str] = {}
    ends = [*(start for start, _, _ in marks[1:]), len(text)][: len(marks)]
    for (_, begin, kind), end in zip(marks, ends, strict=True):
        before = found.get(kind, "")
        found[kind] = before + blank(text[len(before) : begin]) + text[begin:end]
    return found


def blank(text: str) -> str:
    """The same lines and columns without a letter."""
    return re.sub(r"[^\n]", " ", text)


def own_transactions(text: str) -> bool:
    """Does the script begin or end transactions, other than one around all of it?"""
    bare = _ATOMIC.sub(_keep_lines, _IN_TEXT.sub(_keep_lines, ROWS.sub(_keep_lines, text)))
    marks = list(_TRANSACTION.finditer(bare))
    if not marks:
        return False
    around = len(marks) == 2 and not bare[: marks[0].start()].strip() and not bare[marks[1].end() :].strip()
    return not (
        around
        and marks[0][1].upper().startswith(("BEGIN", "START"))
        and marks[1][1].upper() in ("COMMIT", "END")
    )


def has_statements(text: str) -> bool:
    """Is there more than comments and semicolons? A half that is empty is one that nobody wrote."""
    return bool(re.sub(r"--[^\n]*|/\*.*?\*/|[\s;]+", "", text, flags=re.DOTALL))


def runs_alone(text: str) -> bool:
    """Is there a statement that a server refuses inside a transaction?"""
    return _ALONE.search(_IN_TEXT.sub(_keep_lines, text)) is not None


def code_end(text: str) -> int:
    """Where a statement ends, without the comments and blanks behind it."""
    end = start = 0
    for match in _IN_TEXT.finditer(text):
        end = start + len(between) if (between := text[start : match.start()].rstrip()) else end
        start = match.end()
        end = end if match[0].startswith(("--", "/*")) else start
    return start + len(between) if (between := text[start:].rstrip()) else end


def _keep_lines(match: re.Match[str]) -> str:
    return blank(match.group())


NO_TRANSACTION: Mapping[str, str] = {"transaction": "false"}


def options_of(text: str, *, alone: bool = True) -> dict[str, str]:
    """The options of a script whose tool wraps it in no transaction of its own where the text needs none."""
    if own_transactions(text) or (alone and runs_alone(text)):
        return dict(NO_TRANSACTION)
    return {}
