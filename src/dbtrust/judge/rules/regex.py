"""The bracket expressions of PostgreSQL's regular expressions (manual, 9.7.3) and of SIMILAR TO (9.7.2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Members:
    """One bracket expression: its text, its parts, and those parts that are one unescaped character."""

    text: str
    parts: tuple[str, ...]
    plain: frozenset[str]


def classes(pattern: str, flags: str = "") -> Iterator[Members]:
    """The bracket expressions of an advanced regular expression; none of a literal string.

    `***=` and the flag q make it a literal string; x lets comments in; e and b take escapes out of brackets.
    """
    flags, pattern = _options(pattern, flags)
    if "q" in flags:
        return
    advanced, expanded = not set(flags) & {"b", "e"}, "x" in flags
    place = 0
    while place < len(pattern):
        char = pattern[place]
        if char == "\\":
            place += 2
        elif expanded and char == "#":
            place = _after(pattern, "\n", place)
        elif advanced and pattern.startswith("(?#", place):
            place = _after(pattern, ")", place)
        elif char == "[":
            members, place = _bracket(pattern, place, "\\" if advanced else "")
            yield members
        else:
            place += 1


def classes_of_similar(pattern: str, escape: str = "\\") -> Iterator[Members]:
    """The bracket expressions of a SIMILAR TO pattern; `escape` is its escape character or ""."""
    place = 0
    while place < len(pattern):
        if escape and pattern[place] == escape:
            place += 2
        elif pattern[place] == "[":
            members, place = _bracket(pattern, place, escape)
            yield members
        else:
            place += 1


def _options(pattern: str, flags: str) -> tuple[str, str]:
    """Directors (`***=`, `***:`) and embedded options (`(?xi)`) at the start (manual, 9.7.3.4)."""
    if pattern.startswith("***="):
        return "q", pattern[4:]
    if pattern.startswith("***:"):
        flags, pattern = "", pattern[4:]
    if pattern.startswith("(?") and (end := pattern.find(")")) > 2 and pattern[2:end].isalpha():
        return pattern[2:end], pattern[end + 1 :]
    return flags, pattern


def _after(text: str, mark: str, place: int) -> int:
    found = text.find(mark, place)
    return len(text) if found < 0 else found + 1


def _bracket(pattern: str, start: int, escape: str) -> tuple[Members, int]:
    """The bracket expression at `start` and the place after it; a `]` that stands first is a member."""
    place = start + (2 if pattern.startswith("[^", start) else 1)
    parts: list[str] = []
    plain: set[str] = set()
    while place < len(pattern) and (pattern[place] != "]" or not parts):
        end = _element(pattern, place, escape)
        if pattern.startswith("-", end) and not pattern.startswith("-]", end) and end + 1 < len(pattern):
            end = _element(pattern, end + 1, escape)
        elif end == place + 1:
            plain.add(pattern[place])
        parts.append(pattern[place:end])
        place = end
    place = min(place + 1, len(pattern))
    return Members(pattern[start:place], tuple(parts), frozenset(plain)), place


def _element(pattern: str, place: int, escape: str) -> int:
    """The place after one member: a class such as [:alpha:], an escape, or a character."""
    for mark in (":", ".", "="):
        if pattern.startswith("[" + mark, place) and (end := pattern.find(mark + "]", place + 2)) > 0:
            return end + 2
    if escape and pattern[place] == escape:
        return min(place + 2, len(pattern))
    return place + 1
