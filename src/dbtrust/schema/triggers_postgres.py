"""schema.trigger: each trigger is fired, and switched off, on the same rows; what differs is what it does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import Any

from psycopg import sql

from dbtrust.engine.postgres.attempts import (
    IMMEDIATE,
    all_rows,
    delete,
    observe,
    switch_trigger,
    truncate,
    update,
    written,
)
from dbtrust.engine.postgres.errors import Failure
from dbtrust.judge.edges import constants
from dbtrust.model.constraints import Trigger
from dbtrust.model.location import Location
from dbtrust.model.report import Outcome, Verdict
from dbtrust.schema.breaking import Bench, text_of
from dbtrust.stage.ground import said
from dbtrust.stage.rows import Values
from dbtrust.stage.solver import named

#: So many rows are tried for each event.
TRIES = 60
#: So often both are run before a difference counts: random() < 0.5 looks like an effect once in 2 ** 23 times.
RUNS = 12
Statements = Sequence[sql.Composable]
#: Errors of the function itself and not of a rule it states: syntax, names, missing features, internal ones.
_FAULTS = ("42", "0A", "XX", "2F", "39", "21")


@dataclass(frozen=True, slots=True)
class _Fired:
    """One statement with the trigger on and off; each has what every run of it gave, the first one first."""

    event: str
    statements: tuple[sql.Composable, ...]
    on: tuple[Any, ...]
    off: tuple[Any, ...]


def judge_trigger(bench: Bench, trigger: Trigger) -> Verdict:
    """holds where firing it has an effect that is absent when it is off; disabled triggers are refuted."""
    if trigger.state == "D":
        return verdict_of(
            trigger, "refuted", "the trigger is disabled: it never fires", "ALTER TABLE … ENABLE TRIGGER"
        )
    if trigger.state == "R":
        message = "it fires only in a session that replays changes (ENABLE REPLICA)"
        return verdict_of(trigger, "unproved", message, _step(trigger))
    if bench.ground.values is None:
        return verdict_of(
            trigger,
            "unproved",
            f"no row was found that the table accepts: {bench.ground.why}",
            _step(trigger),
        )
    effects: dict[str, str] = {}
    evidence: dict[str, Any] = {}
    faults: list[str] = []
    for event in trigger.events:
        for fired in _tried(bench, trigger, event):
            effect = _effect(fired)
            if effect:
                effects[event] = effect
                evidence[event] = {
                    "statements": text_of(fired.statements),
                    "effect": effect,
                    **_rows_of(fired),
                }
                faults += [effect] if _is_fault(fired.on[0]) else []
                break
    return _decided(trigger, effects, evidence, faults)


def on_a_view(trigger: Trigger) -> Verdict:
    """INSTEAD OF triggers are not fired: what a view's rows are to do is not in the catalog."""
    return verdict_of(trigger, "unproved", "it stands on a view or a foreign table", _step(trigger))


def _decided(
    trigger: Trigger, effects: dict[str, str], evidence: dict[str, Any], faults: list[str]
) -> Verdict:
    if effects and len(faults) == len(effects):
        message = f"its function fails: {'; '.join(faults)}"
        return verdict_of(trigger, "refuted", message, "mend the function", evidence)
    silent = [event for event in trigger.events if event not in effects]
    if not effects:
        message = "no effect was seen: the same rows come out with the trigger on and off"
        return verdict_of(trigger, "unproved", message, _step(trigger))
    told = "; ".join(f"{event} {effect}" for event, effect in effects.items())
    told += f"; on {', '.join(silent)} no effect was seen" if silent else ""
    return verdict_of(trigger, "holds", told, "", evidence)


def _step(trigger: Trigger) -> str:
    return f"write a proof that fires {trigger.name} and claims what it does"


def verdict_of(
    trigger: Trigger, outcome: Outcome, message: str, step: str, evidence: dict[str, Any] | None = None
) -> Verdict:
    """`location` is left open: who calls knows the project's files."""
    told = {"table": trigger.table, "definition": trigger.definition, **(evidence or {})}
    return Verdict(
        "schema.trigger", "postgres", f"trigger:{trigger.label}", outcome, message, next=step, evidence=told,
        reason="undecided" if outcome == "unproved" else "", location=Location(),
    )  # fmt: skip


def _tried(bench: Bench, trigger: Trigger, event: str) -> Iterator[_Fired]:
    relation, connection = bench.relation, bench.rows.connection
    off = switch_trigger(relation.schema, relation.name, trigger.name, on=False)
    # Where no row came in with the triggers on, they are off by now.
    on = (
        [switch_trigger(relation.schema, relation.name, trigger.name, on=True)]
        if bench.ground.triggers_off
        else []
    )
    for count, statements in enumerate(_statements(bench, trigger, event)):
        if count == TRIES:
            return
        asked = [written(), *statements, IMMEDIATE, all_rows(relation.schema, relation.name), written()]
        yield _repeated(connection, _Fired(event, tuple(statements), (), ()), [*on, *asked], [off, *asked])


def _repeated(connection: Any, fired: _Fired, on: Statements, off: Statements) -> _Fired:
    """Runs both once, and where they differ again: clocks, sequences and random() differ without the trigger, too.

    The order turns round each time, so that what only grows, or alternates, is not taken for an effect.
    """
    for turn in range(RUNS):
        if turn % 2:
            last = observe(connection, off)
            first = observe(connection, on)
        else:
            first = observe(connection, on)
            last = observe(connection, off)
        fired = replace(fired, on=(*fired.on, first), off=(*fired.off, last))
        if not _effect(fired):
            break
    return fired


def _statements(bench: Bench, trigger: Trigger, event: str) -> Iterator[Sequence[sql.Composable]]:
    relation, values = bench.relation, bench.ground.values
    assert values is not None
    row = bench.ground.recipe[-1]
    keys = [key for key in relation.keys if not key.expressions and key.predicate is None]
    found = {
        relation.columns[n].name: values[relation.columns[n].name] for key in keys[:1] for n in key.columns
    }
    if event == "TRUNCATE":
        yield [row, IMMEDIATE, truncate(relation.schema, relation.name)]
    elif event == "DELETE":
        yield [row, delete(relation.schema, relation.name, found)]
    elif event == "INSERT":
        yield [row]
        yield from ([bench.insert(changed)] for changed in _variants(bench, trigger, ()))
    else:
        identity = {c.name for c in relation.columns.values() if c.identity == "a"}
        for changed in _variants(bench, trigger, trigger.columns):
            changes = {n: v for n, v in changed.items() if values.get(n) != v and n not in identity}
            if changes:
                yield [row, update(relation.schema, relation.name, changes, found)]


def _variants(bench: Bench, trigger: Trigger, columns: Sequence[str]) -> Iterator[Values]:
    """Valid rows beside the first one: in the columns that the trigger names first, then in any."""
    names = [c.name for c in bench.relation.columns.values()]
    spoken = columns or named(f"{trigger.source} {trigger.definition.partition(' WHEN ')[2]}", names)
    assert bench.ground.values is not None
    solver = bench.rows.solver(bench.relation)
    for wanted in (spoken, names) if spoken else (names,):
        for count, row in enumerate(solver.kept(bench.ground.values, frozenset(wanted))):
            if count == TRIES // 3:
                break
            yield row
        yield from _meant(bench, trigger, wanted)


def _meant(bench: Bench, trigger: Trigger, names: Sequence[str]) -> Iterator[Values]:
    """Rows with values that the function compares with, in several columns at once; the others follow."""
    solver, values = bench.rows.solver(bench.relation), bench.ground.values
    assert values is not None
    told = set(constants(trigger.source))
    choices: list[list[tuple[str, str | None]]] = []
    for column in bench.relation.columns.values():
        if column.name in names and not column.generated:
            options = solver.options(column)
            some = [v for v in options if v in told][:3] or options[:1]
            choices.append([(column.name, value) for value in some])
    for picked in islice(product(*choices[:5]), TRIES // 3):
        given = dict(picked)
        row = solver.satisfied(values | given, frozenset(given))
        if row != values and solver.keeps(row):
            yield row


def _is_fault(on: Any) -> bool:
    return isinstance(on, Failure) and str(on.sqlstate)[:2] in _FAULTS


def _effect(fired: _Fired) -> str:
    """What the trigger changed; "" where nothing differs (a row that is refused either way shows nothing)."""
    on, off = fired.on, fired.off
    if any(isinstance(run, Failure) != isinstance(on[0], Failure) for run in on):
        return ""
    if any(isinstance(run, Failure) != isinstance(off[0], Failure) for run in off):
        return ""
    if isinstance(on[0], Failure):
        return "" if isinstance(off[0], Failure) else f"is refused: {said(on[0])}"
    if isinstance(off[0], Failure):
        return f"is accepted only with it: {said(off[0])} otherwise"
    told = _rows_differ([_rows(run) for run in on], [_rows(run) for run in off])
    return told or _writes_differ([_grown(run) for run in on], [_grown(run) for run in off])


def _rows(run: Any) -> list[Any]:
    return [row for (row,) in run[1]]


def _rows_of(fired: _Fired) -> dict[str, Any]:
    """The table's rows with the trigger on and off, where both were accepted."""
    if isinstance(fired.on[0], Failure) or isinstance(fired.off[0], Failure):
        return {}
    return {"rows": _rows(fired.on[0]), "rows without it": _rows(fired.off[0])}


def _rows_differ(on: list[list[Any]], off: list[list[Any]]) -> str:
    """The tables' rows of several runs with the trigger on and off."""
    lengths = [[len(rows) for rows in runs] for runs in (on, off)]
    if _apart(*lengths):
        return f"leaves {lengths[0][0]} row(s) where there would be {lengths[1][0]}"
    if len({*lengths[0], *lengths[1]}) > 1:
        return ""
    ranks = (_steady(on) & _steady(off), _steady(on) | _steady(off))
    on, off = ([_ordered(rows, *ranks) for rows in runs] for runs in (on, off))
    for place in range(len(on[0])):
        mine, other = [rows[place] for rows in on], [rows[place] for rows in off]
        names = [
            n for n in mine[0] if _apart([_text(r.get(n)) for r in mine], [_text(r.get(n)) for r in other])
        ]
        if names:
            return "; ".join(
                f"sets {name} to {json.dumps(mine[0][name])} instead of {json.dumps(other[0][name])}"
                for name in names
            )
    return ""


def _apart(on: Sequence[Any], off: Sequence[Any]) -> bool:
    """No run with the trigger gave what a run without it gave. What changes by itself on both sides tells nothing."""
    return not set(on) & set(off) and (len(set(on)) == 1 or len(set(off)) == 1)


def _steady(runs: list[list[Any]]) -> frozenset[str]:
    """The columns that have the same values in every run, in some order."""
    names = {name for rows in runs for row in rows for name in row}
    values = {name: {tuple(sorted(_text(row.get(name)) for row in rows)) for rows in runs} for name in names}
    return frozenset(name for name, found in values.items() if len(found) == 1)


def _ordered(rows: list[Any], first: frozenset[str], names: frozenset[str]) -> list[Any]:
    """The rows with the columns `names` only, ordered by those of `first` before the others."""
    kept = [{n: v for n, v in row.items() if n in names} for row in rows]
    return sorted(kept, key=lambda row: (_text({n: v for n, v in row.items() if n in first}), _text(row)))


def _text(row: Any) -> str:
    return json.dumps(row, sort_keys=True)


def _grown(run: Any) -> dict[str, tuple[int, ...]]:
    """Rows inserted, updated and deleted by the run, by table."""
    before, _, after = run
    start = {name: counts for name, *counts in before}
    grown = {
        name: tuple(n - o for n, o in zip(counts, start.get(name, (0, 0, 0)), strict=True))
        for name, *counts in after
    }
    return {name: counts for name, counts in grown.items() if any(counts)}


def _writes_differ(on: list[dict[str, tuple[int, ...]]], off: list[dict[str, tuple[int, ...]]]) -> str:
    told: list[str] = []
    for name in sorted({name for run in (*on, *off) for name in run}):
        words: list[str] = []
        for place, word in enumerate(("inserted", "updated", "deleted")):
            mine, other = ([run.get(name, (0, 0, 0))[place] for run in runs] for runs in (on, off))
            words += [f"{mine[0] - other[0]} row(s) {word}"] if _apart(mine, other) else []
        told += [f"writes to {name}: {', '.join(words)}"] if words else []
    return "; ".join(told)
