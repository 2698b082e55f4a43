"""Statements without their literals, by PostgreSQL's own scanner."""

from __future__ import annotations

from functools import lru_cache

#: What stands where a text could not be read.
DROPPED = "(left out: it cannot be told apart from its values)"
_VALUE = "?"


@lru_cache(maxsize=4096)
def without_literals(text: str) -> str:
    """Constants become ?, comments go. A text that is no SQL, or cut inside a literal, is left out as a whole."""
    import postgast

    try:
        found = postgast.scan(text)
    except (postgast.PgQueryError, ValueError):
        return DROPPED
    raw, parts, end = text.encode(), list[str](), 0
    constants, comments = _kinds()
    for token in found.tokens:
        start = int(token.start)
        if token.token in constants or token.token in comments:
            parts += [raw[end:start].decode(), _VALUE if token.token in constants else ""]
            end = int(token.end)
    return "".join([*parts, raw[end:].decode()]).strip()


@lru_cache(maxsize=1)
def _kinds() -> tuple[frozenset[int], frozenset[int]]:
    from postgast import pg_query_pb2

    values: dict[str, int] = dict(pg_query_pb2.Token.items())
    constants = ("SCONST", "USCONST", "BCONST", "XCONST", "FCONST", "ICONST")
    return (
        frozenset(values[name] for name in constants),
        frozenset(values[name] for name in ("SQL_COMMENT", "C_COMMENT")),
    )
