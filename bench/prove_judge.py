"""What an answer of a tool in bench/prove.py is worth.

A tool sees a case where what it says names the cause: the object that a leftover or trap is about, or that the down does
nothing where it does nothing. Any other refusal of such a project is counted apart: it failed for another reason. Whatever
it says against a healthy project is a false alarm.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from prove_cases import Case
from prove_tools import Said

SEEN, OTHER, SILENT, UNFINISHED = "seen", "another reason", "silent", "not finished"


def judged(case: Case, said: Said) -> str:
    """SEEN (of a healthy project: a false alarm), OTHER, SILENT or UNFINISHED."""
    if said.complaints is None:
        return UNFINISHED
    complaints = [text for text in said.complaints if not any(rule in text for rule in BESIDE)]
    if not complaints:
        return SILENT
    if not case.wrong:
        return SEEN
    return SEEN if any(names_cause(case, text) for text in complaints) else OTHER


def names_cause(case: Case, said: str) -> bool:
    """Does a complaint name the object, or what is the matter with it? The statements that it quotes do not count."""
    if said.startswith("[a1]"):
        return False
    if not case.down and "No-op downgrade" in said:
        return True
    text = _QUOTED.sub(" ", said)
    return any(phrase in said for phrase in RULES.get(case.label, ())) or any(
        re.search(pattern, text) for pattern in _named(case.cause)
    )


#: SQLAlchemy quotes the statement that failed.
_QUOTED = re.compile(r"\[SQL: .*?\](?=\n|$)|\(Background on this error.*?\)", re.DOTALL)


def _named(cause: str) -> list[str]:
    """The cause in dbtrust's own words, or the name in it, quoted or behind its schema or table."""
    name = cause.rpartition(" ")[2].partition("(")[0].rpartition(".")[2]
    return [rf"(?<!\w){re.escape(cause)}(?!\w)", rf"['\".]{re.escape(name)}(?!\w)"]


#: Complaints of the linter that are about the cause without naming the object.
RULES: Mapping[str, Sequence[str]] = {"trap: label": ("ENUM value added",)}
#: Rules of the linter that are about locks and not about downs: neither right nor wrong here.
BESIDE = ("MRT407 INDEX without CONCURRENTLY",)
