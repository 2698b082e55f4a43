"""A server with every fault that a diagnostic looks for, made by doing what makes it, and a healthy one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from dbtrust.engine.postgres.binaries import PostgresBinaries
from dbtrust.engine.postgres.server import PostgresServer, start_postgres, write_configuration
from dbtrust.engine.postgres.settings import configuration
from dbtrust.engine.runs import Run
from dbtrust.engine.watchdog import title
from dbtrust.judge.statements import split

_HERE = Path(__file__).parent
#: Transaction ids and multixacts at which the sick cluster goes on: 1.7 thousand million.
_OLD = 1_700_000_000
SICK: dict[str, Any] = {
    "max_connections": 26, "superuser_reserved_connections": 3, "max_prepared_transactions": 5,
    "wal_level": "logical", "max_wal_senders": 5, "max_replication_slots": 5, "archive_mode": True,
    "archive_command": "false", "work_mem": "64kB", "deadlock_timeout": "10ms", "enable_material": False,
    "pg_stat_statements.max": 100, "pg_stat_statements.track_planning": True,
    "autovacuum_freeze_max_age": 2_000_000_000, "autovacuum_multixact_freeze_max_age": 2_000_000_000,
    "max_parallel_workers_per_gather": 0,
}  # fmt: skip
HEALTHY: dict[str, Any] = {
    "shared_buffers": "96MB", "fsync": True, "full_page_writes": True, "track_io_timing": True,
    "log_lock_waits": True, "log_min_duration_statement": "1s", "wal_level": "replica", "max_wal_senders": 5,
    "checkpoint_timeout": "5min",
}  # fmt: skip


@dataclass(frozen=True)
class Ill:
    """The sick server's URL, and the session that holds the lock that another one waits for."""

    url: str
    holder: int
    server: PostgresServer


@contextmanager
def healthy(run: Run, binaries: PostgresBinaries) -> Iterator[str]:
    """The URL of a server on which nothing is to be found, near misses included."""
    server = start_postgres(run, binaries, settings=HEALTHY)
    url = server.admin_url()
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET autovacuum = on")
        _script(admin, "healthy")
        hba = server.folder / "data" / "pg_hba.conf"
        hba.write_text("local all all trust\nlocal replication all trust\n", encoding="utf-8")
        admin.execute("SELECT pg_reload_conf()")
        for number in range(150):
            admin.execute("SELECT v FROM item WHERE id = %s", [number], prepare=False)
            admin.execute("SELECT count(*) FROM tiny", prepare=False)
    yield url
    server.stop()


@contextmanager
def sick(run: Run, binaries: PostgresBinaries) -> Iterator[Ill]:
    """The sick server, with its sessions, until the end of the block."""
    server = start_postgres(run, binaries, settings=SICK)
    with psycopg.connect(server.admin_url(), autocommit=True) as admin:
        _script(admin, "sick_before")
        row = admin.execute("SELECT pg_relation_filepath('damaged')").fetchone()
        assert row is not None
    _age(run, binaries, server)
    _damage(server.folder / "data" / row[0])
    server.relaunch()
    with ExitStack() as stack:
        opened = Opened(server.admin_url(), stack)
        holder = _make(opened)
        yield Ill(server.admin_url(), holder, server)
    server.stop()


@contextmanager
def standby(run: Run, binaries: PostgresBinaries, primary: str) -> Iterator[str]:
    """The URL of a standby of the healthy server, which has not replayed the last 20 MB."""
    folder = run.add("p")
    argv = ["pg_basebackup", "-D", folder / "data", "-X", "stream", "-c", "fast", "--no-sync"]
    argv += ["-d", psycopg.conninfo.make_conninfo(primary, dbname=None), "-R"]
    process = run.spawn([binaries.folder / "pg_basebackup", *argv[1:]], folder=folder, log=folder / "tools")
    assert process.wait() == 0, (folder / "tools").read_text()
    server = PostgresServer(run, binaries, folder)
    source = psycopg.conninfo.make_conninfo(primary, dbname=None, application_name="late")
    own = {
        "unix_socket_directories": folder,
        "port": 5432,
        "cluster_name": title(str(folder)),
        "hot_standby": True,
    }
    text = configuration(HEALTHY, {**own, "primary_conninfo": source})
    (folder / "data" / "postgresql.auto.conf").write_text("", encoding="utf-8")
    write_configuration(folder / "data", text, "local all all trust\n")
    server.launch({})
    with psycopg.connect(server.admin_url(), autocommit=True) as replica:
        replica.execute("SELECT pg_wal_replay_pause()")
        with psycopg.connect(primary, autocommit=True) as admin:
            admin.execute(
                "CREATE TABLE shipped AS SELECT repeat('x', 1000) AS v FROM generate_series(1, 20000)"
            )
            _until(admin, "SELECT pg_wal_lsn_diff(flush_lsn, replay_lsn) > 17000000 FROM pg_stat_replication")
    yield server.admin_url()
    server.stop()


def _age(run: Run, binaries: PostgresBinaries, server: PostgresServer) -> None:
    """Halts the server, turns checksums on and lets its ids go on from where they are nearly used up."""
    server.halt()
    data, log = server.folder / "data", server.folder / "tools"
    for argv in (
        ["pg_checksums", "--enable", "--no-sync", "-D", data],
        ["pg_resetwal", "-x", str(_OLD), "-m", f"{_OLD},1", "-D", data],
    ):
        process = run.spawn([binaries.folder / str(argv[0]), *argv[1:]], folder=server.folder, log=log)
        assert process.wait() == 0, log.read_text()
    # The segments in which the next ids are noted: pg_resetwal makes none.
    _segment(data / "pg_xact" / f"{_OLD // (32 * 8192 * 4):04X}")
    _segment(data / "pg_multixact" / "offsets" / f"{_OLD // (32 * 2048):04X}")


def _segment(path: Path) -> None:
    path.write_bytes(bytes(32 * 8192))
    owner = path.parent.stat()
    os.chown(path, owner.st_uid, owner.st_gid)
    path.chmod(0o600)


def _damage(path: Path) -> None:
    """One page is no longer what its checksum says."""
    with path.open("r+b") as file:
        file.seek(8192 + 4000)
        file.write(b"?" * 40)


@dataclass
class Opened:
    """Sessions of the sick server that stay open."""

    url: str
    stack: ExitStack

    def session(self, application: str) -> psycopg.Connection[Any]:
        return self.stack.enter_context(_Left(self.url, application))

    def start(self, application: str, statement: str) -> psycopg.Connection[Any]:
        """A session that has begun a statement and waits for its end."""
        connection = self.session(application)
        connection.pgconn.send_query(statement.encode())
        return connection


class _Left:
    """A connection that is cut off at the end, whatever it does."""

    def __init__(self, url: str, application: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True, application_name=application)

    def __enter__(self) -> psycopg.Connection[Any]:
        return self._connection

    def __exit__(self, *error: object) -> None:
        self._connection.pgconn.finish()
        self._connection.close()


def _make(opened: Opened) -> int:
    with psycopg.connect(opened.url, autocommit=True, prepare_threshold=None) as admin:
        admin.execute("CREATE EXTENSION pg_stat_statements")
        admin.execute("CREATE EXTENSION pgstattuple VERSION '1.4'")
        _script(admin, "sick")
        _break(admin, "CREATE UNIQUE INDEX CONCURRENTLY sick_invalid ON twins (v)")
        admin.execute("VACUUM (ANALYZE) bloated")
        admin.execute("ANALYZE twins, scanned, child, hot, parted")
        _forget(admin)
        _evict(admin)
        _script(admin, "sick_work")
        _workload(admin)
        _break(admin, "SELECT count(v) FROM damaged")
        _deadlock(opened)
        admin.execute("BEGIN; INSERT INTO nokey VALUES (1); PREPARE TRANSACTION 'forgotten'")
        admin.execute("ALTER SYSTEM SET max_locks_per_transaction = 128")
        admin.execute("SELECT pg_reload_conf()")
    return _sessions(opened)


def _script(admin: psycopg.Connection[Any], name: str) -> None:
    """Statement by statement: in one transaction the server would count otherwise."""
    for statement in split((_HERE / f"{name}.sql").read_text(encoding="utf-8")):
        admin.execute(statement.text.encode())


def _break(admin: psycopg.Connection[Any], statement: str) -> None:
    try:
        admin.execute(statement.encode())
    except psycopg.Error:
        return
    raise AssertionError(f"{statement} did not fail")


def _forget(admin: psycopg.Connection[Any]) -> None:
    admin.execute("SELECT pg_stat_reset()")
    admin.execute("SELECT pg_stat_statements_reset()")
    counter = "checkpointer" if admin.info.server_version >= 170000 else "bgwriter"
    admin.execute("SELECT pg_stat_reset_shared(%s)", [counter])


def _evict(admin: psycopg.Connection[Any]) -> None:
    """More statements than pg_stat_statements.max, each with one column more."""
    for number in range(1, 130):
        admin.execute(f"SELECT {', '.join('1' * number)}".encode())


def _workload(admin: psycopg.Connection[Any]) -> None:
    joined = " ".join(f"JOIN twins t{n} ON t{n}.id = a.v" for n in range(7))
    # The builds of its indexes were scans, too.
    admin.execute("SELECT pg_stat_force_next_flush()")
    admin.execute("SELECT pg_stat_reset_single_table_counters('scanned'::regclass)")
    for number in range(30):
        admin.execute("SELECT count(*) FROM big WHERE v = 'y'")
        admin.execute("SELECT count(*) FROM scanned WHERE v = 'y'")
        admin.execute("INSERT INTO sink SELECT generate_series(1, 5000)")
        admin.execute(f"SELECT count(*) FROM nokey a {joined} WHERE a.v < 0".encode())
        for key in range(5):
            admin.execute("SELECT v FROM scanned WHERE id = %s", [number + key])
    for _ in range(12):
        admin.execute("INSERT INTO nokey VALUES (1)")
        admin.execute("CHECKPOINT")
    for _ in range(1000):
        admin.execute("BEGIN; ROLLBACK")
    admin.execute("SELECT pg_sleep(0.6)")
    admin.execute("SELECT pg_switch_wal()")
    _until(admin, "SELECT failed_count > 0 FROM pg_stat_archiver")


def _until(admin: psycopg.Connection[Any], question: str) -> None:
    for _ in range(2000):
        row = admin.execute(f"SELECT pg_sleep(0.005), ({question})".encode()).fetchone()
        if row is not None and row[1]:
            return
    raise AssertionError(f"never true: {question}")


def _deadlock(opened: Opened) -> None:
    first, second = opened.session("first"), opened.session("second")
    for connection, row in ((first, 1), (second, 2)):
        connection.execute("BEGIN")
        connection.execute("UPDATE twins SET v = v WHERE id = %s", [row])
    first.pgconn.send_query(b"UPDATE twins SET v = v WHERE id = 2")
    with psycopg.connect(opened.url, autocommit=True) as watcher:
        _until(watcher, "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted")
    try:
        second.execute("UPDATE twins SET v = v WHERE id = 1")
    except psycopg.errors.DeadlockDetected:
        second.execute("ROLLBACK")
    finally:
        # What a session counted is told at its end at the latest.
        first.pgconn.finish()
        second.close()


def _sessions(opened: Opened) -> int:
    """An idle transaction that holds a lock, two that wait one behind the other, five that sleep, many idle."""
    holder = opened.session("billing")
    holder.execute("BEGIN")
    holder.execute("UPDATE twins SET v = v WHERE id = 3 /* card 4111 1111 1111 1111 */")
    middle = opened.session("middle")
    middle.execute("BEGIN")
    middle.execute("UPDATE twins SET v = v WHERE id = 4")
    middle.pgconn.send_query(b"UPDATE twins SET v = v WHERE id = 3")
    opened.start("last", "UPDATE twins SET v = v WHERE id = 4")
    for _ in range(5):
        opened.start("sleeper", "SELECT pg_sleep(600)")
    for number in range(10):
        opened.session(f"idle {number}")
    with psycopg.connect(opened.url, autocommit=True) as watcher:
        _until(watcher, "SELECT deadlocks > 0 FROM pg_stat_database WHERE datname = current_database()")
        _until(watcher, "SELECT n_tup_upd = 6000 FROM pg_stat_user_tables WHERE relname = 'hot'")
        _until(
            watcher,
            "SELECT count(*) = 2 FROM pg_locks WHERE NOT granted AND waitstart < now() - interval '60 ms'",
        )
    return holder.info.backend_pid
