"""One rule, broken on purpose: rows that break it alone, what the server says, and what it says without the rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
from psycopg import sql

from dbtrust.engine.postgres.attempts import (
    IMMEDIATE,
    attempt,
    count,
    observe,
    switch_trigger,
    triggers_off,
    without,
)
from dbtrust.engine.postgres.errors import Failure
from dbtrust.engine.postgres.run import execute_composed
from dbtrust.model.constraints import Constraint
from dbtrust.model.facts import Relation
from dbtrust.stage.ground import Ground, said
from dbtrust.stage.rows import Values, row_statement
from dbtrust.stage.solved import SolvedRows

#: The SQLSTATE of each kind of rule.
CODES: dict[str, tuple[str, ...]] = {
    "check": ("23514",), "domain check": ("23514",), "not null": ("23502",), "domain not null": ("23502",),
    "unique": ("23505",), "primary key": ("23505",), "unique index": ("23505",), "exclude": ("23P01",),
    "foreign key": ("23503", "23001"), "generated": ("428C9",), "identity": ("428C9",),
}  # fmt: skip
#: So many rows are tried against one rule, and so many other rules are taken away to see it alone.
TRIES, MASKS = 40, 4
Statements = Sequence[sql.Composable]


@dataclass(frozen=True, slots=True)
class Broken:
    """Statements of which the last must be refused; the others make the ground it stands on."""

    setup: tuple[sql.Composed, ...]
    last: sql.Composed

    @property
    def statements(self) -> list[sql.Composable]:
        return [*self.setup, self.last, IMMEDIATE]


@dataclass(frozen=True, slots=True)
class Shown:
    """What the tries of one rule came to. `also` are the rules that every such row broke too."""

    outcome: str
    message: str
    evidence: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(slots=True)
class Bench:
    """One table of the scratch database, inside a transaction that is rolled back."""

    rows: SolvedRows
    ground: Ground
    #: A database with the project's data, to count in.
    data: psycopg.Connection[Any] | None = None

    @property
    def relation(self) -> Relation:
        return self.ground.relation

    def insert(self, values: Values) -> sql.Composed:
        return row_statement(self.relation, values)

    def tried(self, rule: Constraint, broken: Iterable[Broken]) -> Shown:
        """Tries rows until one is refused by the rule alone. An accepted one refutes the rule."""
        masked: Shown | None = None
        mended: Shown | None = None
        other = "no row was found that breaks it"
        for number, item in enumerate(broken):
            if number == TRIES:
                break
            shown = self._once(rule, item)
            if shown.outcome in ("holds", "refuted"):
                return shown
            if shown.outcome == "masked":
                masked = masked or shown
            elif shown.outcome == "mended":
                mended = mended or shown
            else:
                other = shown.message
        if masked is not None:
            return Shown("holds", masked.message, masked.evidence)
        return Shown("unproved", mended.message, mended.evidence) if mended else Shown("unproved", other)

    def _once(self, rule: Constraint, item: Broken) -> Shown:
        """One row: refused by the rule, alone or together with others; where a trigger mends or refuses it, without."""
        shown = self._seen(rule, item, ())
        if shown.outcome in ("holds", "masked") or not self.has_triggers():
            return shown
        off = triggers_off(self.relation.schema, self.relation.name)
        alone = self._seen(rule, item, [off])
        if alone.outcome not in ("holds", "masked"):
            return alone
        by = self._switched(rule, item)
        told = f"only with trigger {' and '.join(by)} switched off"
        if shown.outcome == "refuted":
            first = f"the trigger {self._changed(item)} first"
            evidence = {**alone.evidence, "kept from it by": by}
            return Shown("mended", f"refused {told}: {first}; {alone.message}", evidence)
        return replace(alone, message=f"{alone.message} ({told}: {shown.message})")

    def _changed(self, item: Broken) -> str:
        """What became of a row that was accepted and breaks the rule: another value of it is there, or nothing is."""
        asked = count(self.relation.schema, self.relation.name, {})
        rows = observe(self.rows.connection, [*item.setup, asked, item.last, asked])
        if not item.last.as_string(None).startswith("INSERT"):
            return "changes the value or keeps the old row"
        dropped = not isinstance(rows, Failure) and rows[0] == rows[1]
        return "drops the row" if dropped else "changes the value"

    def _switched(self, rule: Constraint, item: Broken) -> list[str]:
        """The triggers each of which alone keeps the row from the rule; all of the table where they do it together."""
        schema, table = self.relation.schema, self.relation.name
        every = [t.name for t in self.rows.promises.triggers if t.relation == self.relation.oid]
        found: list[str] = []
        for name in every:
            refused = self.attempt([switch_trigger(schema, table, name, on=False), *item.statements])
            found += [name] if refused is not None and names(rule, refused) else []
        return found or every

    def _seen(self, rule: Constraint, item: Broken, off: Statements) -> Shown:
        """Other rules that refuse the row are taken away in turn, until this one does."""
        drops, also = list[sql.Composable](off), list[str]()
        refused = self.attempt([*drops, *item.statements])
        if refused is None:
            evidence = {"accepted": text_of([*item.setup, item.last])}
            return Shown("refuted", "the server accepted a row that breaks it", evidence)
        first = refused
        while not names(rule, refused):
            mask = self._rule_of(refused)
            if mask is None or mask.name in also or len(also) == MASKS:
                return Shown("other", f"the rows that break it are refused otherwise: {said(first)}")
            also.append(mask.name)
            drops += without(mask, self.ground.table)
            refused = self.attempt([*drops, *item.statements])
            if refused is None:
                return Shown("other", f"the rows that break it are refused by {mask.name} alone")
        return self._alone(rule, item, refused, drops, also, off)

    def _alone(
        self, rule: Constraint, item: Broken, refused: Failure, drops: list[sql.Composable], also: list[str],
        off: Statements,
    ) -> Shown:  # fmt: skip
        """Without the rule the same row must be accepted, or be refused by rules that can be taken away in turn."""
        drops += without(rule, self.ground.table)
        evidence: dict[str, Any] = {
            "accepted": text_of(self.ground.recipe), "refused": text_of([*item.setup, item.last]), "error": said(refused),
        }  # fmt: skip
        if off or self.ground.triggers_off:
            evidence["triggers"] = "switched off for this row"
        while (second := self.attempt([*drops, *item.statements])) is not None:
            mask = self._rule_of(second)
            if mask is None or mask.name == rule.name or mask.name in also or len(also) == MASKS:
                return Shown("other", f"without it the row is refused all the same: {said(second)}")
            also.append(mask.name)
            drops += without(mask, self.ground.table)
        if also:
            evidence["accepted without"] = [rule.name, *also]
            return Shown(
                "masked",
                f"refused: {said(refused)}; each row that was found breaks {', '.join(also)} too{self._beside()}",
                evidence,
            )
        evidence["without it"] = "accepted"
        return Shown("holds", f"refused: {said(refused)}{self._beside()}", evidence)

    def _beside(self) -> str:
        off = "the table's triggers are switched off: with them no row came in"
        return f" ({off})" if self.ground.triggers_off else ""

    def attempt(self, statements: Statements) -> Failure | None:
        return attempt(self.rows.connection, statements)

    def has_triggers(self) -> bool:
        return any(t.relation == self.relation.oid for t in self.rows.promises.triggers)

    def _rule_of(self, refused: Failure) -> Constraint | None:
        return next((r for r in self.rows.rules[self.relation.oid] if names(r, refused)), None)

    def found(
        self, rule: Constraint, given: Values, setup: Sequence[sql.Composed] = (), place: int = 0
    ) -> tuple[sql.Composed, ...] | None:
        """A row with the given values that is valid once the rule is gone: the INSERTs, the row's own last."""
        numbers = {c.name: n for n, c in self.relation.columns.items()}
        rows, oid = self.rows, self.relation.oid
        mark, row = rows.mark(), None
        rows.skip(oid, rule.name)
        try:
            with rows.connection.transaction(force_rollback=True):
                for statement in [*without(rule, self.ground.table), *setup]:
                    execute_composed(rows.connection, statement)
                row = rows.add(self.relation, place, {numbers[name]: v for name, v in given.items()})
        except psycopg.Error:
            # Something stands on the rule, or waits for a deferred check: then there is no such row.
            if rows.connection.closed:
                raise
        finally:
            made = rows.undo(mark)
            rows.stand(oid, rule.name)
        return tuple(item.statement for item in made) if row is not None else None


def names(rule: Constraint, refused: Failure) -> bool:
    """Is it this rule that refused? By SQLSTATE and constraint, column or type."""
    if refused.sqlstate not in CODES[rule.kind]:
        return False
    if rule.kind == "not null":
        return refused.column == rule.columns[0] and (refused.table in rule.reported or not rule.reported)
    if rule.kind == "domain not null":
        return refused.datatype == rule.owner
    if rule.kind == "domain check":
        return refused.datatype == rule.owner and refused.constraint == rule.name
    if rule.kind in ("generated", "identity"):
        return f'"{rule.columns[0]}"' in refused.message
    return refused.constraint in rule.reported


def text_of(statements: Iterable[sql.Composable]) -> list[str]:
    """Statements as evidence shows them."""
    return [statement.as_string(None) for statement in statements]
