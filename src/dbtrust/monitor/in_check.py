"""The diagnostics that need no production: `check` runs them over what the history builds."""

from __future__ import annotations

from typing import Any

import psycopg
from pymongo.database import Database

from dbtrust.engine.mongo.monitor_collections import read_declared
from dbtrust.engine.postgres.monitor import read_sections
from dbtrust.model.report import Finding, NotExamined
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.judging import judge
from dbtrust.monitor.registry import rules


def postgres_in_check(connection: psycopg.Connection[Any]) -> tuple[list[Finding], list[NotExamined]]:
    """What they say of the connection's database. Raises ServerError where the server tells nothing."""
    chosen = [rule for rule in rules("postgres") if rule.in_check]
    needed = frozenset(name for rule in chosen for name in rule.needs)
    return judge(chosen, read_sections(connection, needed), None)


def mongo_in_check(db: Database[Any]) -> list[Finding]:
    """What they say of a database by its definitions alone. Raises PyMongoError."""
    collections, indexes = read_declared(db)
    sections = {"collections": tuple(collections), "indexes": tuple(indexes)}
    found, _ = judge([r for r in rules("mongo") if r.in_check], Snapshot("mongo", "", {}, sections), None)
    return found
