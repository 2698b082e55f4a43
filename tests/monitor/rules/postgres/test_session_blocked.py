"""session.blocked: blocking chains."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
from tests.monitor.conftest import Seen
from tests.monitor.faults import Ill

from dbtrust.engine.postgres.monitor import read_snapshot
from dbtrust.engine.waiting import await_true
from dbtrust.model.snapshot import ReadOptions

_WAITS = (
    "SELECT FROM pg_locks WHERE relation = 'held'::regclass AND NOT granted"
    " AND clock_timestamp() - waitstart > interval '60 ms'"
)


def test_finds_the_holder_of_a_lock_and_all_behind_it(ill: Seen, sick_server: Ill) -> None:
    found = ill.one("session.blocked", f"session:{sick_server.holder}")
    assert "(billing)" in found.message and "blocks 2 sessions" in found.message
    assert found.evidence["on"] == ["transactionid"]


def test_is_silent_where_nobody_waits(well: Seen) -> None:
    assert well.of("session.blocked") == []


def test_a_prepared_transaction_is_named(ill: Seen, sick_server: Ill) -> None:
    assert ill.snapshot
    with psycopg.connect(sick_server.url, autocommit=True) as admin:
        admin.execute("CREATE TABLE held (v int)")
        admin.execute("BEGIN; LOCK TABLE held IN SHARE MODE; PREPARE TRANSACTION 'it''s lost'")
        waiter = threading.Thread(target=_insert, args=(sick_server.url,))
        waiter.start()
        try:
            assert await_true(lambda: admin.execute(_WAITS).fetchone() is not None, 30)
            seen = Seen(read_snapshot(sick_server.url, ReadOptions()))
        finally:
            admin.execute("ROLLBACK PREPARED 'it''s lost'")
            waiter.join()
            admin.execute("DROP TABLE held")
    found = seen.one("session.blocked", "transaction:it's lost")
    assert "the prepared transaction it's lost blocks 1 sessions" in found.message
    assert found.fix == "COMMIT PREPARED 'it''s lost'; or ROLLBACK PREPARED 'it''s lost';"
    assert "session:0" not in seen.subjects("session.blocked")


def _insert(url: str) -> None:
    with psycopg.connect(url) as connection:
        cursor: psycopg.Cursor[Any] = connection.cursor()
        cursor.execute("INSERT INTO held VALUES (1)")
