"""Counts the rows that a rule which binds new rows only never looked at."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from dbtrust.engine.postgres.attempts import expression, observe, table_name
from dbtrust.engine.postgres.errors import Failure
from dbtrust.model.constraints import Constraint
from dbtrust.model.facts import Relation


def count_violators(
    connection: psycopg.Connection[Any], rule: Constraint, target: Relation | None
) -> int | None:
    """Rows of the rule's table that break it; None for a rule of another kind. `target`: what a foreign key points at."""
    condition = _condition(rule, target)
    if condition is None:
        return None
    query = sql.SQL("SELECT count(*) FROM {} WHERE {}").format(table_name(rule.schema, rule.owner), condition)
    found = observe(connection, [query])
    return None if isinstance(found, Failure) else int(found[0][0][0])


def _condition(rule: Constraint, target: Relation | None) -> sql.Composed | None:
    if rule.kind == "check":
        return sql.SQL("({}) IS FALSE").format(expression(rule.text))
    if rule.kind == "not null":
        return sql.SQL("{} IS NULL").format(sql.Identifier(rule.columns[0]))
    if rule.kind != "foreign key" or target is None:
        return None
    own = [sql.Identifier(rule.owner, name) for name in rule.columns]
    pairs = [
        sql.SQL("dbtrust_parent.{} = {}").format(sql.Identifier(there), here)
        for there, here in zip(rule.target_columns, own, strict=True)
    ]
    present = sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(name) for name in own)
    return sql.SQL("{} AND NOT EXISTS (SELECT FROM {} dbtrust_parent WHERE {})").format(
        present, table_name(target.schema, target.name), sql.SQL(" AND ").join(pairs)
    )
