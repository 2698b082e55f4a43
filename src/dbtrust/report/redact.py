"""Takes passwords out of text. Every output and every message on stderr passes through here once."""

from __future__ import annotations

import re
from functools import cache

HIDDEN = "***"

# The patterns are compiled when a text comes that may have a password: most runs show none.


@cache
def _url() -> re.Pattern[str]:
    """scheme://user:PASSWORD@ of both engines, up to the last @ of the word: passwords hold unescaped @ and /."""
    return re.compile(
        r"(?P<head>\b(?:postgres|postgresql|mongodb|mongodb\+srv)://[^\s:/@]*:)\S*@", re.IGNORECASE
    )


@cache
def _keyword() -> re.Pattern[str]:
    """password=PASSWORD of a connection string, a URL's query or an environment; a quoted one with blanks too.

    Looked for where a word begins alone: a word may have millions of letters.
    """
    return re.compile(
        r"(?<!\w)(?:(?P<head>\w*(?:password|passwd)\s*=\s*)'(?:[^'\\]|\\.|'')*'|(?P<bare>\w*(?:password|passwd)=)[^\s&,;'\")]+)",
        re.IGNORECASE,
    )


@cache
def _clause() -> re.Pattern[str]:
    """CREATE ROLE name PASSWORD 'PASSWORD'"""
    return re.compile(r"(?P<head>\bpassword\s+)'(?:[^']|'')*'", re.IGNORECASE)


def redact(text: str) -> str:
    """The text with every password in a URL, a connection string or a PASSWORD clause replaced by ***."""
    # Reports of thousands of verdicts pass through here, and hardly any of their texts has a password.
    if "://" in text:
        text = _url().sub(lambda m: f"{m['head']}{HIDDEN}@", text)
    if "passw" not in text.casefold():
        return text
    text = _keyword().sub(lambda m: f"{m['head'] or m['bare']}{HIDDEN}", text)
    return _clause().sub(lambda m: f"{m['head']}'{HIDDEN}'", text)


def is_secret(key: str) -> bool:
    """Is a value under this name a password?"""
    return key.lower().endswith(("password", "passwd"))
