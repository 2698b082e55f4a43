"""aiosql's `-- name:` lines, read without any dependency: production code imports this."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dbtrust.model.errors import QueryFileError
from dbtrust.model.location import Location

NAME_LINE = re.compile(
    r"^\s*--\s*name\s*:\s*(?P<name>[^\W\d][\w-]*)\s*(?:\((?P<params>[^)]*)\))?\s*(?P<operator>\^|\$|<!|\*!|!|#)?\s*$"
)
CHOICE = re.compile(r"\s*([^\W\d]\w*)\s*=\s*([^\W\d][\w$]*(?:\s*\|\s*[^\W\d][\w$]*)*)\s*\Z")
_CHOICE_LINE = re.compile(r"^\s*--\s*choice\s*:(.*)$")
_TAG_LINE = re.compile(r"^\s*--")


@dataclass(frozen=True, slots=True)
class NamedSql:
    """A query as the runtime needs it: SQL with `:param`, its operator, the line of its name, its choices."""

    name: str
    sql: str
    operator: str
    file: str
    line: int
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])


@dataclass(slots=True)
class _Block:
    name: str
    operator: str
    line: int
    body: list[str] = field(default_factory=list[str])
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])


def query_name(written: str) -> str:
    """A name as Python sees it: aiosql turns `-` into `_`."""
    return written.replace("-", "_")


def listed_choices(match: re.Match[str]) -> tuple[str, ...]:
    """The identifiers of a `-- choice:` line that CHOICE matched."""
    return tuple(word.strip() for word in match[2].split("|"))


def read_named(path: Path) -> Mapping[str, NamedSql]:
    """The queries of a file, or of all `*.sql` files of a folder (not of its sub-folders), by name.

    Raises QueryFileError with file:line.
    """
    queries: dict[str, NamedSql] = {}
    for file in sorted(path.glob("*.sql")) if path.is_dir() else [path]:
        for query in _read(file):
            if query.name in queries:
                first = queries[query.name]
                where = (
                    f"in line {first.line}" if first.file == query.file else f"at {first.file}:{first.line}"
                )
                raise QueryFileError(
                    f"a query named {query.name} stands already {where}",
                    location=Location(query.file, query.line, 1), next="give one another name",
                )  # fmt: skip
            queries[query.name] = query
    if path.is_dir() and not queries:
        raise QueryFileError("the folder holds no query", location=Location(str(path)), next="mend file=")
    return queries


def _read(path: Path) -> Iterator[NamedSql]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise QueryFileError(
            f"query file cannot be read: {error}", location=Location(str(path)), next="mend file="
        ) from error
    for block in _blocks(text, path):
        sql = "\n".join(block.body).strip().rstrip(";").rstrip()
        if not sql:
            place = Location(str(path), block.line, 1)
            raise QueryFileError(
                f"query {block.name} has no SQL", location=place, next="write it below the name"
            )
        yield NamedSql(block.name, sql, block.operator, str(path), block.line, block.choices)


def _blocks(text: str, path: Path) -> Iterator[_Block]:
    block: _Block | None = None
    for number, line in enumerate(text.split("\n"), 1):
        if match := NAME_LINE.match(line):
            if block is not None:
                yield block
            block = _Block(query_name(match["name"]), match["operator"] or "", number)
        elif block is not None and (choice := _CHOICE_LINE.match(line)) and not block.body:
            _choose(block, choice[1], Location(str(path), number, 1))
        elif block is not None and (
            (block.body and line.strip()) or (line.strip() and not _TAG_LINE.match(line))
        ):
            # Tags and documentation stand before the SQL; comments inside it belong to it.
            block.body.append(line)
        elif block is not None and block.body:
            block.body.append(line)
    if block is not None:
        yield block


def _choose(block: _Block, text: str, place: Location) -> None:
    match = CHOICE.match(text)
    if match is None:
        raise QueryFileError("not a choice", location=place, next="write -- choice: param = one | other")
    block.choices[match[1]] = listed_choices(match)
