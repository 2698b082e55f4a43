"""Marks of an up and a down that this folder's reader would take for comments, so that the down ran behind the up."""

from __future__ import annotations

import re

from dbtrust.model.errors import QueryFileError
from dbtrust.model.location import locate

#: What a mark may carry on its line; prose is none.
_REST = r"(?:[ \t]+\w+:\S*)*[ \t]*$"
#: goose, sql-migrate, micrate (-- +tool Up); another spelling of ours; rambler, node-pg-migrate, Play, MyBatis, tern.
_STRANGE = re.compile(
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
#: A bare word as a heading; in the file of a down it is one.
_BARE = re.compile(r"^[ \t]*--+[ \t]*(?P<mark>[@!]?down)[ \t]*:?[ \t]*$", re.IGNORECASE | re.MULTILINE)
_OURS = re.compile(r"^[ \t]*--[ \t]*migrate:(?:up|down)\b", re.MULTILINE)


def refuse_strange_marks(text: str, file: str, *, down: bool = False) -> None:
    """Raises QueryFileError at a mark that is another tool's, or nearly ours; `down`: the file is a down as a whole."""
    found = next((m for m in _STRANGE.finditer(text) if not _OURS.match(text, m.start())), None)
    if found is None and not down and _OURS.search(text) is None:
        found = _BARE.search(text)
    if found is not None:
        said = " ".join(found["mark"].rstrip("*/ \t").split())
        half = "down" if re.search(r"down|undo|drop below|end", said, re.IGNORECASE) else "up"
        raise QueryFileError(
            f"a mark that is not read here, so its halves would run one behind the other: {said}",
            location=locate(text, found.start(), file),
            next=f"did you mean -- migrate:{half}?",
        )
