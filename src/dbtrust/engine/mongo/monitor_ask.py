"""How monitoring asks a server: bounded, marked, and a refusal is written down once."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import pymongo
from pymongo import MongoClient, ReadPreference
from pymongo.command_cursor import CommandCursor
from pymongo.errors import ConnectionFailure, ExecutionTimeout, NetworkTimeout, OperationFailure, PyMongoError

from dbtrust.engine.mongo.errors import describe, failure_of
from dbtrust.engine.mongo.urls import redact
from dbtrust.model.report import NotExamined

Document = Mapping[str, Any]
Rows = list[dict[str, Any]]
T = TypeVar("T")
#: Every command carries it, so that it is known in logs and in $currentOp.
COMMENT = "dbtrust monitor"
#: The name that dbtrust's own connections say.
APP = "dbtrust"
#: Not authorised; and, of a command that this server does not know: CommandNotFound, an unknown stage.
UNAUTHORIZED, UNKNOWN = 13, frozenset({59, 40324})
#: How much longer than the server's own limit an answer is waited for, in seconds.
_GRACE = 3.0
_BATCH, _WHOLE = 2000, 100_000
#: After so many sections without an answer the server counts as gone.
_SILENCES = 3
_SECONDARY = {"mode": "secondaryPreferred"}


@dataclass(slots=True)
class Notes:
    """What was not examined, each thing once; `lost` is why nothing more is asked: the server went away.

    `silences`: so many sections ended without an answer in time. One may be slow, several are a server that hangs.
    """

    found: dict[str, NotExamined] = field(default_factory=dict[str, NotExamined])
    lost: str = ""
    silences: int = 0

    def add(self, what: str, needs: str) -> None:
        self.found.setdefault(what, NotExamined(what, needs))

    def tell(self, items: Iterable[NotExamined]) -> None:
        for item in items:
            self.add(item.what, item.needs)


@dataclass(slots=True)
class Asker:
    """One client of one server. Every command has maxTimeMS, a comment, and may be read from a secondary."""

    client: MongoClient[dict[str, Any]]
    url: str
    timeout_ms: int
    notes: Notes = field(default_factory=Notes)

    def command(self, database: str, command: Document) -> dict[str, Any]:
        """One command's reply. Raises PyMongoError."""
        with self._patience():
            return self.client.get_database(database).command(
                self._marked(command), read_preference=ReadPreference.PRIMARY_PREFERRED
            )

    def _marked(self, command: Document) -> dict[str, Any]:
        # Behind the name: the server's log keeps the beginning of a long command alone.
        name = next(iter(command))
        return {name: command[name], "comment": COMMENT, **command, "maxTimeMS": self.timeout_ms}

    def _patience(self) -> AbstractContextManager[object]:
        return pymongo.timeout(self.timeout_ms / 1000 + _GRACE)

    def rows(
        self, database: str, target: str | int, pipeline: Sequence[Document], **options: Any
    ) -> Iterator[dict[str, Any]]:
        """The documents of an aggregation. Raises PyMongoError."""
        asked = {"aggregate": target, "pipeline": list(pipeline), "cursor": {"batchSize": _BATCH}, **options}
        yield from self._cursor(database, asked)

    def at_once(self, database: str, target: str, pipeline: Sequence[Document]) -> Rows | None:
        """The documents of an aggregation that fit into one reply; None where they do not. Raises PyMongoError.

        No getMore follows: on MongoDB 6.0.5 one that begins a $unionWith of $collStats ends the whole server
        (DocumentSourceCollStatsSpec::serialize reads a request that is gone).
        """
        asked = {"aggregate": target, "pipeline": list(pipeline), "cursor": {"batchSize": _WHOLE}}
        cursor = self.command(database, asked)["cursor"]
        if not cursor["id"]:
            return cursor["firstBatch"]
        self.command(database, {"killCursors": target, "cursors": [cursor["id"]]})
        return None

    def found(self, database: str, collection: str, **options: Any) -> Iterator[dict[str, Any]]:
        """The documents of a find. Raises PyMongoError."""
        yield from self._cursor(database, {"find": collection, "batchSize": _BATCH, **options})

    def collections(self, database: str) -> Iterator[dict[str, Any]]:
        """listCollections' documents. Raises PyMongoError."""
        yield from self._cursor(database, {"listCollections": 1, "cursor": {"batchSize": _BATCH}})

    def _cursor(self, database: str, command: Document) -> Iterator[dict[str, Any]]:
        """Batch by batch through the driver's own cursor: a getMore must not carry maxTimeMS, which it knows."""
        with self.client.start_session() as session:
            with self._patience():
                cursor = self.client.get_database(database).cursor_command(
                    self._marked(command), session=session, read_preference=ReadPreference.PRIMARY_PREFERRED,
                    comment=COMMENT,
                )  # fmt: skip
            with cursor:
                while batch := self._batch(cursor):
                    yield from batch

    def _batch(self, cursor: CommandCursor[dict[str, Any]]) -> Rows:
        with self._patience():
            return cursor.to_list(_BATCH)

    def section(self, what: str, needs: str, read: Callable[[], T]) -> T | None:
        """What `read` gives, or None and a note: `needs` is the right without which the server refuses."""
        if self.notes.lost:
            self.notes.add(what, "a server that answers until the end")
            return None
        with self.noting(what, needs):
            return read()
        return None

    @contextmanager
    def noting(self, what: str, needs: str) -> Generator[None]:
        """An error inside becomes a note about `what`."""
        try:
            yield
        except ExecutionTimeout:
            self.notes.add(what, f"more than {self.timeout_ms / 1000:g} seconds of the server's time")
        except OperationFailure as error:
            self.notes.add(what, self._needed(error, needs))
        except NetworkTimeout:
            self.notes.silences += 1
            self.notes.add(what, f"an answer within {self.timeout_ms / 1000 + _GRACE:g} seconds")
            if self.notes.silences >= _SILENCES:
                self.notes.lost = f"{self.notes.silences} questions were not answered in time"
        except ConnectionFailure as error:
            self.notes.lost = redact(describe(error).partition(", Timeout:")[0], self.url)
            self.notes.add(what, "a server that answers until the end")
        except PyMongoError as error:
            self.notes.add(what, f"an answer of the server ({redact(describe(error), self.url)})")

    def _needed(self, error: OperationFailure, needs: str) -> str:
        code = failure_of(error).code
        if code == UNAUTHORIZED:
            return needs
        if code in UNKNOWN:
            return "a server that has this command"
        return f"an answer of the server ({redact(describe(error), self.url)})"


#: Where an entry of the profiler or of the log has its command; a getMore has the one that it goes on with.
_COMMANDS = ("command", "originatingCommand")


def not_own(*more: str) -> dict[str, Any]:
    """Matches what monitoring did not send; `more` are further places of the command.

    Name and comment together tell it: a program may have either, and the other verbs of dbtrust have the name alone.
    """
    return {"$nor": [{"appName": APP, f"{place}.comment": COMMENT} for place in (*_COMMANDS, *more)]}


def is_own(entry: Document) -> bool:
    """Did monitoring send this operation of the profiler or of the log? As `not_own` says it."""
    return entry.get("appName") == APP and any(
        inside(entry.get(place), "comment") == COMMENT for place in _COMMANDS
    )


def sample_options() -> dict[str, Any]:
    """Where documents may be read from: a secondary, if there is one."""
    return {"$readPreference": _SECONDARY}


def iso(value: Any) -> str | None:
    """A date as ISO 8601 text in UTC; None for what is none."""
    if not isinstance(value, datetime.datetime):
        return None
    aware = value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
    return aware.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def number(value: Any) -> float | int | None:
    """A number of the server as JSON has it; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if isinstance(value, int) or value.is_integer() else float(value)


def inside(document: Any, path: str) -> Any:
    """What stands at a path of keys divided by "/"; None where there is nothing."""
    here: Any = document
    for key in path.split("/"):
        if not isinstance(here, Mapping):
            return None
        here = cast("Document", here).get(key)
    return here


def picked(document: Any, paths: Mapping[str, str]) -> dict[str, Any]:
    """The numbers of a document by our names: {name: path}."""
    return {name: number(inside(document, path)) for name, path in paths.items()}
