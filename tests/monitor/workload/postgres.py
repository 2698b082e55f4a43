"""PostgreSQL: a shop under load, sanely configured, and its faults."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from tests.monitor.workload.asking import Fault, Outcome, Told, diagnosed

from dbtrust.engine.postgres.binaries import find_postgres
from dbtrust.engine.postgres.server import start_postgres
from dbtrust.engine.runs import Run
from dbtrust.judge.statements import split

SETTINGS: dict[str, Any] = {
    "shared_buffers": "32MB", "work_mem": "4MB", "fsync": True, "full_page_writes": True, "track_io_timing": True,
    "log_lock_waits": True, "log_min_duration_statement": "1s", "wal_level": "replica", "max_wal_senders": 5,
    "max_replication_slots": 5, "max_slot_wal_keep_size": "1GB", "checkpoint_timeout": "5min",
    "max_connections": 40, "max_parallel_workers_per_gather": 0,
}  # fmt: skip
Session = psycopg.Connection[Any]


@dataclass(frozen=True)
class Control:
    """The healthy server; `folder` is for what the command line writes."""

    url: str
    folder: Path

    @contextmanager
    def session(self, application: str = "shop") -> Iterator[Session]:
        """Its counters are told before the block ends."""
        with psycopg.connect(self.url, autocommit=True, application_name=application) as opened:
            yield opened
            opened.execute("SELECT pg_stat_force_next_flush()")

    def work(self, rounds: int = 150) -> None:
        """An ordinary moment of a shop, counted from its beginning."""
        with self.session() as shop:
            shop.execute("SELECT pg_stat_reset()")
            shop.execute("SELECT pg_stat_statements_reset()")
            for n in range(1, rounds):
                shop.execute("SELECT id, name FROM customer WHERE email = %s", [f"c{n}@shop.example"])
                shop.execute("SELECT id FROM orders WHERE customer = %s ORDER BY made DESC LIMIT 10", [n])
                shop.execute(
                    "SELECT p.name, l.quantity FROM line l JOIN product p ON p.id = l.product WHERE l.orders = %s",
                    [n],
                )
                shop.execute("SELECT sum(quantity) FROM line WHERE product = %s", [n])
                row = shop.execute(
                    "INSERT INTO orders (customer, made) VALUES (%s, now()) RETURNING id", [n]
                ).fetchone()
                shop.execute(
                    "INSERT INTO line (orders, product, quantity) VALUES (%s, %s, 1)",
                    [row[0] if row else 1, n],
                )
                shop.execute("UPDATE orders SET state = 'sent' WHERE id = %s", [n])
                shop.execute("SELECT page FROM visit WHERE id = %s", [n])

    def before(self) -> Path | None:
        """None: `work` sets the counters to 0, so that they count from there."""
        return None

    def ask(self, seconds: float = 0.0, since: Path | None = None) -> Told:
        return diagnosed(self.folder, ["--postgres", self.url], seconds=seconds, since=since)


@contextmanager
def control(run: Run, folder: Path) -> Iterator[Control]:
    """The server, filled, vacuumed and under load."""
    server = start_postgres(run, find_postgres("17"), settings=SETTINGS)
    with psycopg.connect(server.admin_url(), autocommit=True) as admin:
        for statement in split(Path(__file__).with_name("shop.sql").read_text(encoding="utf-8")):
            admin.execute(statement.text.encode())
    yield Control(server.admin_url(), folder)
    server.stop()


def outcome(server: Control, fault: Fault) -> Outcome:
    """Makes a fault on the healthy server, asks, and takes it away again."""
    server.work()
    with fault.make(server) as subject:
        told = server.ask(fault.seconds)
    return fault.outcome(subject, told)


def _statement(server: Control, beginning: str) -> str:
    with server.session() as admin:
        row = admin.execute(
            "SELECT queryid FROM pg_stat_statements WHERE query LIKE %s", [f"{beginning}%"]
        ).fetchone()
    assert row is not None, beginning
    return f"statement:{row[0]}"


@contextmanager
def _slow(server: Control) -> Iterator[str]:
    with server.session() as shop:
        for _ in range(8):
            shop.execute("SELECT count(DISTINCT md5(n::text)) FROM generate_series(1, 120000) AS n")
    yield _statement(server, "SELECT count(DISTINCT md5")


@contextmanager
def _reading(server: Control) -> Iterator[str]:
    with server.session() as shop:
        for _ in range(4):
            shop.execute("SELECT count(*) FROM visit WHERE page LIKE '%nothing%'")
    yield _statement(server, "SELECT count(*) FROM visit")


@contextmanager
def _missing_index(server: Control) -> Iterator[str]:
    with server.session() as shop:
        for n in range(30):
            shop.execute("SELECT page FROM visit WHERE cookie = %s", [n])
    yield "table:visit"


@contextmanager
def _done(server: Control, make: str, undo: str) -> Iterator[None]:
    with server.session() as admin:
        admin.execute(make.encode())
        yield
        admin.execute(undo.encode())


@contextmanager
def _redundant(server: Control) -> Iterator[str]:
    with _done(server, "CREATE INDEX orders_again ON orders (customer)", "DROP INDEX orders_again"):
        yield "index:orders_again"


@contextmanager
def _foreign_key(server: Control) -> Iterator[str]:
    with _done(server, "DROP INDEX line_product", "CREATE INDEX line_product ON line (product)"):
        yield "constraint:line.line_product_fkey"


@contextmanager
def _invalid(server: Control) -> Iterator[str]:
    with server.session() as admin:
        with suppress(psycopg.errors.UniqueViolation):
            admin.execute("CREATE UNIQUE INDEX CONCURRENTLY customer_name ON customer (name)")
        yield "index:customer_name"
        admin.execute("DROP INDEX customer_name")


@contextmanager
def _waiting(server: Control, application: str, statement: str) -> Iterator[Session]:
    """A session that has sent a statement and waits; it is cut off at the end."""
    opened = psycopg.connect(server.url, autocommit=True, application_name=application)
    try:
        opened.execute("BEGIN")
        opened.execute(
            "UPDATE customer SET name = name WHERE id = %s", [{"middle": 2, "last": 3}.get(application, 4)]
        )
        opened.pgconn.send_query(statement.encode())
        yield opened
    finally:
        opened.cancel_safe()
        opened.pgconn.finish()
        opened.close()


@contextmanager
def _chain(server: Control) -> Iterator[str]:
    """One idle in its transaction, one that waits for it, and one that waits for that one."""
    with server.session("billing") as holder, ExitStack() as stack:
        holder.execute("BEGIN")
        holder.execute("UPDATE customer SET name = name WHERE id = 1")
        stack.enter_context(_waiting(server, "middle", "UPDATE customer SET name = name WHERE id = 1"))
        stack.enter_context(_waiting(server, "last", "UPDATE customer SET name = name WHERE id = 2"))
        with server.session() as watcher:
            _until(
                watcher,
                "SELECT count(*) = 2 FROM pg_locks WHERE NOT granted AND waitstart < now() - interval '60 ms'",
            )
        yield f"session:{holder.info.backend_pid}"
        holder.execute("ROLLBACK")


@contextmanager
def _long(server: Control) -> Iterator[str]:
    with _waiting(server, "report", "SELECT pg_sleep(300)") as opened, server.session() as watcher:
        _until(
            watcher, f"SELECT state = 'active' FROM pg_stat_activity WHERE pid = {opened.info.backend_pid}"
        )
        yield f"session:{opened.info.backend_pid}"


@contextmanager
def _idle(server: Control) -> Iterator[str]:
    with server.session("basket") as opened:
        opened.execute("BEGIN")
        opened.execute("SELECT name FROM customer WHERE id = 1")
        yield f"session:{opened.info.backend_pid}"
        opened.execute("ROLLBACK")


def _until(watcher: Session, question: str) -> None:
    for _ in range(2000):
        row = watcher.execute(f"SELECT pg_sleep(0.005), ({question})".encode()).fetchone()
        if row is not None and row[1]:
            return
    raise AssertionError(f"never true: {question}")


@contextmanager
def _slot(server: Control) -> Iterator[str]:
    made = "SELECT pg_create_physical_replication_slot('old_replica', true)"
    with _done(server, made, "SELECT pg_drop_replication_slot('old_replica')"):
        yield "slot:old_replica"


@contextmanager
def _sequence(server: Control) -> Iterator[str]:
    made, undo = ("SELECT setval('customer_id_seq', 1800000000)", "SELECT setval('customer_id_seq', 20000)")
    with _done(server, made, undo):
        yield "sequence:customer_id_seq"


@contextmanager
def _left_alone(server: Control) -> Iterator[str]:
    """Autovacuum is off for a table that is updated all day."""
    undo = "ALTER TABLE basket RESET (autovacuum_enabled)"
    with server.session() as shop, _done(server, "ALTER TABLE basket SET (autovacuum_enabled = off)", undo):
        for _ in range(4):
            shop.execute("UPDATE basket SET items = items || '{}'")
        shop.execute("SELECT pg_stat_force_next_flush()")
        yield "table:basket"
        shop.execute("VACUUM (FULL, ANALYZE) basket")


@contextmanager
def _temporary_files(server: Control) -> Iterator[str]:
    with server.session() as shop:
        for _ in range(2):
            shop.execute("SELECT count(*) FROM (SELECT page FROM visit ORDER BY page, id OFFSET 1) AS sorted")
    yield _statement(server, "SELECT count(*) FROM (SELECT page")


@contextmanager
def _connections(server: Control) -> Iterator[str]:
    with ExitStack() as stack:
        for n in range(31):
            stack.enter_context(psycopg.connect(server.url, application_name=f"worker {n}"))
        yield "setting:max_connections"


FAULTS = (
    Fault("a slow statement takes most of the time", "statement.slow", _slow),
    Fault("a statement reads most of what is read", "statement.io", _reading),
    Fault("an index is missing on a big table", "table.missing_index", _missing_index),
    Fault("an index is redundant", "index.redundant", _redundant),
    Fault("a foreign key has no index", "foreign_key.no_index", _foreign_key),
    Fault("CREATE INDEX CONCURRENTLY failed", "index.invalid", _invalid),
    Fault("a session idle in its transaction blocks a chain", "session.blocked", _chain),
    Fault("a transaction is open for 11 minutes", "transaction.long", _long, 660),
    Fault("a session is idle in its transaction for 2 minutes", "session.idle_in_transaction", _idle, 120),
    Fault("a replication slot has no reader", "replication.slot", _slot),
    Fault("a sequence is near its end", "sequence.near_end", _sequence),
    Fault("autovacuum is off for a table that is updated", "autovacuum.disabled", _left_alone),
    Fault("a statement sorts in temporary files", "statement.temp_files", _temporary_files),
    Fault("connections are used up", "connections.near_max", _connections),
)
