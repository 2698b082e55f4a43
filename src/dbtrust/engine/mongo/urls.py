"""MongoDB connection strings: read, changed, and shown without what is secret."""

from __future__ import annotations

import re
import warnings
from urllib.parse import parse_qsl, quote, unquote, unquote_plus, urlencode, urlsplit, urlunsplit

from dbtrust.model.errors import ConfigError
from dbtrust.model.text import LEAST_SECRET

_SRV = "mongodb+srv://"
_CREDENTIALS = re.compile(r"//(?P<user>[^:@/]*):(?P<password>[^/]*)@")
_QUOTED = re.compile(r"(?P<mark>[\"'])(?P<text>.*?)(?P=mark)")
_STEP = "write mongodb://HOST:PORT/NAME?replicaSet=SET"


def with_database(url: str, database: str) -> str:
    """The same server and user with another default database. Raises ConfigError for an unreadable URL.

    Without authSource a user belongs to the database that the URL named before (else admin), and still does.
    """
    check_url(url)
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if "@" in parts.netloc and not any(key.lower() == "authsource" for key in options):
        options["authSource"] = parts.path.strip("/") or "admin"
    return urlunsplit((parts.scheme, parts.netloc, f"/{quote(database, safe='')}", urlencode(options), ""))


def database_of(url: str) -> str:
    """The default database that a URL names, or "". Raises ConfigError for an unreadable URL."""
    check_url(url)
    return unquote(urlsplit(url).path.strip("/"))


def check_url(url: str) -> None:
    """Raises ConfigError, without the password, for what the driver cannot read as a URL. Nobody is asked.

    The driver would look a mongodb+srv host up while it reads; but for its scheme such a URL is as any other.
    """
    from pymongo.errors import PyMongoError
    from pymongo.uri_parser import parse_uri

    plain = f"mongodb://{url.removeprefix(_SRV)}" if url.startswith(_SRV) else url
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parse_uri(plain)
    except (PyMongoError, ValueError, TypeError) as error:
        raise unreadable(url, error) from None


def unreadable(url: str, error: Exception) -> ConfigError:
    """The error for a URL that the driver does not take."""
    message = f"{shown(url)!r} is no MongoDB URL: {_reason(url, error)}"
    return ConfigError(message, next=_STEP)


def _reason(url: str, error: Exception) -> str:
    """What the driver says, without the parts of the URL that it quotes: they may be pieces of a password."""
    _, _, rest = url.partition("://")
    if re.search(r"[/?#].*@", rest):
        return "write @ / ? # % : of user and password percent-encoded (%40 %2F %3F %23 %25 %3A)"
    said = _QUOTED.sub(lambda m: "…" if "@" in url and m["text"] in url else m[0], str(error))
    return redact(" ".join(said.split()), url).partition(" or maybe a camelCase")[0].rstrip(".")


def shown(url: str) -> str:
    """The URL for a message: without password and options."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        scheme, rest = "", url
    credentials, at, host = rest.rpartition("@")
    if at:
        user, colon, _ = credentials.partition(":")
        host = f"{user}:***@{host}" if colon else f"***@{host}"
    return f"{scheme}{mark}{host}".partition("?")[0]


def has_credentials(url: str) -> bool:
    """Does a URL name a user and a password?"""
    return _CREDENTIALS.search(url) is not None


def redact(text: str, url: str) -> str:
    """`text` without the password of `url`, written plain or percent-encoded, where it stands as a word.

    A short one is hidden in the URL alone: the gaps in common words would tell it.
    """
    found = _CREDENTIALS.search(url)
    if found and found["password"]:
        for secret in {found["password"], unquote_plus(found["password"])}:
            free = len(secret) >= LEAST_SECRET
            before, behind = (r"(?<!\w)", r"(?!\w)") if free else (r"(?<=:)", "(?=@)")
            text = re.sub(f"{before}{re.escape(secret)}{behind}", "***", text)
    return text
