"""Two valid rows for every table of a database, parents first; what stands in their way is told and put aside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from dbtrust.engine.postgres.attempts import DEFERRED, IMMEDIATE, attempt, triggers_off, without
from dbtrust.engine.postgres.errors import Failure
from dbtrust.engine.postgres.run import execute_composed
from dbtrust.engine.postgres.trial import whole
from dbtrust.model.constraints import Constraint, Table
from dbtrust.model.facts import Relation
from dbtrust.stage.rows import Values, parents_first
from dbtrust.stage.solved import Made, SolvedRows
from dbtrust.stage.solver import Test

#: So many rules of one table are put aside before it is given up.
_OBSTACLES = 6


@dataclass(slots=True)
class Ground:
    """A table without rows, and what gives it a first and a second one (`rows`, `more`; `second` may be None).

    `blocked` maps the names of rules that no row could keep to what the server said; `triggers_off`: no row was
    accepted before the table's own triggers were switched off. Without `values` no row was accepted at all (`why`).
    """

    table: Table
    values: Values | None = None
    rows: list[Made] = field(default_factory=list[Made])
    second: Values | None = None
    more: list[Made] = field(default_factory=list[Made])
    blocked: dict[str, str] = field(default_factory=dict[str, str])
    triggers_off: bool = False
    why: str = ""

    @property
    def relation(self) -> Relation:
        return self.table.relation

    @property
    def recipe(self) -> list[sql.Composed]:
        """The INSERTs of the first row: those of the parents that had to be made for it, and its own."""
        return [made.statement for made in self.rows]

    @property
    def parents(self) -> list[Made]:
        """What was made for both rows beside them."""
        return [*self.rows[:-1], *self.more[:-1]]


def grounds(rows: SolvedRows) -> Iterator[Ground]:
    """The ground of each table in order; its two rows are committed only after the caller is done with it."""
    tables = rows.promises.tables
    for oid in parents_first({oid: table.relation for oid, table in tables.items()}):
        if not tables[oid].partition or rows.rules[oid]:
            ground = _prepared(rows, tables[oid])
            yield ground
            if not tables[oid].partition:
                _committed(rows, ground)
            rows.forget(tables[oid].relation)


def _prepared(rows: SolvedRows, table: Table) -> Ground:
    ground = Ground(table)
    if "insert" in table.relation.rules:
        ground.why = "a rule rewrites every INSERT into it"
        return ground
    refused = _tried(rows, ground)
    while refused is not None and len(ground.blocked) < _OBSTACLES:
        if not ground.triggers_off and _has_triggers(rows, table):
            execute_composed(rows.connection, triggers_off(table.relation.schema, table.relation.name))
            ground.triggers_off = True
        else:
            rule = _obstacle(rows, table, refused)
            if rule is None:
                break
            ground.blocked[rule.name] = said(refused)
            _put_aside(rows, rule, table)
        refused = _tried(rows, ground)
    ground.why = said(refused) if refused is not None else ""
    return ground


def said(failure: Failure | None) -> str:
    """One line of what the server refused."""
    return f"{failure.sqlstate} {failure.message}" if failure is not None else "no value could be made"


def _tried(rows: SolvedRows, ground: Ground) -> Failure | None:
    """Fills the ground; the server's refusal where no row was accepted."""
    relation, connection = ground.relation, rows.connection
    mark = rows.mark()
    rows.refused = None
    with connection.transaction(force_rollback=True):
        execute_composed(connection, DEFERRED)
        values = rows.add(relation, 0)
        refused = rows.refused if values is None else attempt(connection, [IMMEDIATE])
        if values is not None and refused is None:
            ground.values, middle = dict(values), rows.mark()
            second = rows.add(relation, 1)
            ground.second = dict(second) if second is not None and whole(connection) else None
            ground.more = rows.undo(middle) if ground.second is not None else []
    made = rows.undo(mark)
    if ground.values is not None:
        ground.rows = made
        return None
    return refused or Failure(None, "no row was found that its rules allow")


def _has_triggers(rows: SolvedRows, table: Table) -> bool:
    return any(t.relation == table.relation.oid for t in rows.promises.triggers)


def _obstacle(rows: SolvedRows, table: Table, refused: Failure) -> Constraint | None:
    """The rule of the table that refused every row: the one that is named, else one that raises or is never kept."""
    rules = [r for r in rows.rules[table.relation.oid] if (table.relation.oid, r.name) not in rows.skipped]
    for rule in rules:
        if refused.constraint and refused.constraint in rule.reported:
            return rule
    checks = [rule for rule in rules if rule.kind == "check"]
    solver = rows.solver(table.relation)
    values: Values = {
        c.name: (solver.options(c) or [None])[0] for c in table.relation.columns.values() if not c.generated
    }
    tests = [Test(rule.name, rule.text, frozenset(rule.columns)) for rule in checks]
    (answers,) = solver.answers([values], tests) if tests else [[]]
    return next((rule for rule, a in zip(checks, answers, strict=True) if a == "raises"), None)


def _put_aside(rows: SolvedRows, rule: Constraint, table: Table) -> None:
    """Takes the rule out of the scratch database, for good."""
    for statement in without(rule, table):
        execute_composed(rows.connection, statement)
    rows.skip(rule.relation, rule.name)


def _committed(rows: SolvedRows, ground: Ground) -> None:
    """Leaves both rows in the database: the tables that come later point at them."""
    for made in (ground.rows, ground.more):
        if made and attempt_all(rows, [item.statement for item in made]) is None:
            for item in made:
                rows.there(item)


def attempt_all(rows: SolvedRows, statements: list[sql.Composed]) -> psycopg.Error | None:
    """Commits the statements; the error where the server refused one."""
    try:
        # Several statements in one message are one transaction.
        execute_composed(rows.connection, sql.SQL("; ").join([DEFERRED, *statements]))
    except psycopg.Error as error:
        if rows.connection.closed:
            raise
        return error
    return None
