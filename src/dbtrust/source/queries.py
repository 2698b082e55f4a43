"""Named queries in .sql files: aiosql's grammar and dbtrust's tag lines, with a place for every error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from dbtrust.model.errors import QueryFileError
from dbtrust.model.location import Location
from dbtrust.model.project import ClaimLine, Example, Query
from dbtrust.queries.files import CHOICE, NAME_LINE, listed_choices, query_name

_TAG = re.compile(r"^\s*--\s*([A-Za-z_]+)\b([^:\n]*):(.*)$")
#: A comment that begins with a word and has no colon behind that word: what a claim without its colon looks like.
_WORDS = re.compile(r"^\s*--\s*([A-Za-z_]+)\s+(?!:)(\S.*)$")
_KEYS = ("name", "claim", "example", "choice")


@dataclass(frozen=True, slots=True)
class QueryFile:
    """What a file holds; one bad query does not lose the others."""

    queries: tuple[Query, ...]
    errors: tuple[QueryFileError, ...]


@dataclass(slots=True)
class _Block:
    name: str
    operator: str
    params: tuple[str, ...] | None
    location: Location
    claims: list[ClaimLine] = field(default_factory=list[ClaimLine])
    unmarked: list[ClaimLine] = field(default_factory=list[ClaimLine])
    examples: list[Example] = field(default_factory=list[Example])
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])
    doc: list[str] = field(default_factory=list[str])
    sql: list[str] = field(default_factory=list[str])
    sql_line: int = 0


class _Reader:
    """Line by line: a name opens a query, tags belong before its SQL."""

    def __init__(self, text: str, file: str, prefix: str) -> None:
        self._lines, self._file = text.split("\n"), file
        self._subject = f"query:{prefix}{PurePosixPath(file).stem}"
        self.blocks: list[_Block] = []
        self.errors: list[QueryFileError] = []

    def read(self) -> None:
        for number, line in enumerate(self._lines, 1):
            try:
                self._line(number, line)
            except QueryFileError as error:
                self.errors.append(error)

    def _line(self, number: int, line: str) -> None:
        block = self.blocks[-1] if self.blocks else None
        tag = _TAG.match(line) if line.lstrip().startswith("--") else None
        key = self._key(tag, number, line) if tag else None
        if key == "name":
            self._name(number, line)
        elif key is not None and tag is not None:
            self._tag(key, tag, number, line, block)
        elif block is None or (not block.sql and not line.strip()):
            return
        elif line.lstrip().startswith("--") and not block.sql:
            block.doc.append(line.lstrip()[2:].strip())
            self._unmarked(number, line, block)
        else:
            block.sql_line = block.sql_line or number
            block.sql.append(line)

    def _key(self, tag: re.Match[str], number: int, line: str) -> str | None:
        """The tag's key; an error where a comment is nearly one."""
        word = tag[1]
        if word.lower() in _KEYS and (word.lower() in ("example",) or not tag[2].strip()):
            if word not in _KEYS:
                raise self._error(
                    f"{word} is written {word.lower()}", number, line.index(word), f"write -- {word.lower()}:"
                )
            return word
        if not tag[2].strip() and (close := _near(word)):
            raise self._error(
                f"unknown comment key {word!r}", number, line.index(word), f"did you mean -- {close}:?"
            )
        return None

    def _unmarked(self, number: int, line: str, block: _Block) -> None:
        """Keeps a comment that a colon would make a claim; whoever knows the grammar decides whether it is one."""
        match = _WORDS.match(line)
        if match is not None and distance(match[1].lower(), "claim") <= 1:
            block.unmarked.append(ClaimLine(" ".join(match[2].split()), self._place(number, match.start(1))))

    def _name(self, number: int, line: str) -> None:
        match = NAME_LINE.match(line)
        if match is None:
            raise self._error(
                "not a query name", number, 0, "write -- name: some_name, with ^ $ ! <! *! or # behind it"
            )
        params = match["params"]
        names = tuple(p.strip() for p in params.split(",") if p.strip()) if params is not None else None
        block = _Block(
            query_name(match["name"]),
            match["operator"] or "",
            names,
            self._place(number, match.start("name")),
        )
        for other in self.blocks:
            if other.name == block.name:
                self.errors.append(
                    self._error(
                        f"a query named {block.name} stands already in line {other.location.line}",
                        number,
                        match.start("name"),
                        "give one of them another name",
                    )
                )
        self.blocks.append(block)

    def _tag(self, key: str, tag: re.Match[str], number: int, line: str, block: _Block | None) -> None:
        start = tag.start(3) + len(tag[3]) - len(tag[3].lstrip())
        if block is None or block.sql:
            why = "stands outside a query" if block is None else "stands after its SQL began"
            raise self._error(
                f"this {key} {why}", number, line.index(key), "move it below a -- name: line, before the SQL"
            )
        text, place = tag[3].strip(), self._place(number, start)
        if key == "claim":
            block.claims.append(ClaimLine(" ".join(text.split()), place))
        elif key == "example":
            block.examples.append(Example(tag[2].strip(), place, text))
        else:
            match = CHOICE.match(tag[3])
            if match is None:
                raise self._error("not a choice", number, start, "write -- choice: param = one | other")
            block.choices[match[1]] = listed_choices(match)

    def queries(self) -> Iterator[Query]:
        for block in self.blocks:
            sql = "\n".join(block.sql)
            body = sql.strip()
            if not body:
                self.errors.append(
                    QueryFileError(
                        f"query {block.name} has no SQL",
                        location=block.location,
                        next="write it below the name",
                    )
                )
                continue
            column = len(block.sql[0]) - len(block.sql[0].lstrip()) + 1
            yield Query(
                engine="postgres", subject=f"{self._subject}.{block.name}", name=block.name, sql=body, file=self._file,
                location=block.location, sql_location=Location(self._file, block.sql_line, column),
                operator=block.operator, params=block.params, doc="\n".join(block.doc), claims=tuple(block.claims),
                unmarked=tuple(block.unmarked),
                examples=tuple(block.examples), choices=block.choices,
            )  # fmt: skip

    def _place(self, number: int, start: int) -> Location:
        return Location(self._file, number, start + 1)

    def _error(self, message: str, number: int, start: int, step: str) -> QueryFileError:
        return QueryFileError(message, location=self._place(number, start), next=step)


def parse_queries(text: str, file: str, *, prefix: str = "") -> QueryFile:
    """The queries of one file; subjects are "query:PREFIX FILE_STEM.NAME". Never raises."""
    reader = _Reader(text, file, prefix)
    reader.read()
    seen: dict[str, Any] = {}
    for query in reader.queries():
        seen.setdefault(query.name, query)
    return QueryFile(tuple(seen.values()), tuple(reader.errors))


def _near(word: str) -> str | None:
    """The tag key within edit distance 2 of a word, or None."""
    return next(
        (
            key
            for key in _KEYS
            if 0 < distance(word.lower(), key) <= 2 or (word.lower() == key and word != key)
        ),
        None,
    )


def distance(a: str, b: str) -> int:
    """Levenshtein's edit distance."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (x != y))
    return row[-1]
