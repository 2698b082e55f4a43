"""The file of recorded queries as text: rendered, taken apart, and merged with what was there before."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dbtrust.judge.recording import RecordedQuery
from dbtrust.queries.files import NAME_LINE, query_name

HEAD = """\
-- Written by `dbtrust claims record`. A query that is changed here by hand stays as it is when it is recorded again.
"""
_SIGNED = re.compile(r"^-- recorded: ([0-9a-f]{12})\n", re.MULTILINE)
_NUMBER = re.compile(r"(at most )[\d_.]+")


@dataclass(frozen=True, slots=True)
class Block:
    """One query of the file with its `-- name:` line, without blank lines around it."""

    name: str
    text: str

    @property
    def edited(self) -> bool:
        """Is it another text than the one that was recorded?"""
        signed = _SIGNED.search(self.text)
        return signed is None or signed[1] != signature(_SIGNED.sub("", self.text, count=1))

    @property
    def claims(self) -> list[str]:
        """The claim lines, without their numbers: two recordings differ in them."""
        lines = (line for line in self.text.splitlines() if line.startswith("-- claim:"))
        return [_NUMBER.sub(r"\1N", line) for line in lines]


def signature(text: str) -> str:
    """What tells a text from one that somebody changed."""
    return hashlib.sha256(text.strip().encode()).hexdigest()[:12]


def block(query: RecordedQuery, types: Mapping[str, str], claims: Sequence[str], why: str = "") -> Block:
    """A recorded query as text. `types` are the parameters' SQL types, `why` tells why there are no claims."""
    lines = [f"-- name: {query.name}"]
    notes = [f"-- ran through {query.through}"] if query.through else []
    notes += [f"-- without claims, since {why}"] if why else []
    lines += [f"-- claim: {claim}" for claim in claims]
    for label, values in query.examples:
        binds = (
            f"{name} = {_cast(value, types[name])}"
            for name, value in zip(query.parameters, values, strict=True)
        )
        lines.append(f"-- example {label}: {', '.join(binds)}")
    text = "\n".join([*lines[:1], *notes, *lines[1:], query.sql + ";"])
    return Block(query.name, text.replace("\n", f"\n-- recorded: {signature(text)}\n", 1))


def _cast(constant: str, type_name: str) -> str:
    number = not constant.startswith(("'", "E'", "e'", "NULL"))
    return f"'{constant}'::{type_name}" if number else f"{constant}::{type_name}"


def blocks(text: str) -> tuple[str, list[Block]]:
    """What stands before the first query, and the queries in the order of the file."""
    parts: list[list[str]] = [[]]
    names: list[str] = []
    for line in text.splitlines():
        if found := NAME_LINE.match(line):
            names.append(query_name(found["name"]))
            parts.append([])
        parts[-1].append(line)
    bodies = ["\n".join(part).strip() for part in parts]
    return bodies[0], [Block(name, body) for name, body in zip(names, bodies[1:], strict=True)]


def document(head: str, queries: Iterable[Block]) -> str:
    """The text of the file."""
    return "\n\n".join([(head or HEAD).strip(), *(query.text for query in queries)]) + "\n"


def merged(old: Sequence[Block], new: Sequence[Block], kept: Iterable[str]) -> list[Block]:
    """Old queries stay in their order, renewed where a new one has the name and the old is not kept; the rest follows."""
    kept = set(kept)
    fresh = {one.name: one for one in new}
    there = {one.name for one in old}
    renewed = [one if one.name in kept else fresh.get(one.name, one) for one in old]
    return [*renewed, *(one for one in new if one.name not in there)]
