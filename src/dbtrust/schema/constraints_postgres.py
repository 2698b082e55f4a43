"""schema.constraint and schema.trigger on PostgreSQL: every rule is broken on purpose, alone, on a copy without data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Any

import psycopg

from dbtrust.engine.postgres.attempts import DEFERRED, IMMEDIATE, attempt, cast, force_row_security
from dbtrust.engine.postgres.run import execute_composed
from dbtrust.engine.postgres.trial import whole
from dbtrust.engine.postgres.violators import count_violators
from dbtrust.judge.candidates import harvest
from dbtrust.judge.edges import constants
from dbtrust.judge.vacuous import never_false
from dbtrust.model.constraints import Constraint, Promises, RowSecurity, Table, Trigger
from dbtrust.model.facts import Relation
from dbtrust.model.location import Location
from dbtrust.model.report import Outcome, Verdict
from dbtrust.schema.breaking import CODES, Bench, Broken, Shown, names
from dbtrust.schema.breaking_rows import (
    as_value,
    check_rows,
    domain_values,
    null_insert,
    null_rows,
    orphan_rows,
    overlapping_rows,
    twin_rows,
    written_rows,
)
from dbtrust.schema.referenced import parent_side
from dbtrust.schema.row_security import judge_row_security
from dbtrust.schema.triggers_postgres import judge_trigger, on_a_view
from dbtrust.stage.ground import Ground, grounds, said
from dbtrust.stage.rows import Mode
from dbtrust.stage.solved import Made, SolvedRows
from dbtrust.stage.solver import Solver, Test

Connection = psycopg.Connection[Any]
Models = Mapping[int, Sequence[dict[str, str | None]]]
_ROWS: dict[str, Callable[[Bench, Constraint], Iterator[Broken]]] = {
    "check": check_rows, "not null": null_rows, "unique": twin_rows, "primary key": twin_rows,
    "unique index": twin_rows, "exclude": overlapping_rows, "foreign key": orphan_rows, "generated": written_rows,
    "identity": written_rows,
}  # fmt: skip


def judge_rules(
    connection: Connection,
    promises: Promises,
    *,
    declared: Promises | None = None,
    models: Models | None = None,
    data: Connection | None = None,
) -> list[Verdict]:
    """schema.constraint and schema.trigger of the connection's database, which is spoilt by it (a copy without data).

    `promises` are the rules that the connection's database has.
    `declared` are the rules that are meant to be there (those of the declared schema); None: those that are.
    `models` are rows of the project's data by table; `data` a database with them all, to count in. Raises psycopg.Error where the connection is lost.
    """
    rows = SolvedRows(
        connection, {oid: t.relation for oid, t in promises.tables.items()}, {}, Random(1), Mode({}, 0, 0),
        templates=models or {}, promises=promises,
    )  # fmt: skip
    wanted = defaultdict[int, list[Constraint]](list)
    verdicts: list[Verdict] = []
    for rule in _meant(promises, declared, verdicts):
        wanted[rule.relation].append(rule)
    verdicts += [_of_domain(connection, promises, rule) for rule in wanted.pop(0, [])]
    for security in promises.row_security:
        # The owner's own rows are to come in; the policies are judged by themselves.
        execute_composed(connection, force_row_security(security.schema, security.table, on=False))
    triggers = list(promises.triggers)
    for ground in grounds(rows):
        oid = ground.relation.oid
        bench = Bench(rows, ground, data)
        security = [s for s in promises.row_security if s.relation == oid]
        verdicts += _of_table(
            bench, wanted.pop(oid, []), [t for t in triggers if t.relation == oid], security
        )
    on_views = [t for t in triggers if t.relation not in promises.tables]
    return verdicts + [on_a_view(trigger) for trigger in on_views]


def _meant(promises: Promises, declared: Promises | None, verdicts: list[Verdict]) -> list[Constraint]:
    """The rules to break; what is declared and not there, or otherwise there, is refuted at once."""
    if declared is None:
        return list(promises.constraints)
    there = {(r.kind, r.schema, r.owner, r.name): r for r in promises.constraints}
    found: dict[tuple[str, str, str, str], Constraint] = dict(there)
    for rule in declared.constraints:
        key = (rule.kind, rule.schema, rule.owner, rule.name)
        live = there.get(key)
        if live is None or live.definition != rule.definition:
            what = f"the server has {live.definition}" if live else "the server does not have it"
            shown = Shown("refuted", f"declared as {rule.definition}, and {what}")
            verdicts.append(verdict_of(rule, shown, "write the migration that is missing"))
            found.pop(key, None)
    return list(found.values())


def verdict_of(rule: Constraint, shown: Shown, step: str = "", reason: str = "") -> Verdict:
    """`location` is left open: who calls knows the project's files."""
    outcome: Outcome = (
        "holds" if shown.outcome == "holds" else "refuted" if shown.outcome == "refuted" else "unproved"
    )
    evidence = {"table": rule.owner, "rule": rule.definition, **shown.evidence}
    if rule.kind in ("not null", "generated", "identity"):
        evidence["column"] = rule.columns[0]
    if outcome == "unproved":
        code = CODES[rule.kind][0]
        step = step or f"write a proof with -- claim: refused {code}{_by(rule)}"
        reason = reason or "undecided"
    elif outcome == "refuted":
        step = step or "see the rows in the evidence"
    return Verdict(
        "schema.constraint", "postgres", rule.subject, outcome, shown.message, reason=reason, next=step,
        evidence=evidence, location=Location(),
    )  # fmt: skip


def _by(rule: Constraint) -> str:
    if rule.kind in ("not null", "generated", "identity"):
        return f" on {rule.owner}.{rule.columns[0]}"
    return f" on {rule.owner}" if rule.kind == "domain not null" else f" by {rule.name}"


_MEND = {
    "it is NOT VALID": "ALTER TABLE … VALIDATE CONSTRAINT", "it is NOT ENFORCED": "ALTER TABLE … ALTER CONSTRAINT … ENFORCED",
    "its triggers": "ALTER TABLE … ENABLE TRIGGER ALL", "the index is": "REINDEX INDEX", "its index": "REINDEX INDEX",
}  # fmt: skip


def _of_table(
    bench: Bench, rules: Sequence[Constraint], triggers: Sequence[Trigger], security: Sequence[RowSecurity]
) -> list[Verdict]:
    """The verdicts of one table, in a transaction that is rolled back."""
    verdicts: list[Verdict] = []
    with bench.rows.connection.transaction(force_rollback=True), with_parents(bench):
        for rule in rules:
            if rule.broken:
                verdicts.append(_broken(bench, rule))
            elif rule.name in bench.ground.blocked:
                said_ = bench.ground.blocked[rule.name]
                verdicts.append(
                    verdict_of(rule, Shown("unproved", f"no row was found that it accepts: {said_}"))
                )
            elif bench.ground.values is None:
                why = f"no row of {rule.owner} was found that the server accepts: {bench.ground.why}"
                verdicts.append(verdict_of(rule, Shown("unproved", why)))
            else:
                verdicts.append(_proved(bench, rule))
        verdicts += [judge_trigger(bench, trigger) for trigger in triggers]
        verdicts += [_secured(bench, item) for item in security]
    return verdicts


def _broken(bench: Bench, rule: Constraint) -> Verdict:
    """A rule that the server does not keep for every row; with data, how many rows break it is counted."""
    step = next((s for start, s in _MEND.items() if rule.broken.startswith(start)), "")
    target = bench.rows.promises.tables.get(rule.target)
    count = count_violators(bench.data, rule, target.relation if target else None) if bench.data else None
    if count is None:
        return verdict_of(rule, Shown("refuted", rule.broken), step)
    evidence = {"rows that break it": count}
    return verdict_of(
        rule, Shown("refuted", f"{rule.broken} ({count} rows of the data break it)", evidence), step
    )


def _secured(bench: Bench, security: RowSecurity) -> Verdict:
    shown, step = judge_row_security(bench, security)
    outcome: Outcome = (
        "holds" if shown.outcome == "holds" else "refuted" if shown.outcome == "refuted" else "unproved"
    )
    return Verdict(
        "schema.constraint", "postgres", f"constraint:{security.label}", outcome, shown.message, next=step,
        reason="undecided" if outcome == "unproved" else "", evidence={"table": security.table, **shown.evidence},
    )  # fmt: skip


def _is_vacuous(relation: Relation, rule: Constraint, *, beside: bool = True) -> bool:
    """`beside`: with what the columns' own NOT NULL refuses left out."""
    tree = relation.checks.get(rule.name, ((), "", None))[2]
    not_null = frozenset(number for number, column in relation.columns.items() if column.not_null and beside)
    return tree is not None and never_false(tree, not_null)


def _vacuous_step(relation: Relation, rule: Constraint) -> str:
    if not _is_vacuous(relation, rule, beside=False):
        names = [c.name for c in relation.columns.values() if c.not_null and c.name in rule.columns]
        return f"drop it: NOT NULL of {', '.join(names)} refuses the same rows already"
    if "NULL::" in rule.text:
        return "say what it is to refuse (= NULL is always NULL: IS NULL)"
    return "say what it is to refuse, or drop it"


@contextmanager
def with_parents(bench: Bench) -> Generator[None]:
    """The rows that had to be made for the two of this table are there while it is judged."""
    rows, mark = bench.rows, bench.rows.mark()
    if bench.ground.parents:
        execute_composed(rows.connection, DEFERRED)
    for made in bench.ground.parents:
        execute_composed(rows.connection, made.statement)
        rows.there(made)
    if bench.ground.parents:
        # A table with pending checks cannot be altered; parents that wait for the row itself stay deferred.
        whole(rows.connection)
    try:
        yield
    finally:
        rows.undo(mark)


def _proved(bench: Bench, rule: Constraint) -> Verdict:
    shown = bench.tried(rule, _ROWS[rule.kind](bench, rule))
    if shown.outcome == "unproved" and rule.kind == "check" and _is_vacuous(bench.relation, rule):
        message = "it refuses nothing: for every row there can be it is true or NULL"
        return verdict_of(rule, Shown("refuted", message), _vacuous_step(bench.relation, rule))
    if shown.outcome == "holds":
        shown = _whole(bench, rule, shown)
    kept = "kept from it by" in shown.evidence
    return verdict_of(rule, shown, "drop the rule, or write a proof of what the trigger does" if kept else "")


def _whole(bench: Bench, rule: Constraint, shown: Shown) -> Shown:
    """What a kind promises beside the one refusal: NULL in a key, the parent's side, the deferral."""
    more: list[tuple[str, str]] = []
    if rule.kind == "primary key":
        more += _null_keys(bench, rule)
    if rule.kind == "foreign key":
        more += parent_side(bench, rule)
    if rule.deferrable:
        more += _deferred(bench, rule, shown)
    evidence = {**shown.evidence, **{f"also {place}": text for place, (_, text) in enumerate(more, 1)}}
    for outcome in ("refuted", "unproved"):
        for found, text in more:
            if found == outcome:
                return Shown(outcome, text, evidence)
    return replace(shown, evidence=evidence)


def _null_keys(bench: Bench, rule: Constraint) -> list[tuple[str, str]]:
    assert bench.ground.values is not None
    found: list[tuple[str, str]] = []
    for name in rule.columns:
        statement = null_insert(bench.relation, bench.ground.values, name)
        refused = attempt(bench.rows.connection, [statement, IMMEDIATE])
        lost = refused is not None and (refused.sqlstate, refused.constraint, bench.relation.kind) == (
            "23514",
            None,
            "p",
        )
        if refused is not None and (lost or (refused.sqlstate == "23502" and refused.column == name)):
            found.append(("holds", f"NULL in {name} is refused: {said(refused)}"))
        else:
            found.append(("unproved", f"NULL in {name}: {said(refused) if refused else 'accepted'}"))
    return found


def _deferred(bench: Bench, rule: Constraint, shown: Shown) -> list[tuple[str, str]]:
    """SET CONSTRAINTS … DEFERRED lets the row in, IMMEDIATE refuses it."""
    for item in _ROWS[rule.kind](bench, rule):
        refused = attempt(bench.rows.connection, item.statements)
        if refused is not None and names(rule, refused):
            let_in = attempt(bench.rows.connection, [DEFERRED, *item.setup, item.last])
            late = attempt(bench.rows.connection, [DEFERRED, *item.statements])
            if let_in is None and late is not None and names(rule, late):
                return [
                    (
                        "holds",
                        f"deferred, the row is accepted; SET CONSTRAINTS ALL IMMEDIATE refuses it: {said(late)}",
                    )
                ]
            return [("unproved", f"deferred: {said(let_in) if let_in else 'the row was accepted for good'}")]
    return []


def _of_domain(connection: Connection, promises: Promises, rule: Constraint) -> Verdict:
    """A value that the domain takes, and one that breaks the rule alone."""
    if rule.broken:
        return verdict_of(rule, Shown("refuted", rule.broken), "ALTER DOMAIN … VALIDATE CONSTRAINT")
    assert rule.value is not None
    relation = Relation(0, rule.schema, rule.owner, "r", {1: rule.value})
    texts = promises.domains.get(rule.domain, ())
    pool = [v for t in texts for v in (*harvest(f"SELECT {as_value(t)}").get("value", ()), *constants(t))]
    pool += [v for source in rule.sources for v in constants(source)]
    tests = [
        Test(r.name, as_value(r.text), frozenset({"value"}))
        for r in promises.constraints
        if r.kind == "domain check" and (r.schema, r.owner) == (rule.schema, rule.owner)
    ]
    tests += [
        Test("", as_value(t), frozenset({"value"}))
        for t in texts
        if as_value(t) not in {x.text for x in tests}
    ]
    solver = Solver(connection, Table(relation, {}), tests, {"value": list(dict.fromkeys(pool))})
    with connection.transaction(force_rollback=True):
        first = next(iter(solver.options(rule.value)), None)
        good = solver.satisfied({"value": first}, frozenset())
        valid = cast(good["value"], rule.value.type, rule.domain)
        refused = attempt(connection, [valid])
        if refused is not None:
            return verdict_of(
                rule, Shown("unproved", f"no value was found that the domain accepts: {said(refused)}")
            )
        bench = Bench(
            SolvedRows(connection, {}, {}, Random(1), Mode({}, 0, 0), promises=promises),
            _domain_ground(relation, valid),
        )
        return verdict_of(rule, bench.tried(rule, domain_values(rule, solver)))


def _domain_ground(relation: Relation, valid: Any) -> Ground:
    return Ground(Table(relation, {}), {}, [Made(0, {}, valid)])
