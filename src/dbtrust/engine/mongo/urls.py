"""MongoDB connection strings."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit


def with_database(url: str, database: str) -> str:
    """The same server and user with another default database.

    Without authSource a user belongs to the database that the URL named before (else admin), and still does.
    """
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if "@" in parts.netloc and not any(key.lower() == "authsource" for key in options):
        options["authSource"] = parts.path.strip("/") or "admin"
    return urlunsplit((parts.scheme, parts.netloc, f"/{quote(database, safe='')}", urlencode(options), ""))


def database_of(url: str) -> str:
    """The default database that a URL names, or ""."""
    return unquote(urlsplit(url).path.strip("/"))
