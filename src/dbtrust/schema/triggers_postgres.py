"""schema.trigger: each trigger is fired, and switched off, on the same rows; what differs is what it does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
#: Errors of the function itself and not of a rule it states: syntax, names, missing features, internal ones.
_FAULTS = ("42", "0A", "XX", "2F", "39", "21")


@dataclass(frozen=True, slots=True)
class _Fired:
    """One statement with the trigger on and off."""

    event: str
    statements: tuple[sql.Composable, ...]
    on: Any
    off: Any


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
                faults += [effect] if _is_fault(fired.on) else []
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
        yield _Fired(
            event, tuple(statements), observe(connection, [*on, *asked]), observe(connection, [off, *asked])
        )


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
    if isinstance(on, Failure):
        return "" if isinstance(off, Failure) else f"is refused: {said(on)}"
    if isinstance(off, Failure):
        return f"is accepted only with it: {said(off)} otherwise"
    before_on, rows_on, after_on = on
    before_off, rows_off, after_off = off
    told = _rows_differ([row for (row,) in rows_on], [row for (row,) in rows_off])
    if told:
        return told
    return _writes_differ(_grown(before_on, after_on), _grown(before_off, after_off))


def _rows_of(fired: _Fired) -> dict[str, Any]:
    """The table's rows with the trigger on and off, where both were accepted."""
    if isinstance(fired.on, Failure) or isinstance(fired.off, Failure):
        return {}
    return {"rows": [row for (row,) in fired.on[1]], "rows without it": [row for (row,) in fired.off[1]]}


def _rows_differ(on: list[Any], off: list[Any]) -> str:
    if len(on) != len(off):
        return f"leaves {len(on)} row(s) where there would be {len(off)}"
    for mine, other in zip(sorted(on, key=_text), sorted(off, key=_text), strict=True):
        names = [name for name in mine if mine[name] != other.get(name)]
        if names:
            return "; ".join(
                f"sets {name} to {json.dumps(mine[name])} instead of {json.dumps(other[name])}"
                for name in names
            )
    return ""


def _text(row: Any) -> str:
    return json.dumps(row, sort_keys=True)


def _grown(before: list[Any], after: list[Any]) -> dict[str, tuple[int, ...]]:
    """Rows inserted, updated and deleted since, by table."""
    start = {name: counts for name, *counts in before}
    grown = {
        name: tuple(n - o for n, o in zip(counts, start.get(name, (0, 0, 0)), strict=True))
        for name, *counts in after
    }
    return {name: counts for name, counts in grown.items() if any(counts)}


def _writes_differ(on: dict[str, tuple[int, ...]], off: dict[str, tuple[int, ...]]) -> str:
    told: list[str] = []
    for name in sorted(on.keys() | off.keys()):
        mine, other = on.get(name, (0, 0, 0)), off.get(name, (0, 0, 0))
        words = [
            f"{n - o} row(s) {word}"
            for n, o, word in zip(mine, other, ("inserted", "updated", "deleted"), strict=True)
            if n != o
        ]
        told += [f"writes to {name}: {', '.join(words)}"] if words else []
    return "; ".join(told)
