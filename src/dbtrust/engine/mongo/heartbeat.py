"""The thread that keeps the lease while the migration works, and tells how far index builds are."""

from __future__ import annotations

import threading
from contextlib import suppress
from types import TracebackType
from typing import Any

from pymongo.database import Database
from pymongo.errors import PyMongoError

from dbtrust.engine.mongo import lease
from dbtrust.engine.mongo.builds import build_lines
from dbtrust.engine.mongo.ledger import LeaseLost, Ledger, LedgerGone
from dbtrust.model.progress import Progress


class Heartbeat:
    """Renews at a third of the lease's time. A lease that was lost shows at the next write of the migration."""

    def __init__(self, db: Database[Any], ledger: Ledger, progress: Progress) -> None:
        self._db, self._ledger, self._progress = db, ledger, progress
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dbtrust-lease", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(lease.SECONDS / 3):
            try:
                self._ledger.renew()
            except (LeaseLost, LedgerGone):
                return
            except PyMongoError:  # the main thread meets it as well, and knows what to do
                continue
            with suppress(PyMongoError):
                for line in build_lines(self._db):
                    self._progress(line)
