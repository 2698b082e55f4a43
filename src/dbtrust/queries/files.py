"""aiosql's `-- name:` lines, read without any dependency: production code imports this."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dbtrust.model.errors import QueryFileError
from dbtrust.model.location import Location

NAME_LINE = re.compile(
    r"^\s*--\s*name\s*:\s*(?P<name>[^\W\d]\w*)\s*(?:\((?P<params>[^)]*)\))?\s*(?P<operator>\^|\$|<!|\*!|!|#)?\s*$"
)
_TAG_LINE = re.compile(r"^\s*--")


@dataclass(frozen=True, slots=True)
class NamedSql:
    """A query as the runtime needs it: SQL with `:param`, its operator and the line of its name."""

    name: str
    sql: str
    operator: str
    file: str
    line: int


def read_named(path: Path) -> Mapping[str, NamedSql]:
    """The queries of a file by name. Raises QueryFileError with file:line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise QueryFileError(
            f"query file cannot be read: {error}", location=Location(str(path)), next="mend file="
        ) from error
    queries: dict[str, NamedSql] = {}
    name, operator, start, body = "", "", 0, list[str]()
    for number, line in enumerate([*text.split("\n"), "-- name: end_of_file"], 1):
        match = NAME_LINE.match(line)
        if match is None:
            # Tags and documentation stand before the SQL; comments inside it belong to it.
            if name and (body or not _TAG_LINE.match(line)):
                body.append(line)
            continue
        if name:
            if name in queries:
                message = f"a query named {name} stands already in line {queries[name].line}"
                raise QueryFileError(
                    message, location=Location(str(path), start, 1), next="give one another name"
                )
            queries[name] = NamedSql(
                name, "\n".join(body).strip().rstrip(";").rstrip(), operator, str(path), start
            )
        name, operator, start, body = match["name"], match["operator"] or "", number, []
    return queries
