"""Every migration proven on a real server: up, down, up again, and up over a stranger of the same name."""

from __future__ import annotations

from dbtrust.migrate.mongo import prove_mongo
from dbtrust.migrate.postgres import prove_postgres

__all__ = ["prove_mongo", "prove_postgres"]
