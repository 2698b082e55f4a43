"""What both engines' recorders share: claims of a text as read, and what is told of a recorded query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from dbtrust.judge.grammar import Claim, parse_claim
from dbtrust.model.engine import Engine
from dbtrust.model.errors import DbtrustError
from dbtrust.model.project import ClaimLine


def read_claims(lines: Iterable[ClaimLine], engine: Engine) -> tuple[Claim, ...]:
    """The claims that can be read; of one that somebody is still writing `check` tells."""
    found: list[Claim] = []
    for line in lines:
        with suppress(DbtrustError):
            found.append(parse_claim(line.text, engine, line.location))
    return tuple(found)


def told(
    engine: Engine, subject: str, claims: Sequence[str], examples: int, executions: int, was: Mapping[str, bool],
    kept: Iterable[str],
) -> dict[str, Any]:  # fmt: skip
    """One entry of `Drafted.queries`. `was`: the names that the file had before, and whether each was edited."""
    name = subject.rpartition(".")[2]
    state = "new" if name not in was else "changed"
    if name in set(kept):
        state = "edited by hand, kept" if was[name] else "kept"
    return {
        "engine": engine, "subject": subject, "state": state, "claims": list(claims), "examples": examples,
        "executions": executions,
    }  # fmt: skip
