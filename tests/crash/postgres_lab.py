"""PostgreSQL under crash tests."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
from psycopg import sql
from tests.crash.lab import HERE, State, kill_server, ledger, words

from dbtrust.engine.postgres.binaries import find_postgres
from dbtrust.engine.postgres.catalog import snapshot
from dbtrust.engine.postgres.server import OWNER, PostgresServer, start_postgres
from dbtrust.engine.runs import Run
from dbtrust.model.ledger import Entry
from dbtrust.model.plan import Engine

_BASE = "base"
_UNFINISHED = """
SELECT 'invalid index ' || indexrelid::regclass FROM pg_index WHERE NOT indisvalid OR NOT indisready
UNION ALL SELECT 'constraint not validated ' || conname FROM pg_constraint WHERE NOT convalidated
UNION ALL SELECT 'partition being detached ' || inhrelid::regclass FROM pg_inherits WHERE inhdetachpending
"""
_TABLES = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname = 'public' AND c.relname <> 'dbtrust_migration' ORDER BY 1
"""
_DOING = """
SELECT state, query FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend' AND query <> ''
ORDER BY state = 'active' DESC, state LIKE 'idle in%%' DESC, query LIKE '%%advisory%%', state_change DESC
"""


class PostgresLab:
    engine: Engine = "postgres"
    folder = HERE / "postgres"

    def __init__(self, run: Run, server: PostgresServer | None = None) -> None:
        self.server = server or start_postgres(run, find_postgres("17"))
        self._owned = server is None
        self._watch_lock = threading.Lock()
        self._admin = self._connect()
        self._base = f"{_BASE}_{id(self)}"
        self._create(self._base, "template0")
        with psycopg.connect(self.server.owner_url(self._base), autocommit=True) as connection:
            for statement in (self.folder / "base.sql").read_text(encoding="utf-8").split(";\n"):
                connection.execute(statement.encode())

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.server.admin_url(), autocommit=True)

    def _create(self, name: str, template: str) -> None:
        identifiers = (sql.Identifier(name), sql.Identifier(template), sql.Identifier(OWNER))
        with self._connect() as admin:
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(*identifiers))

    def fresh(self, name: str) -> str:
        self._create(name, self._base)
        return self.server.owner_url(name)

    def drop(self, name: str) -> None:
        with self._connect() as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def state(self, name: str) -> State:
        with psycopg.connect(self.server.admin_url(name), autocommit=True) as connection:
            tables = [row[0] for row in connection.execute(_TABLES)]
            rows = {table: str(connection.execute(_digest(table)).fetchone()) for table in tables}
            unfinished = [row[0] for row in connection.execute(_UNFINISHED)]
            return State(snapshot(connection), rows, unfinished)

    def entries(self, name: str) -> dict[int, Entry]:
        return ledger(self.engine, self.server.owner_url(name))

    def doing(self, name: str) -> str:
        with self._watch_lock:
            found = self._admin.execute(_DOING, [name]).fetchone()
        if found is None:
            return "no connection"
        state, query = found
        if state == "active":
            return f"in {words(query)}"
        return f"after {words(query)}" + (", in the transaction" if "transaction" in state else "")

    def crash(self) -> None:
        kill_server(self.server.folder, self.server._process)
        self.server.relaunch()
        self._admin.close()
        self._admin = self._connect()

    def close(self) -> None:
        self._admin.close()
        if self._owned:
            self.server.stop()


def _digest(table: str) -> bytes:
    """Of all rows, whatever their order; the columns by name."""
    return f"SELECT count(*), md5(string_agg(to_jsonb(t)::text, E'\\n' ORDER BY to_jsonb(t)::text)) FROM {table} t".encode()
