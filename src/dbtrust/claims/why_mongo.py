"""Why a claim over a MongoDB method holds or not: the plan that a hint gives, and the index that would change the choice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import pymongo.errors
from pymongo.database import Database

from dbtrust.claims.mongo import ParsedMethod, Ran, judge_claims
from dbtrust.claims.why_effects import summary
from dbtrust.claims.why_rows import Bounds, Seen, search_rows
from dbtrust.engine.mongo.errors import describe
from dbtrust.engine.mongo.explain import explain, statements
from dbtrust.engine.mongo.hiding import collections_with, hidden
from dbtrust.engine.mongo.whatif import (
    NATURAL,
    Tried,
    as_json,
    collection_of,
    hinted,
    index_changed,
    index_specs,
    planned,
)
from dbtrust.judge.align import align
from dbtrust.judge.claims import Judged, Names, beside, judge_commands
from dbtrust.judge.grammar import Claim, Name
from dbtrust.judge.mongo_index_changes import MongoIndexChange, asked, mongo_index_changes
from dbtrust.model.errors import DbtrustError, ServerError
from dbtrust.model.plan import Plan
from dbtrust.model.progress import Progress
from dbtrust.model.why import Alternative, Change, Effect, Explanation
from dbtrust.model.words import nearest
from dbtrust.source.objects import MongoMethod
from dbtrust.source.project import Project
from dbtrust.stage.mongo import MongoStage, Scratch
from dbtrust.stage.scale import generator_of
from dbtrust.stage.scale_mongo import scaled_mongo

Document = Mapping[str, Any]
_MOST_INDEXES = 12


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked of one method on one stage; `claims` are those to explain, `every` all that it makes."""

    project: Project
    stage: MongoStage
    scratch: Scratch
    method: MongoMethod
    every: Sequence[Claim]
    claims: Sequence[Claim]
    names: Names
    bounds: Bounds
    progress: Progress


@dataclass(frozen=True, slots=True)
class _Problem:
    """One claim on a database that may be changed: `command` decided in the example `main`."""

    case: Case
    db: Database[Any]
    claim: Claim
    runs: Sequence[Ran]
    held: Sequence[Claim]
    command: Document
    tried: Tried

    @property
    def collection(self) -> str:
        return collection_of(self.command)


def explain_claims(case: Case, *, only_refuted: bool) -> list[Explanation]:
    """One explanation for each claim that is asked for: with `only_refuted` those that fail, or all if none does."""
    item = ParsedMethod(case.method, tuple(c for c in case.every if c.at is None))
    verdicts = judge_claims(case.stage, case.scratch, [item], case.names, case.progress)
    by_text = {v.claim: v for v in verdicts}
    claims = list(case.claims)
    if only_refuted:
        claims = [c for c in claims if c.at is not None or by_text[c.text].verdict == "refuted"] or claims
    held = [c for c in item.claims if by_text[c.text].verdict == "holds"]
    found: list[Explanation] = []
    for claim in claims:
        plain = Explanation(claim.text, "unproved", "it was not judged")
        if (verdict := by_text.get(claim.text)) is not None:
            plain = Explanation(claim.text, verdict.verdict, verdict.message, next=verdict.next)
        found.append(_explain(case, claim, plain, held, item.ran))
    failing = [e for e in found if e.verdict != "holds"] if only_refuted else []
    return failing or found


def _explain(
    case: Case, claim: Claim, plain: Explanation, held: Sequence[Claim], runs: Sequence[Ran]
) -> Explanation:
    case.progress(f"explaining: {claim.text}")
    if not any(c.explainable for run in runs for c in run.commands):
        return plain
    try:
        with ExitStack() as stack:
            db = _database(case, claim, stack)
            return _on(case, db, claim, plain, beside(claim, held), runs)
    except pymongo.errors.ConnectionFailure as error:
        step = "look at the server's log and run again"
        raise ServerError(f"the connection to the server was lost: {describe(error)}", next=step) from error
    except pymongo.errors.PyMongoError as error:
        return replace(plain, notes=(f"the server refused: {describe(error)}",))
    except ServerError:
        raise
    except DbtrustError as error:
        return replace(plain, verdict="unproved", message=error.message, next=error.next)


def _database(case: Case, claim: Claim, stack: ExitStack) -> Database[Any]:
    """A copy of the data that may be changed, with as many documents as the claim says."""
    if claim.at is None:
        return case.scratch.database()
    rows, relation = claim.at
    found = generator_of(case.project, "mongo", relation.name)
    if found is None:
        raise DbtrustError(f"no generator makes documents of {relation}", next=f"add [data.{relation}]")
    return stack.enter_context(scaled_mongo(case.project, case.stage, {found.name: rows}, case.progress))


def _on(
    case: Case, db: Database[Any], claim: Claim, plain: Explanation, held: Sequence[Claim], runs: Sequence[Ran]
) -> Explanation:  # fmt: skip
    results = [(run, _judged(db, claim, run, case.names)) for run in runs]
    main, judged = min(results, key=lambda r: _ORDER[r[1].outcome])
    command = _deciding(db, claim, main, case.names)
    problem = _Problem(case, db, claim, runs, held, command, planned(db, command))
    verdict, message = (judged.outcome, judged.message) if claim.at else (plain.verdict, plain.message)
    shown = replace(
        plain, verdict=verdict, message=message, example=main.label, chosen=problem.tried.plan,
        chosen_works=problem.tried.works, rejected=problem.tried.rejected,
    )  # fmt: skip
    if judged.reason == "missing_object":
        return _missing(problem, shown, main)
    if claim.kind == "faster":
        return _without_index(problem, shown)
    if verdict == "refuted":
        return _refuted(problem, shown)
    return _held(problem, shown) if verdict == "holds" else shown


_ORDER = {"refuted": 0, "unproved": 1, "not_applicable": 2, "holds": 3}


def _judged(db: Database[Any], claim: Claim, run: Ran, names: Names) -> Judged:
    """The claim over the commands of one example on this database."""
    plans = [plan for c in run.commands if c.explainable for plan in explain(db, c.command)]
    return judge_commands(replace(claim, at=None), plans, names)


def _deciding(db: Database[Any], claim: Claim, run: Ran, names: Names) -> Document:
    """The command that the verdict hangs on, with one statement: the one that fails, for `uses` the first on the
    claim's relation.
    """
    commands: list[Document] = [one for c in run.commands if c.explainable for one in statements(c.command)]
    if claim.kind != "uses":
        bare = replace(claim, at=None)
        for command in commands:
            if judge_commands(bare, explain(db, command), names).outcome == "refuted":
                return command
    wanted = claim.relation.name if claim.relation else None
    return next((c for c in commands if collection_of(c) == wanted), commands[0])


def _missing(problem: _Problem, shown: Explanation, main: Ran) -> Explanation:
    """A name that does not exist: the claim with the nearest one, judged."""
    claim, known = problem.claim, sorted({n for _, n in problem.case.names.indexes})
    close = nearest(claim.index.name, known) if claim.index is not None else None
    if claim.index is None or close is None or claim.index.name in known:
        return shown
    judged = _judged(problem.db, replace(claim, index=Name(close)), main, problem.case.names)
    text = claim.text.replace(str(claim.index), close, 1)
    effect = "flips" if judged.outcome == "holds" else "no"
    return replace(shown, changes=(Change("claim", f"claim: {text}", effect, judged.message),))


def _without_index(problem: _Problem, shown: Explanation) -> Explanation:
    """A claim about a gain: the plan beside the one without the index."""
    assert problem.claim.index is not None
    name = problem.claim.index.name
    with hidden(problem.db, collections_with(problem.db, name, [problem.command]), name):
        other = planned(problem.db, problem.command)
    return _beside(shown, f"without index {name}", other, satisfies=False)


def _hints(problem: _Problem, *, natural: bool) -> Iterator[tuple[str, Tried]]:
    """The plan with each index of the collection as a hint, and with none.

    A partial or sparse index that the server does not consider on its own would lose documents, hinted or not. A whole
    index whose first key the command does not ask for, instead of the whole collection, is nobody's plan.
    """
    wanted = asked(problem.command, problem.tried.plan)
    fields = {*wanted.equal, *wanted.ranges, *dict(wanted.order), *(wanted.needed or ())}
    named = problem.claim.index.name if problem.claim.index is not None else None
    considered = (problem.tried.plan, *problem.tried.rejected)
    own = {node.index for plan in considered for node in plan.nodes}
    for spec in index_specs(problem.db, problem.collection):
        if spec["name"] not in (named, *own) and not _asked_for(str(next(iter(spec["key"]))), fields):
            continue
        if spec["name"] in own or not (spec.get("partialFilterExpression") or spec.get("sparse")):
            yield f"hint {spec['name']}", planned(problem.db, hinted(problem.command, str(spec["name"])))
    if natural:
        yield "hint $natural", planned(problem.db, hinted(problem.command, NATURAL))


def _asked_for(path: str, fields: Set[str]) -> bool:
    """Is an index's first key one of the fields? A wildcard is all below its path."""
    below = path.removesuffix("$**")
    return path in fields or (below != path and any(f"{field}.".startswith(below) for field in fields))


def _outcome(problem: _Problem, plan: Plan) -> str:
    bare = replace(problem.claim, at=None)
    return judge_commands(bare, [plan], problem.case.names).outcome


def _work(tried: Tried) -> float:
    """What a plan did, for comparing: units of work, else what it read."""
    totals = tried.plan.totals
    read = float(totals.get("keys") or 0) + float(totals.get("documents") or 0)
    return tried.works if tried.works is not None else read


def _beside(shown: Explanation, label: str, tried: Tried, *, satisfies: bool) -> Explanation:
    assert shown.chosen is not None
    alignment = align(shown.chosen, tried.plan)
    other = Alternative(tried.plan, (label,), satisfies, tried.works)
    return replace(shown, other=other, pairs=alignment.pairs, parting=alignment.parting)


def _held(problem: _Problem, shown: Explanation) -> Explanation:
    """By how much it holds: the plan with the least work that the claim would refuse."""
    others = [(h, t) for h, t in _hints(problem, natural=True) if _outcome(problem, t.plan) == "refuted"]
    if not others:
        return replace(shown, notes=("with no hint does the server make a plan that refutes it",))
    label, tried = min(others, key=lambda item: _work(item[1]))
    return _beside(shown, label, tried, satisfies=False)


def _refuted(problem: _Problem, shown: Explanation) -> Explanation:
    seen = list(_hints(problem, natural=False))
    good = [(h, t) for h, t in seen if _outcome(problem, t.plan) == "holds"]
    if good:
        label, tried = min(good, key=lambda item: _work(item[1]))
        shown = _beside(shown, label, tried, satisfies=True)
    changes = _try_changes(problem, reachable=bool(good))
    rows = _rows(problem) if good or problem.claim.kind == "examines" else []
    return replace(shown, changes=(*changes, *rows), impossible=_impossible(seen, good, changes))


def _impossible(
    seen: Sequence[tuple[str, Tried]], good: Sequence[object], changes: Sequence[Change]
) -> tuple[str, ...]:
    if good:
        return ()
    refused = [f"{h}: {', '.join(t.plan.unknown)}" for h, t in seen if t.plan.unknown]
    proving = sorted((c for c in changes if c.proves), key=lambda c: c.effect != "flips")
    if proving:
        return (proving[0].proves,)
    tried = f"no hint gives such a plan ({len(seen)} indexes), and none of {len(changes)} changes makes it possible"
    return (tried, *refused[:3])


def _try_changes(problem: _Problem, *, reachable: bool) -> list[Change]:
    """Each index change made on the copy; a larger one than needed is not tried."""
    specs = index_specs(problem.db, problem.collection)
    wanted = asked(problem.command, problem.tried.plan)
    claim = problem.claim
    if claim.kind in ("id_lookup", "express"):  # no other index gives either
        return []
    whole = [s for s in specs if not s.get("partialFilterExpression")]
    bases = [s for s in specs if s["name"] == claim.index.name] if claim.index else whole
    found: list[Change] = []
    size = 0
    for change in mongo_index_changes(wanted, specs, bases, new=claim.index is None)[:_MOST_INDEXES]:
        if change.size > size and any(c.effect == "flips" and not c.breaks for c in found):
            break
        size = change.size
        found.append(_try(problem, change, reachable))
    return found


def _try(problem: _Problem, change: MongoIndexChange, reachable: bool) -> Change:
    statement = f"db.{problem.collection}.createIndex({as_json(change.spec['key'])}, {as_json(_options(change.spec))})"
    statements = (statement,)
    if change.replaced is not None:
        statements = (f'db.{problem.collection}.dropIndex("{change.replaced["name"]}")', statement)
    claim, names = problem.claim, problem.case.names
    if claim.index is not None:
        claim = replace(claim, index=Name(str(change.spec["name"])))
        names = replace(names, indexes=names.indexes | {("", str(change.spec["name"]))})
    try:
        with index_changed(problem.db, problem.collection, change.spec, change.replaced):
            effect, message = _effect(problem, claim, names)
            plan = planned(problem.db, problem.command)
            proven = not reachable and (effect == "flips" or _hint_holds(problem, claim, names, change))
            broken = [
                c.text for c in problem.held if effect == "flips" and _effect(problem, c, names)[0] != "flips"
            ]
    except pymongo.errors.OperationFailure as error:
        return Change("index", change.title, "failed", describe(error), statements)
    return Change(
        "index", change.title, effect, message, statements, None, change.reason if proven else "", tuple(broken),
        plan.plan if effect == "flips" else None,
    )  # fmt: skip


def _options(spec: Document) -> Document:
    return {key: value for key, value in spec.items() if key not in ("key", "v", "ns")}


def _hint_holds(problem: _Problem, claim: Claim, names: Names, change: MongoIndexChange) -> bool:
    """Does the changed index give such a plan where it is hinted?"""
    if change.spec.get("partialFilterExpression") or change.spec.get("sparse"):
        return False
    tried = planned(problem.db, hinted(problem.command, str(change.spec["name"])))
    return judge_commands(replace(claim, at=None), [tried.plan], names).outcome == "holds"


def _effect(problem: _Problem, claim: Claim, names: Names) -> tuple[Effect, str]:
    """Does the claim hold in all examples, in some, in none, as the database is now?"""
    return summary([(run, _judged(problem.db, claim, run, names)) for run in problem.runs])


def _rows(problem: _Problem) -> list[Change]:
    """The number of documents at which the claim turns."""
    case = problem.case
    found = generator_of(case.project, "mongo", problem.collection)
    if found is None or problem.claim.at is not None or case.bounds.builds <= 0:
        return []

    def at(number: int) -> Seen:
        with scaled_mongo(case.project, case.stage, {found.name: number}, case.progress) as db:
            results = [(run, _judged(db, problem.claim, run, case.names)) for run in problem.runs]
        effect, message = summary(results)
        return Seen(number, effect == "flips", message)

    now = Seen(found.rows, False, _effect(problem, problem.claim, case.names)[1])
    return [search_rows(found.name, now, at, case.bounds, case.progress)]
