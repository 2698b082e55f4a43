"""PostgreSQL's half of `claims` on a database that is not ours."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from dbtrust.checks.live import LiveHalf
from dbtrust.claims.cases import Parsed
from dbtrust.claims.live import TIMEOUT_MS, judge_live_postgres
from dbtrust.claims.warnings import Judgement, row_security_findings
from dbtrust.engine.postgres.catalog import names_of
from dbtrust.engine.postgres.connect import connect_reading
from dbtrust.engine.postgres.relations import row_security_not_bound
from dbtrust.engine.postgres.scratch import server_version
from dbtrust.judge.claims import Names
from dbtrust.model.engine import Engine
from dbtrust.model.report import ServerInfo, Verdict


class LivePostgresHalf(LiveHalf):
    """Reads the catalog and explains; every transaction is READ ONLY."""

    engine: Engine = "postgres"
    _connection: psycopg.Connection[Any]

    def open(self) -> None:
        assert self._url is not None
        self._connection = self.keep(connect_reading(self._url, timeout_ms=TIMEOUT_MS))
        self.info = ServerInfo(server_version(self._connection), embedded=False)

    def connection_errors(self) -> tuple[type[Exception], ...]:
        return (psycopg.OperationalError,)

    def judged(self) -> list[Verdict]:
        names = Names(*names_of(self._connection))
        parsed = [
            Parsed(q, self.claims.of(q.subject), self._iterates(q.subject)) for q in self.project.queries
        ]
        found = judge_live_postgres(self._connection, parsed, names, self._data(), analyze=self.analyze)
        judged = [Judgement("postgres", p.query.subject, p.query.location, p.claims, p.cases) for p in parsed]
        self.findings += row_security_findings(judged, row_security_not_bound(self._connection))
        return found

    def _data(self) -> dict[str, Any]:
        """What every verdict names of its data; the rows are whatever stands there."""
        assert self.info is not None and self._url is not None
        database = str(conninfo_to_dict(self._url).get("dbname") or "")
        day = datetime.now(UTC).date().isoformat()
        return {"database": database, "rows": {}, "day": day, "settings": {}, "server": self.info.version}

    def _iterates(self, subject: str) -> bool:
        bound = self.project.bound.get(subject)
        return bound is not None and bound.iterates
