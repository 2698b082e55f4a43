"""Opens a client that has proved that its server answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote_plus

from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.monitoring import CommandListener

from dbtrust.engine.mongo.errors import describe
from dbtrust.model.errors import ServerError

Document = dict[str, Any]
_CREDENTIALS = re.compile(r"//(?P<user>[^:@/]*):(?P<password>[^/]*)@")


def redact(text: str, url: str) -> str:
    """`text` without the password of `url`, written plain or percent-encoded."""
    found = _CREDENTIALS.search(url)
    if found and found["password"]:
        for secret in {found["password"], unquote_plus(found["password"])}:
            text = text.replace(secret, "***")
    return text


def connect(
    url: str, *, listeners: Sequence[CommandListener] = (), timeout_ms: int = 10_000
) -> MongoClient[Document]:
    """A client of the server at `url`, pinged; dates are aware, UUIDs standard unless the URL says otherwise.

    Raises ServerError, without the password, where the URL is wrong or nothing answers within `timeout_ms`.
    """
    options: dict[str, Any] = {"serverSelectionTimeoutMS": timeout_ms, "connectTimeoutMS": timeout_ms}
    if "uuidrepresentation" not in url.lower():
        options["uuidRepresentation"] = "standard"
    client: MongoClient[Document] | None = None
    try:
        client = MongoClient(
            url, event_listeners=list(listeners), tz_aware=True, appname="dbtrust", **options
        )
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
    if _CREDENTIALS.search(url):
        client.admin.command("connectionStatus")


def _refusal(error: Exception, url: str) -> ServerError:
    place = redact(url, url).partition("?")[0]
    if isinstance(error, OperationFailure):
        return ServerError(
            f"MongoDB at {place} refused the connection: {redact(describe(error), url)}",
            next="check user, password and authSource of the URL",
        )
    if not isinstance(error, PyMongoError) or not url.startswith(("mongodb://", "mongodb+srv://")):
        return ServerError(
            f"{place!r} is no MongoDB URL: {redact(str(error), url)}",
            next="write mongodb://HOST:PORT/?replicaSet=NAME",
        )
    reason = redact(str(error), url).partition(", Timeout:")[0].partition(" (configured timeouts")[0]
    return ServerError(
        f"MongoDB at {place} does not answer: {reason}", next="start the server or correct the URL"
    )
