"""Why a claim over a PostgreSQL query holds or not: the other plan, what parts them, and what would change the choice."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace

import psycopg

from dbtrust.claims.cases import Parsed
from dbtrust.claims.postgres import judge_claims
from dbtrust.claims.why_changes import Problem, claimed_tables, judge_all, try_changes, try_vacuum
from dbtrust.claims.why_effects import summary
from dbtrust.claims.why_lab import Asked, Lab, asked_of, needs_execution
from dbtrust.claims.why_rows import Bounds, Seen, search_rows
from dbtrust.claims.why_search import Search, search, unpenalized, without
from dbtrust.engine.postgres import whatif
from dbtrust.engine.postgres.describe import describe as describe_statement
from dbtrust.engine.postgres.describe import sent_types
from dbtrust.engine.postgres.errors import describe
from dbtrust.judge.align import align
from dbtrust.judge.claims import Judged, Names, beside
from dbtrust.judge.grammar import Claim
from dbtrust.judge.statements import explainable
from dbtrust.model.errors import DbtrustError, ServerError
from dbtrust.model.plan import Plan
from dbtrust.model.progress import Progress
from dbtrust.model.report import Verdict
from dbtrust.model.why import Alternative, Change, Explanation
from dbtrust.model.words import nearest
from dbtrust.source.project import Project
from dbtrust.stage.postgres import PostgresStage
from dbtrust.stage.scale import generator_of
from dbtrust.stage.scale_postgres import scaled_postgres


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked of one query on one stage; `claims` are those to explain."""

    project: Project
    stage: PostgresStage
    item: Parsed
    claims: Sequence[Claim]
    names: Names
    bounds: Bounds
    progress: Progress


def explain_claims(case: Case, *, only_refuted: bool) -> list[Explanation]:
    """One explanation for each claim that is asked for: with `only_refuted` those that fail, or all if none does."""
    item = replace(case.item, claims=tuple(c for c in case.item.claims if c.at is None))
    verdicts = judge_claims(case.stage, [item], case.names, case.progress, generic=False)
    case.item.cases = item.cases
    by_place = {v.location: v for v in verdicts}
    held = [c for c in item.claims if by_place[c.location].verdict == "holds"]
    claims = list(case.claims)
    if only_refuted:
        claims = [c for c in claims if c.at is not None or _fails(by_place[c.location])] or claims
    found = [_explain(case, claim, _plain(claim, by_place.get(claim.location)), held) for claim in claims]
    failing = [e for e in found if e.verdict != "holds"] if only_refuted else []
    return failing or found


def _plain(claim: Claim, verdict: Verdict | None) -> Explanation:
    """The verdict alone; a claim at a number of rows has its own made from that many."""
    if verdict is None:
        return Explanation(claim.text, "unproved", "it was not judged")
    return Explanation(claim.text, verdict.verdict, verdict.message, next=verdict.next)


def _fails(verdict: Verdict) -> bool:
    return verdict.verdict == "refuted" or verdict.reason == "undecided"


def _explain(case: Case, claim: Claim, plain: Explanation, held: Sequence[Claim]) -> Explanation:
    case.progress(f"explaining: {claim.text}")
    if case.bounds.over():
        return replace(plain, notes=(*plain.notes, _ENDED.format(case.bounds.seconds)))
    asked = asked_of(case.item)
    if case.stage.data is None or not asked or not explainable(case.item.query.sql):
        return plain
    try:
        with ExitStack() as stack:
            name = stack.enter_context(_database(case, claim))
            lab = stack.enter_context(Lab(case.stage, name, case.names, case.bounds.over))
            return _in_lab(case, lab, claim, plain, held, asked)
    except psycopg.Error as error:
        if _lost(error):
            message = f"the connection to the server was lost: {describe(error)}"
            raise ServerError(message, next="look at the server's log and run again") from error
        return replace(plain, notes=(f"the server refused: {describe(error)}",))
    except ServerError:
        raise
    except DbtrustError as error:
        return _unbuilt(plain, error)


def _lost(error: psycopg.Error) -> bool:
    """Is the server gone? What the server itself says of a statement has a code of another class."""
    state = error.sqlstate or ""
    gone = not state or state.startswith(("08", "57P"))
    return isinstance(error, psycopg.OperationalError) and gone


def _unbuilt(plain: Explanation, error: DbtrustError) -> Explanation:
    """A number of rows that could not be made."""
    return replace(plain, verdict="unproved", message=error.message, next=error.next)


def _database(case: Case, claim: Claim) -> AbstractContextManager[str]:
    """A copy of the data, with as many rows as the claim says."""
    assert case.stage.data is not None
    if claim.at is None:
        return case.stage.copy(case.stage.data)
    rows, relation = claim.at
    found = generator_of(case.project, "postgres", relation.name, relation.schema)
    if found is None:
        raise DbtrustError(f"no generator makes rows of {relation}", next=f"add [data.{relation}]")
    return scaled_postgres(case.project, case.stage, {found.name: rows}, case.progress)


def _in_lab(
    case: Case, lab: Lab, claim: Claim, plain: Explanation, held: Sequence[Claim], asked: Sequence[Asked]
) -> Explanation:
    results = judge_all(lab, claim, asked)
    main, judged = min(results, key=lambda r: _ORDER[r[1].outcome])
    chosen = lab.plan(main, warm=True)
    verdict = plain.verdict if claim.at is None else judged.outcome
    message = plain.message if claim.at is None else judged.message
    shown = replace(plain, verdict=verdict, message=message, example=main.label, chosen=chosen)
    if judged.reason == "missing_object":
        return _missing(lab, claim, shown, chosen, case.names)
    if claim.kind == "faster":
        return _without_index(lab, claim, shown, main)
    if judged.outcome == "refuted":
        return _refuted(case, lab, claim, shown, held, asked, main)
    if judged.outcome == "holds" and verdict == "holds":
        return _held(case, lab, claim, shown, main)
    if verdict == "unproved" and plain.verdict == "unproved" and judged.outcome == "holds":
        note = "with today's sample of the statistics the claim holds; with another one it does not"
        return _held(case, lab, claim, replace(shown, notes=(note,)), main)
    return shown


_ORDER = {"refuted": 0, "unproved": 1, "not_applicable": 2, "holds": 3}


def _missing(lab: Lab, claim: Claim, shown: Explanation, chosen: Plan, names: Names) -> Explanation:
    """A name that does not exist: the claim with the nearest one, judged."""
    if claim.index is None or any(n == claim.index.name for _, n in names.indexes):
        return shown
    close = nearest(claim.index.name, sorted({n for _, n in names.indexes}))
    if close is None:
        return shown
    judged = lab.judge(replace(claim, index=replace(claim.index, name=close)), chosen)
    text = claim.text.replace(str(claim.index), close, 1)
    effect = "flips" if judged.outcome == "holds" else "no"
    change = Change("claim", f"claim: {text}", effect, judged.message)
    return replace(shown, changes=(change,))


def _without_index(lab: Lab, claim: Claim, shown: Explanation, main: Asked) -> Explanation:
    """A claim about a gain: the plan beside the one without the index."""
    assert claim.index is not None and shown.chosen is not None
    found = [i for t in lab.relation_tables([shown.chosen]) for i in t.indexes if i.name == claim.index.name]
    if not found or (found[0].backs and not lab.superuser):
        return replace(shown, notes=("the plan without the index needs a superuser",) if found else ())
    with lab.changed(hidden=[found[0]]):
        other = lab.plan(main, warm=True)
    return _beside(shown, other, (f"without index {claim.index.name}",), satisfies=False)


def _beside(shown: Explanation, other: Plan, forced_by: Sequence[str], *, satisfies: bool) -> Explanation:
    assert shown.chosen is not None
    alignment = align(shown.chosen, other)
    return replace(
        shown, other=Alternative(other, tuple(forced_by), satisfies), pairs=alignment.pairs,
        parting=alignment.parting,
    )  # fmt: skip


def _held(case: Case, lab: Lab, claim: Claim, shown: Explanation, main: Asked) -> Explanation:
    """By how much it holds: the cheapest plan that the claim would refuse."""
    assert shown.chosen is not None
    tables = lab.relation_tables([shown.chosen])
    seen = search(
        lab, main, lambda plan: lab.judge(claim, plan).outcome == "refuted", tables,
        executed=needs_execution(claim),
    )  # fmt: skip
    if seen.best is None:
        ended = f", ended by the {case.bounds.seconds:g} seconds of the run" if lab.over() else ""
        note = (
            f"no other plan that refutes it was found, taking away up to 4 things ({seen.tried} tries{ended})"
        )
        return replace(shown, notes=(*shown.notes, note))
    with without(lab, seen.best[1]):
        other = _measured(lab, main, seen.best[0])
    return _beside(shown, other, [move.label for move in seen.best[1]], satisfies=False)


def _measured(lab: Lab, main: Asked, planned: Plan) -> Plan:
    """The same plan executed with warm caches; as planned where that fails."""
    try:
        return unpenalized(lab.plan(main, warm=True))
    except psycopg.Error:
        if lab.connection.closed:
            raise
        return planned


def _refuted(
    case: Case, lab: Lab, claim: Claim, shown: Explanation, held: Sequence[Claim], asked: Sequence[Asked], main: Asked
) -> Explanation:  # fmt: skip
    assert shown.chosen is not None
    tables = lab.relation_tables([shown.chosen])
    spare = claim.index.name if claim.index else ""
    seen = search(
        lab, main, lambda plan: lab.judge(claim, plan).outcome == "holds", tables,
        executed=needs_execution(claim), spare=spare,
    )  # fmt: skip
    if seen.best is not None:
        with without(lab, seen.best[1]):
            other = _measured(lab, main, seen.best[0])
        shown = _beside(shown, other, [move.label for move in seen.best[1]], satisfies=True)
    problem = _problem(case, lab, claim, shown, held, asked, main, seen)
    changes = [*_vacuumed(case, problem), *try_changes(problem)]
    rows = _rows(case, problem)
    impossible = _impossible(claim, problem.chosen, seen, changes)
    found = seen.best is not None or bool(impossible)
    notes = [*shown.notes, *([] if lab.superuser else [_NOT_HIDDEN])]
    notes += [] if found else [_not_found(seen, changes)]
    notes += [_ENDED.format(case.bounds.seconds)] if lab.over() else []
    return replace(shown, changes=(*changes, *rows), impossible=impossible, notes=tuple(notes))


_ENDED = "the {:g} seconds of the run were over: what had not been begun by then was not tried (--seconds)"


def _not_found(seen: Search, changes: Sequence[Change]) -> str:
    """How much was tried in vain: no proof that there is no such plan."""
    taken = f"taking away what the plans use ({seen.tried} tries)"
    possible = [c for c in changes if c.effect in ("flips", "partly")]
    made = "" if possible else f" nor by any of the {len(changes)} changes that were tried"
    return (
        f"no plan that meets the claim was found by {taken}{made}; another change may still make one possible"
    )


_NOT_HIDDEN = "the role is no superuser, so plans were forced by settings alone and no index was hidden from the planner"


def _problem(
    case: Case, lab: Lab, claim: Claim, shown: Explanation, held: Sequence[Claim], asked: Sequence[Asked], main: Asked,
    seen: Search,
) -> Problem:  # fmt: skip
    assert shown.chosen is not None
    plans = [shown.chosen, *seen.plans]
    return Problem(
        lab, claim, main, asked, beside(claim, held), shown.chosen, plans,
        lab.relation_tables(plans), _used(lab, main), seen.best is not None, case.progress,
    )  # fmt: skip


def _used(lab: Lab, main: Asked) -> dict[tuple[str, str], list[str]]:
    """The columns that the statement names, as far as the server can tell."""
    try:
        types = sent_types(lab.connection, main.values)
        described = describe_statement(lab.connection, main.bound.text, types)
    except psycopg.Error:
        return {}
    return whatif.used_columns(lab.connection, main.bound.text, described.parameter_names) or {}


def _vacuumed(case: Case, problem: Problem) -> list[Change]:
    if (
        problem.claim.at is not None
        or not any(n.heap_fetches for n in problem.chosen.nodes)
        or problem.lab.over()
    ):
        return []
    assert case.stage.data is not None
    with case.stage.copy(case.stage.data) as name, Lab(case.stage, name, case.names, case.bounds.over) as lab:
        return try_vacuum(lab, problem)


def _impossible(claim: Claim, chosen: Plan, seen: Search, changes: Sequence[Change]) -> tuple[str, ...]:
    """Why no plan that meets the claim can be had, as far as a change proved it."""
    if seen.best is not None:
        return ()
    if claim.kind == "cost":
        costs = [float(plan.totals.get("cost") or 0) for plan in seen.plans[1:]]
        cheapest = f"; the cheapest of {len(costs)} others costs {min(costs):,.2f}" if costs else ""
        return (f"the planner already takes its cheapest plan, {chosen.totals.get('cost'):,.2f}{cheapest}",)
    proving = sorted((c for c in changes if c.proves), key=lambda c: (c.kind != "cast", c.effect != "flips"))
    if proving:
        return (proving[0].proves,)
    return ()


def _rows(case: Case, problem: Problem) -> list[Change]:
    """The number of rows at which the claim turns, for the first relation that a generator fills."""
    claim = problem.claim
    possible = problem.reachable or claim.kind in ("cost", "examines", "reads")
    if claim.at is not None or case.bounds.builds <= 0 or not possible:
        return []
    for table in claimed_tables(problem):
        found = generator_of(case.project, "postgres", table.name, table.schema)
        if found is not None:
            return [_rows_of(case, problem, found.name, found.rows)]
    return []


def _rows_of(case: Case, problem: Problem, relation: str, rows: int) -> Change:
    def at(number: int) -> Seen:
        with (
            scaled_postgres(case.project, case.stage, {relation: number}, case.progress) as name,
            Lab(case.stage, name, case.names) as lab,
        ):
            try:
                results = judge_all(lab, problem.claim, problem.asked)
            except psycopg.Error as error:
                if lab.connection.closed:
                    raise
                raise DbtrustError(f"at {number:,} rows: {describe(error)}") from error
        effect, message = summary(results)
        return Seen(number, effect == "flips", message)

    return search_rows(relation, Seen(rows, False, _first(problem)), at, case.bounds, case.progress)


def _first(problem: Problem) -> str:
    judged: Judged = problem.lab.judge(problem.claim, problem.chosen)
    return judged.message
