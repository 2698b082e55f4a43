"""The verdicts of a mutation run: who killed each mutant, which survived, and the score.

A mutant is one object of the schema, dropped or weakened on a copy. It is killed when something of the project
that holds on the schema as it is no longer holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from dbtrust.model.engine import Engine
from dbtrust.model.location import NOWHERE, Location
from dbtrust.model.mutants import Mutant
from dbtrust.model.report import Outcome, Verdict

CHECK = "schema.mutation"
Fate = Literal["killed", "survived", "equivalent", "unproved"]
_WRITE = "--write-proofs FILE writes it"


class Refused(Exception):
    """The server does not make the mutant: no such schema can be."""


class NoEffect(Exception):
    """The server made the change and the object is as it was."""


@dataclass(frozen=True, slots=True)
class Ready:
    """What would kill a survivor: the text of a proof, or a claim line to put at a query (`at` is its subject).

    `text` was run on both schemas: it holds on the first and not on the mutant; "" where nothing was found.
    """

    name: str = ""
    text: str = ""
    claim: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one mutant. `by` names the killer, or says why it is equivalent or undecided."""

    mutant: Mutant
    fate: Fate
    by: str = ""
    ready: Ready = Ready()
    reason: str = ""


def verdicts(results: Iterable[Result], locations: dict[str, Location]) -> list[Verdict]:
    """One verdict for each object; `locations` maps a subject to where it is declared."""
    ordered = sorted(results, key=lambda r: (r.mutant.engine, r.mutant.subject))
    return [
        _verdict(engine, subject, list(group), locations.get(subject, NOWHERE))
        for (engine, subject), group in groupby(ordered, key=lambda r: (r.mutant.engine, r.mutant.subject))
    ]


def _verdict(engine: Engine, subject: str, results: Sequence[Result], location: Location) -> Verdict:
    survived = [r for r in results if r.fate == "survived"]
    undecided = [r for r in results if r.fate == "unproved"]
    killed = [r for r in results if r.fate == "killed"]
    if survived:
        outcome: Outcome = "refuted"
        message = f"nothing notices: {'; '.join(r.mutant.what for r in survived)}"
    elif undecided:
        outcome, message = "unproved", f"{undecided[0].mutant.what}: {undecided[0].by}"
    elif killed:
        outcome, message = (
            "holds",
            f"{len(killed)} of {len(killed)} mutants killed, the first by {killed[0].by}",
        )
    else:
        outcome, message = "not_applicable", f"{results[0].mutant.what}: {results[0].by}"
    return Verdict(
        CHECK, engine, subject, outcome, message, reason=undecided[0].reason if outcome == "unproved" else "",
        next=_next(survived, undecided), evidence=_evidence(results), location=location,
    )  # fmt: skip


def _next(survived: Sequence[Result], undecided: Sequence[Result]) -> str:
    ready = [r.ready for r in survived if r.ready.text or r.ready.claim]
    if not survived:
        return "mend what does not hold on the schema as it is" if undecided else ""
    if not ready:
        return "no proof was found that tells the two apart: write a test that does"
    first = ready[0]
    if first.claim:
        return f"add the claim `{first.claim}` to {first.at}"
    more = f" and {len(ready) - 1} more" if len(ready) > 1 else ""
    return f"add this proof{more} ({_WRITE}): {_short(first.text)}"


def _short(text: str) -> str:
    """A proof on one line: its claim and its statements, or the Python as it is."""
    lines = [
        line for line in text.splitlines() if not line.startswith("-- ") or line.startswith("-- claim: ")
    ]
    return " ".join(" ".join(lines).removeprefix("-- claim: ").split())


def _evidence(results: Sequence[Result]) -> dict[str, Any]:
    counted = [r for r in results if r.fate in ("killed", "survived")]
    killed = sum(r.fate == "killed" for r in counted)
    return {"score": f"{killed} of {len(counted)}", "mutants": [_told(r) for r in results]}


def _told(result: Result) -> dict[str, Any]:
    told: dict[str, Any] = {
        "mutant": result.mutant.what, "operator": result.mutant.operator, "outcome": result.fate, "by": result.by,
    }  # fmt: skip
    if result.ready.text:
        told["proof"] = {"name": result.ready.name, "text": result.ready.text}
    if result.ready.claim:
        told["claim"] = {"query": result.ready.at, "text": result.ready.claim}
    return told


def score(
    results: Sequence[Result], engine: Engine | None, subject: str, location: Location, notes: Sequence[str]
) -> Verdict:
    """The verdict of the whole run: "mutation score 41 of 45 (91%)". `notes` say what could not take part."""
    count = {
        fate: sum(r.fate == fate for r in results)
        for fate in ("killed", "survived", "equivalent", "unproved")
    }
    judged = count["killed"] + count["survived"]
    told = f"mutation score {count['killed']} of {judged} ({100 * count['killed'] // max(1, judged)}%)"
    told += f", {count['unproved']} undecided" if count["unproved"] else ""
    told += f", {count['equivalent']} equivalent and not counted" if count["equivalent"] else ""
    outcome: Outcome = (
        "refuted" if count["survived"] else "unproved" if count["unproved"] or notes else "holds"
    )
    outcome = outcome if results or notes else "not_applicable"
    message = "; ".join([told if results else "there is nothing to mutate", *notes])
    undecided = next((r.reason for r in results if r.fate == "unproved"), "undecided")
    return Verdict(
        CHECK, engine, subject, outcome, message, reason=undecided if outcome == "unproved" else "",
        next="see the survivors: each names what would kill it" if count["survived"] else "",
        evidence={**count, "operators": _operators(results)}, location=location,
    )  # fmt: skip


def _operators(results: Sequence[Result]) -> dict[str, str]:
    """Operator -> "killed of judged"."""
    found: dict[str, str] = {}
    for operator in sorted({r.mutant.operator for r in results}):
        counted = [r for r in results if r.mutant.operator == operator and r.fate in ("killed", "survived")]
        found[operator] = f"{sum(r.fate == 'killed' for r in counted)} of {len(counted)}"
    return found


def proofs_of(verdicts: Iterable[Verdict], engine: Engine) -> str:
    """The ready proofs of one engine's survivors, as a .sql file or as a Python module; each body once."""
    mine = [v for v in verdicts if v.check == CHECK and v.engine == engine]
    texts: dict[str, str] = {}
    for told in (told for verdict in mine for told in verdict.evidence.get("mutants", ())):
        if "proof" in told:
            body = told["proof"]["text"].replace(told["proof"]["name"], "").replace(told["mutant"], "")
            texts.setdefault(body, _or_claim(told, engine) + told["proof"]["text"])
    header, between = (_SQL_HEADER, "\n") if engine == "postgres" else (MONGO_HEADER, "\n\n")
    return between.join([header, *texts.values()])


def _or_claim(told: dict[str, Any], engine: Engine) -> str:
    """A comment that names the claim which would kill the mutant as well."""
    if "claim" not in told:
        return ""
    mark = "--" if engine == "postgres" else "#"
    return f"{mark} Or the claim `{told['claim']['text']}` at {told['claim']['query']}.\n"


_SQL_HEADER = "-- Proofs that kill mutants of the schema, written by dbtrust\n"
#: What stands above the functions of a module of MongoDB proofs.
MONGO_HEADER = '''"""Proofs that kill mutants of the schema, written by dbtrust."""

import datetime
from typing import Any

from bson import Binary, Code, Decimal128, Int64, ObjectId, Regex, Timestamp
from pymongo.database import Database

from dbtrust import proof

__all__ = ["Binary", "Code", "Decimal128", "Int64", "ObjectId", "Regex", "Timestamp", "datetime"]
'''
