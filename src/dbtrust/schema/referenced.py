"""The other side of a foreign key: what a DELETE and an UPDATE of the row that is pointed at do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from psycopg import sql

from dbtrust.engine.postgres.attempts import (
    DEFERRED,
    IMMEDIATE,
    count,
    delete,
    observe,
    set_defaults,
    triggers_off,
    update,
)
from dbtrust.engine.postgres.errors import Failure
from dbtrust.engine.postgres.run import execute_composed
from dbtrust.model.constraints import ACTIONS, Constraint
from dbtrust.model.facts import Relation
from dbtrust.schema.breaking import Bench, names
from dbtrust.schema.breaking_rows import referring
from dbtrust.stage.ground import said
from dbtrust.stage.rows import Values, row_statement

Found = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Pair:
    """A parent and a child that points at it: the INSERTs of both, the values of the key, and others it may have."""

    inserts: tuple[sql.Composed, ...]
    key: Values
    child: Values
    changes: Values = field(default_factory=dict[str, "str | None"])


def parent_side(bench: Bench, rule: Constraint) -> Found:
    """(outcome, sentence) of DELETE and of UPDATE; an UPDATE that the parent does not allow is left out."""
    target = bench.rows.promises.tables.get(rule.target)
    if target is None:
        return [("unproved", "the table it points at is not the project's")]
    parent = target.relation
    pair = _pair(bench, rule, parent)
    if pair is None:
        return [("unproved", "no pair of rows was found of which one points at the other")]
    found = [
        _acted(
            bench, rule, parent, pair, "DELETE", rule.on_delete, delete(parent.schema, parent.name, pair.key)
        )
    ]
    if pair.changes:
        statement = update(parent.schema, parent.name, pair.changes, pair.key)
        outcome = _acted(bench, rule, parent, pair, "UPDATE", rule.on_update, statement)
        found += [outcome] if outcome[0] != "unproved" else []
    return found


def _pair(bench: Bench, rule: Constraint, parent: Relation) -> _Pair | None:
    """A new parent that nothing else points at, and its child; else the rows that are there."""
    rows = bench.rows
    mark = rows.mark()
    child: Values | None = None
    key: Values = {}
    other: Values | None = None
    with rows.connection.transaction(force_rollback=True):
        execute_composed(rows.connection, DEFERRED)
        _sentinel(bench, rule, parent, {})
        above = rows.add(parent, len(rows.present[parent.oid]) + 1)
        if above is not None:
            key = {name: above.get(name) for name in rule.target_columns}
            child = _child(bench, rule, key)
            _sentinel(bench, rule, parent, key)
        end = rows.mark()
        if child is not None and _is_writable(rule, parent):
            other = rows.add(parent, len(rows.present[parent.oid]) + 2)
            rows.undo(end)
    inserts = tuple(made.statement for made in rows.undo(mark))
    if child is not None:
        return _Pair(
            inserts, key, {name: child[name] for name in rule.columns}, _changes(rule, parent, key, other)
        )
    base = referring(bench, rule)
    mine = {name: base[name] for name in rule.columns}
    if None in mine.values():
        return None
    return _Pair(
        (row_statement(bench.relation, base),),
        dict(zip(rule.target_columns, mine.values(), strict=True)),
        mine,
    )


def _sentinel(bench: Bench, rule: Constraint, parent: Relation, key: Values) -> None:
    """For SET DEFAULT the row that the defaults point at, where the server takes one.

    Before there is a `key` only where every column is set; later those that are not set keep the key's value.
    """
    if "d" not in (rule.on_delete, rule.on_update):
        return
    found = set_defaults(bench.rows.connection, rule.relation, rule.name)
    if all(sets for _, _, sets in found) == bool(key):
        return
    numbers = {c.name: n for n, c in parent.columns.items()}
    given: dict[int, str | None] = {}
    for (_, value, sets), name in zip(found, rule.target_columns, strict=True):
        given[numbers[name]] = value if sets else key[name]
    if None not in given.values():
        bench.rows.add(parent, len(bench.rows.present[parent.oid]), given)


def _child(bench: Bench, rule: Constraint, key: Values) -> Values | None:
    """A row that points at the key, and if it can be at nothing else of that table."""
    numbers = {c.name: n for n, c in bench.relation.columns.items()}
    given = dict(zip((numbers[name] for name in rule.columns), key.values(), strict=True))
    place = len(bench.rows.present[bench.relation.oid])
    row = bench.rows.add(bench.relation, place, {**given, **_others(bench, rule)})
    return row or bench.rows.add(bench.relation, place, given)


def _is_writable(rule: Constraint, parent: Relation) -> bool:
    columns = {c.name: c for c in parent.columns.values()}
    return not any(columns[n].generated or columns[n].identity == "a" for n in rule.target_columns)


def _changes(rule: Constraint, parent: Relation, key: Values, other: Values | None) -> Values:
    """Values for the key that no row has and the parent may take; what its own foreign keys hold stays."""
    shared = {parent.columns[n].name for own in parent.foreign_keys for n in own.columns}
    return (
        {n: other[n] for n in rule.target_columns if n not in shared and other[n] != key[n]} if other else {}
    )


def _others(bench: Bench, rule: Constraint) -> dict[int, str | None]:
    """NULL for the columns of other foreign keys to the same table: the new parent is to have one child only."""
    columns = bench.relation.columns
    return {
        number: None
        for key in bench.relation.foreign_keys
        if key.target == rule.target and key.name != rule.name
        for number in key.columns
        if not columns[number].not_null and columns[number].name not in rule.columns
    }


def _acted(
    bench: Bench,
    rule: Constraint,
    parent: Relation,
    pair: _Pair,
    verb: str,
    action: str,
    statement: sql.Composed,
) -> tuple[str, str]:
    """What the statement did to the child, against what the foreign key says it does."""
    child = bench.relation
    asked = [
        *pair.inserts, IMMEDIATE, count(child.schema, child.name, pair.child), count(child.schema, child.name, {}),
        statement, IMMEDIATE, count(child.schema, child.name, pair.child), count(child.schema, child.name, {}),
    ]  # fmt: skip
    found = observe(bench.rows.connection, asked)
    if isinstance(found, Failure) and not names(rule, found):
        # A trigger of the user's may refuse the statement first.
        off = (
            [triggers_off(r.schema, r.name) for r in (child, parent)] if bench.rows.promises.triggers else []
        )
        found = observe(bench.rows.connection, [*off, *asked]) if off else found
    said_ = f"{verb} of the row that is pointed at, {ACTIONS[action]}"
    if isinstance(found, Failure) and action == "d" and found.sqlstate == "23503":
        said_ += ", and no row was found that the default can point at"
    if isinstance(found, Failure):
        return _refused(rule, action, found, said_)
    (before,), (all_before,), (after,), (all_after,) = [row for rows in found for row in rows]
    if verb == "DELETE" and parent.oid == child.oid:
        all_after += 1  # The row that was deleted is not one that the deletion took along.
    return _effect(action, said_, (before, all_before, after, all_after))


def _refused(rule: Constraint, action: str, refused: Failure, said_: str) -> tuple[str, str]:
    if action in "ar" and names(rule, refused):
        return "holds", f"{said_}: refused with {said(refused)}"
    # A default that points at nothing is no proof: there may be a row for it that was not found.
    if action in "nd" and refused.sqlstate in (("23502", "23503") if action == "n" else ("23502",)):
        return "refuted", f"{said_}, is never possible: {said(refused)}"
    return "unproved", f"{said_}: the server refused it with {said(refused)}"


def _effect(action: str, said_: str, counts: Sequence[int]) -> tuple[str, str]:
    before, all_before, after, all_after = counts
    if action in "ar":
        return "refuted", f"{said_}: accepted, {before} row(s) pointed at it"
    gone = all_before - all_after
    if "UPDATE" in said_ or action in "nd":
        right = before > after and gone == 0
    else:
        right = before > after and gone > 0
    told = f"{said_}: {before} row(s) pointed at it before and {after} after, {gone} were deleted"
    return ("holds" if right else "refuted"), told
