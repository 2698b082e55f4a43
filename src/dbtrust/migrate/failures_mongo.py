"""What went wrong in a MongoDB migration, in words that say what to do."""

from __future__ import annotations

import re

from pymongo.errors import PyMongoError

from dbtrust.engine.mongo.errors import describe, failure_of, lost
from dbtrust.engine.mongo.migrate import line_of
from dbtrust.migrate.runner import MigrationStopped
from dbtrust.model.errors import DbtrustError, QueryFileError, ServerError
from dbtrust.model.location import NOWHERE
from dbtrust.model.project import Migration

_UNAUTHORIZED, _IN_TRANSACTION, _DUPLICATE, _KILLED = 13, 263, 11000, 11601
_REFUSED = re.compile(
    r"not authorized on (?P<db>\S+) to execute command \{ (?P<command>\w+): ?\"?(?P<on>[^\",}]*)"
)
#: The action of a role that a command needs, where it is not called like the command.
_ACTIONS = {
    "create": "createCollection", "createIndexes": "createIndex", "dropIndexes": "dropIndex",
    "drop": "dropCollection", "renameCollection": "renameCollectionSameDB", "aggregate": "find",
    "findAndModify": "find, insert and update", "delete": "remove",
}  # fmt: skip


def stopped(error: Exception, migration: Migration, doing: str) -> DbtrustError:
    """The error for a step that failed; a server that is lost is exit code 3."""
    if isinstance(error, PyMongoError):
        if lost(error):
            return server_lost(error, f"{doing} of migration {migration.number}")
        place = line_of(error, migration)
        return MigrationStopped(f"{doing}: {_said(error)}", location=place, next=_next(error))
    if isinstance(error, ServerError):  # a client for the migration's own functions found nobody
        said = f"{doing} of migration {migration.number}: {error.message}"
        return ServerError(said, next=f"{error.next}, then run it again" if error.next else "run it again")
    if isinstance(error, QueryFileError) and error.location != NOWHERE:
        return error
    if isinstance(error, DbtrustError):
        step = error.next or "mend the step"
        return MigrationStopped(f"{doing}: {error.message}", location=line_of(error, migration), next=step)
    said = f"{doing} raised {type(error).__name__}: {' '.join(str(error).split())}"
    return MigrationStopped(said, location=line_of(error, migration), next="mend the migration")


def server_lost(error: Exception, where: str) -> ServerError:
    said = describe(error).partition(", Timeout:")[0]
    return ServerError(
        f"the MongoDB server was lost in {where}: {said}",
        next="the ledger says how far it came: start the server, then run `dbtrust migrate up` again",
    )


def refused(error: PyMongoError, what: str) -> DbtrustError:
    """The error for the ledger's own commands."""
    if lost(error):
        return server_lost(error, what)
    if failure_of(error).code == _UNAUTHORIZED and "requires authentication" in str(error):
        return ServerError(
            f"{what}: {describe(error)}",
            next="name a user and a password in the URL: mongodb://USER:PASSWORD@HOST/NAME?authSource=admin",
        )
    return MigrationStopped(f"{what}: {_said(error)}", next=_next(error))


def _said(error: PyMongoError) -> str:
    code = failure_of(error).code
    match = _REFUSED.search(str(error)) if code == _UNAUTHORIZED else None
    if match:
        action = _ACTIONS.get(match["command"], match["command"])
        on = (
            f"{match['db']}.{match['on']}"
            if match["on"] and not match["on"].replace(".", "").isdigit()
            else match["db"]
        )
        return f"the role lacks the privilege {action} on {on} (13: {match['command']} was refused)"
    if code == _IN_TRANSACTION:
        return f"{describe(error)}: DDL cannot run in a transaction"
    return describe(error)


def _next(error: PyMongoError) -> str:
    code = failure_of(error).code
    if code == _UNAUTHORIZED:
        return "grant it (readWrite and dbAdmin on the database are enough), then run it again"
    if code == _IN_TRANSACTION:
        return "call it without session=, before the transaction begins or after it has ended"
    if code == _DUPLICATE:
        return "remove or merge the duplicates in an earlier step, then run it again"
    if code == _KILLED:
        return "somebody ended the operation; run it again"
    return "mend the step"
