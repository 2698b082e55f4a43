"""Conditions as EXPLAIN prints them, without the values that stand in them."""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAME = r"(?:\"(?:[^\"]|\"\")*\"|[^\W\d][\w$]*)"
_TYPE = rf"::{_NAME}(?:\.{_NAME})?(?: varying| precision)?(?:\(\d+(?:,-?\d+)?\))?(?: with(?:out)? time zone)?(?:\[\])*"
_TOKEN = re.compile(
    rf"(?P<value>(?:[EBX](?='))?'(?:[^']|'')*'(?:{_TYPE})*|NULL(?:{_TYPE})+|\d+(?:\.\d*)?(?:[eE][-+]?\d+)?(?:{_TYPE})*)"
    rf"|(?P<name>(?:SubPlan|InitPlan) \d+|\$\d+|{_NAME})"
)


def without_values(text: str, aliases: Mapping[str, str] | None = None) -> str:
    """`(u.name = 'alex'::text)` -> `(u.name = ?)`: constants go with their types, everything else stays.

    `aliases` maps the alias of a partition to that of its parent. true and false stay: the planner folds them
    into the condition.
    """
    renamed = aliases or {}

    def masked(match: re.Match[str]) -> str:
        name = match["name"]
        if name is None:
            return "?"
        is_alias = text[match.end() : match.end() + 1] == "."
        return renamed.get(name, name) if is_alias else name

    return _TOKEN.sub(masked, text)
