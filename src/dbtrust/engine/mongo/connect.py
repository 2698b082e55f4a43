"""Opens a client that has proved that its server answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import ConfigurationError, OperationFailure, PyMongoError
from pymongo.monitoring import CommandListener

from dbtrust.engine.mongo.errors import describe
from dbtrust.engine.mongo.urls import check_url, has_credentials, redact, shown, unreadable
from dbtrust.model.errors import DbtrustError, ServerError

Document = dict[str, Any]
#: How long a server of the user's is waited for.
SELECTION_MS = 10_000


def connect(
    url: str,
    *,
    listeners: Sequence[CommandListener] = (),
    timeout_ms: int = SELECTION_MS,
    appname: str = "dbtrust",
) -> MongoClient[Document]:
    """A client of the server at `url`, pinged; dates are aware, UUIDs standard unless the URL says otherwise.

    `appname` is how the server names what the client does in $currentOp.

    Raises, without the password, ConfigError for a URL that cannot be read and ServerError where nothing answers
    within `timeout_ms`.
    """
    check_url(url)
    options: dict[str, Any] = {"serverSelectionTimeoutMS": timeout_ms, "connectTimeoutMS": timeout_ms}
    if "uuidrepresentation" not in url.lower():
        options["uuidRepresentation"] = "standard"
    client: MongoClient[Document] | None = None
    try:
        client = MongoClient(url, event_listeners=list(listeners), tz_aware=True, appname=appname, **options)
        client.admin.command("ping")
        _authenticated(client, url)
    except (PyMongoError, ValueError, TypeError) as error:
        if client is not None:
            client.close()
        raise _refusal(error, url) from None
    return client


def connect_async(url: str, *, listeners: Sequence[CommandListener] = ()) -> AsyncMongoClient[Document]:
    """The asynchronous client of a server that `connect` has reached; made inside a running event loop."""
    options: dict[str, Any] = (
        {} if "uuidrepresentation" in url.lower() else {"uuidRepresentation": "standard"}
    )
    client: AsyncMongoClient[Document] = AsyncMongoClient(
        url, event_listeners=list(listeners), tz_aware=True, appname="dbtrust", **options
    )
    return client


def _authenticated(client: MongoClient[Document], url: str) -> None:
    """Ping answers without credentials, so a wrong password shows only at the first real command."""
    if has_credentials(url):
        client.admin.command("connectionStatus")


def _refusal(error: Exception, url: str) -> DbtrustError:
    place = shown(url)
    if isinstance(error, OperationFailure):
        return ServerError(
            f"MongoDB at {place} refused the connection: {redact(describe(error), url)}",
            next="check user, password and authSource of the URL",
        )
    unresolved = isinstance(error, ConfigurationError) and "DNS" in str(error)
    if not unresolved and (isinstance(error, ConfigurationError) or not isinstance(error, PyMongoError)):
        return unreadable(url, error)
    reason = redact(str(error), url).partition(", Timeout:")[0].partition(" (configured timeouts")[0]
    return ServerError(
        f"MongoDB at {place} does not answer: {reason}", next="start the server or correct the URL"
    )
