"""Takes passwords out of text. Every output and every message on stderr passes through here once."""

from __future__ import annotations

import re

HIDDEN = "***"

#: scheme://user:PASSWORD@ of both engines, up to the last @ of the word: passwords hold unescaped @ and /.
_URL = re.compile(r"(?P<head>\b(?:postgres|postgresql|mongodb|mongodb\+srv)://[^\s:/@]*:)\S*@", re.IGNORECASE)
#: password=PASSWORD of a connection string, a URL's query or an environment; a quoted one with blanks too.
#: Looked for where a word begins alone: a word may have millions of letters.
_KEYWORD = re.compile(
    r"(?<!\w)(?:(?P<head>\w*(?:password|passwd)\s*=\s*)'(?:[^'\\]|\\.|'')*'|(?P<bare>\w*(?:password|passwd)=)[^\s&,;'\")]+)",
    re.IGNORECASE,
)
#: CREATE ROLE name PASSWORD 'PASSWORD'
_CLAUSE = re.compile(r"(?P<head>\bpassword\s+)'(?:[^']|'')*'", re.IGNORECASE)


def redact(text: str) -> str:
    """The text with every password in a URL, a connection string or a PASSWORD clause replaced by ***."""
    text = _URL.sub(lambda m: f"{m['head']}{HIDDEN}@", text)
    text = _KEYWORD.sub(lambda m: f"{m['head'] or m['bare']}{HIDDEN}", text)
    return _CLAUSE.sub(lambda m: f"{m['head']}'{HIDDEN}'", text)


def is_secret(key: str) -> bool:
    """Is a value under this name a password?"""
    return key.lower().endswith(("password", "passwd"))
