"""Marks of an up and a down that this folder's reader would take for comments, so that the down ran behind the up."""

from __future__ import annotations

import re
from functools import cache

from dbtrust.model.errors import QueryFileError
from dbtrust.model.location import locate

#: What a mark may carry on its line; prose is none.
_REST = r"(?:[ \t]+\w+:\S*)*[ \t]*$"

# The patterns are compiled when the first file has a comment: every start reads the whole folder.


@cache
def _strange() -> re.Pattern[str]:
    """goose, sql-migrate, micrate (-- +tool Up); another spelling of ours; rambler, node-pg-migrate, Play, MyBatis, tern."""
    return re.compile(
        rf"""^[ \t]*(?:--+|\#|/\*)[ \t#-]*(?P<mark>
            \+\w+[ \t]+(?:\w*up|\w*down|begin|end|statementbegin|statementend|no|envsub)\b[^\n]*
          | migrat(?:e|ion)s?[ \t]*:[ \t]*\w*(?:up|down)\w*{_REST}
          | migrate:\w+[^\n]*
          | (?:migrat(?:e|ion)|dbmate|dbtrust|goose|rambler)s?[ \t_:-]*(?:up|down){_REST}
          | (?:up|down)[ \t]+migration{_REST}
          | !(?:ups|downs){_REST}
          | //@undo{_REST}
          | create[ ]above[ ]/[ ]drop[ ]below\b[^\n]*
        )""",
        re.IGNORECASE | re.MULTILINE | re.VERBOSE,
    )


@cache
def _bare() -> re.Pattern[str]:
    """A bare word as a heading; in the file of a down it is one."""
    return re.compile(r"^[ \t]*--+[ \t]*(?P<mark>[@!]?down)[ \t]*:?[ \t]*$", re.IGNORECASE | re.MULTILINE)


@cache
def _ours() -> re.Pattern[str]:
    return re.compile(r"^[ \t]*--[ \t]*migrate:(?:up|down)\b", re.MULTILINE)


def refuse_strange_marks(text: str, file: str, *, down: bool = False) -> None:
    """Raises QueryFileError at a mark that is another tool's, or nearly ours; `down`: the file is a down as a whole."""
    if "--" not in text and "#" not in text and "/*" not in text:
        return
    found = next((m for m in _strange().finditer(text) if not _ours().match(text, m.start())), None)
    if found is None and not down and _ours().search(text) is None:
        found = _bare().search(text)
    if found is not None:
        said = " ".join(found["mark"].rstrip("*/ \t").split())
        half = "down" if re.search(r"down|undo|drop below|end", said, re.IGNORECASE) else "up"
        raise QueryFileError(
            f"a mark that is not read here, so its halves would run one behind the other: {said}",
            location=locate(text, found.start(), file),
            next=f"did you mean -- migrate:{half}?",
        )
