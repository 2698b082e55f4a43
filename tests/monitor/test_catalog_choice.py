"""What a snapshot compares in full is enough: the rules find the same in it as in the whole catalog."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.rows import dict_row
from tests.judge.test_catalog_rules import FINE, KEYS, REDUNDANT, SERVED, TABLE, UNSERVED

from dbtrust.engine.postgres.catalog import served_objects, snapshot
from dbtrust.judge.rules import foreign_keys_without_index, redundant_indexes
from dbtrust.model.catalog import Catalog


def test_every_trap_of_the_rules_is_seen(pg: psycopg.Connection[Any]) -> None:
    redundant = [(TABLE, body) for body, _ in REDUNDANT.values()] + [(TABLE, body) for body in FINE.values()]
    keys = [(KEYS, body) for body in (*UNSERVED.values(), *SERVED.values())]
    found = 0
    for first, second in (*redundant, *keys):
        with pg.transaction(force_rollback=True), pg.cursor(row_factory=dict_row) as cursor:
            pg.execute(first.encode())
            pg.execute(second.encode())
            whole, chosen = snapshot(pg), Catalog("postgres", tuple(served_objects(cursor)))
        for rule in (redundant_indexes, foreign_keys_without_index):
            expected = sorted((f.subject, f.message) for f in rule(whole))
            assert sorted((f.subject, f.message) for f in rule(chosen)) == expected, second
            found += len(expected)
    assert found > 20
