"""Runs runners in processes of their own: `python forks.py ACTION URL [ARGUMENTS]`, a JSON document on stdout.

One process without threads forks the others, so that a hundred of them cost little.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import psycopg
from histories import ALONE, ALONE_DOWN, apply, migration, runner

from dbtrust.engine.postgres.catalog import snapshot
from dbtrust.engine.postgres.connect import with_database
from dbtrust.engine.postgres.simple import Simple
from dbtrust.model.progress import silent

#: Both kinds of files, with statements of each kind that is resumed; none is "at least once".
HISTORY = [
    migration(1, "CREATE TABLE t (id int PRIMARY KEY, n int);\nINSERT INTO t SELECT i, i FROM generate_series(1, 50) i;"),
    migration(
        2,
        f"{ALONE}UPDATE t SET n = n + 1000;\nCREATE UNIQUE INDEX CONCURRENTLY t_n ON t (n);\nVACUUM t;\n"
        f"BEGIN;\nINSERT INTO t VALUES (51, 0);\nUPDATE t SET n = n + 1000;\nCOMMIT;\nREINDEX INDEX CONCURRENTLY t_n;"
        f"{ALONE_DOWN}DROP INDEX CONCURRENTLY t_n;\nDELETE FROM t WHERE id = 51;\nUPDATE t SET n = n - 2000;",
    ),
    migration(3, "ALTER TABLE t ADD m int;\nCOPY t FROM stdin;\n60\t7\t\\N\n\\.\n-- verify: (SELECT count(*) FROM t) = 52\n"),
    migration(
        4,
        f"{ALONE}CREATE TABLE p (a int) PARTITION BY RANGE (a);\nCREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);\n"
        "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;\nCREATE INDEX CONCURRENTLY ON t (m);\n"
        "DROP INDEX CONCURRENTLY t_n;",
    ),
]  # fmt: skip


def forked(work: Callable[[], None]) -> int:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
        os._exit(code)
    return pid


def code_of(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def state(url: str) -> str:
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute("SELECT * FROM t ORDER BY 1").fetchall()
        ledger = connection.execute(
            "SELECT number, step, state, checksum FROM dbtrust_migration WHERE number > 0 ORDER BY 1, 2"
        ).fetchall()
        left = connection.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone()
        objects = sorted(str(o) for o in snapshot(connection).objects)
    return json.dumps([sum(row[1] for row in rows), len(rows), ledger, left, objects], default=str)


def dying(url: str, at: int) -> None:
    """Applies the history and is killed just behind its `at`-th message: nobody takes the server's answer."""
    real, count = Simple.run, 0

    def run(self: Simple, text: bytes, data: str | None = None) -> list[Any]:
        nonlocal count
        count += 1
        if count == at:
            self._pgconn.send_query(text)
            while self._pgconn.flush():
                time.sleep(0.001)
            os.kill(os.getpid(), signal.SIGKILL)
        return real(self, text, data)

    Simple.run = run
    apply(url, HISTORY)


def kills(url: str, every: str = "1") -> dict[str, Any]:
    """A kill behind every message, until a run gets through without one: its state is what the others must end in.

    `every` 3 takes each third message.
    """
    with psycopg.connect(url, autocommit=True) as admin:
        states: list[str] = []
        for at in range(1, 200, int(every)):
            admin.execute("DROP DATABASE IF EXISTS killed WITH (FORCE)")
            admin.execute("CREATE DATABASE killed")
            there = with_database(url, "killed")
            killed = code_of(forked(lambda at=at, there=there: dying(there, at)))
            if killed == 0:
                wanted = state(there)
                admin.execute("DROP DATABASE killed WITH (FORCE)")
                return {
                    "points": len(states),
                    "wrong": [1 + n * int(every) for n, s in enumerate(states) if s != wanted],
                }
            code = code_of(forked(lambda there=there: void(apply(there, HISTORY))))
            states.append(state(there) if code == 0 else f"exit {code}")
    return {}


def void(value: object) -> None:
    del value


def race(url: str, runners: str) -> dict[str, Any]:
    pids = [forked(lambda: void(apply(url, HISTORY))) for _ in range(int(runners))]
    return {"codes": [code_of(pid) for pid in pids], "state": state(url)}


def stopped(url: str) -> dict[str, Any]:
    """A runner with a lease is stopped in the middle of a migration; another takes over; the first goes on."""
    reading, writing = os.pipe()

    def slow() -> None:
        def told(message: str, /) -> None:
            os.write(writing, b"x")
            os.kill(os.getpid(), signal.SIGSTOP)

        one = runner(url, mode="lease", lease_seconds=1.0)
        with one.locked(silent):
            one.up(HISTORY[0], None, silent)
            told("")
            one.up(HISTORY[1], None, silent)

    first = forked(slow)
    os.read(reading, 1)
    os.waitpid(first, os.WUNTRACED)
    applied: list[str] = []
    second = forked(lambda: applied.extend(apply(url, HISTORY, mode="lease", lease_seconds=1.0)))
    codes = [code_of(second)]
    os.kill(first, signal.SIGCONT)
    return {"codes": [*codes, code_of(first)], "state": state(url)}


if __name__ == "__main__":
    action = {"kills": kills, "race": race, "stopped": stopped}[sys.argv[1]]
    print(json.dumps(action(*sys.argv[2:])))
