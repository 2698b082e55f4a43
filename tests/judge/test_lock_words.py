"""Which statements others would queue behind, by their words."""

from __future__ import annotations

import pytest

from dbtrust.judge.lock_words import queues_behind

READS, WRITES = "AccessShareLock", "RowExclusiveLock"


@pytest.mark.parametrize(
    ("sql", "mode", "waits"),
    [
        ("ALTER TABLE users ADD a int", READS, True),
        ("SELECT 1; /* x */ DROP TABLE IF EXISTS public.users CASCADE;", READS, True),
        ('TRUNCATE other, "users"', READS, True),
        ("CREATE UNIQUE INDEX i ON users (a)", WRITES, True),
        ("CREATE UNIQUE INDEX i ON users (a)", READS, False),
        ("CREATE TABLE o (u int REFERENCES users)", WRITES, True),
        ("CREATE TRIGGER x BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION f()", WRITES, True),
        ("CREATE INDEX CONCURRENTLY i ON users (a)", WRITES, False),
        ("ALTER TABLE users VALIDATE CONSTRAINT c", READS, False),
        ("ALTER TABLE users_old ADD a int", READS, False),
        ("-- ALTER TABLE users\nSELECT 1", READS, False),
        ("INSERT INTO users SELECT 1; ALTER TABLE other ADD a int", WRITES, False),
    ],
)
def test_a_statement_waits_for_who_holds_a_lock_that_it_conflicts_with(
    sql: str, mode: str, waits: bool
) -> None:
    assert queues_behind(sql, "users", mode) is waits
