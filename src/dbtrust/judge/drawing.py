"""Which value of a column to try for a parameter that is compared with it."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

#: common: many rows; rare: few; absent: none, as far as the statistics tell.
Kind = Literal["common", "rare", "absent"]
#: Where in the order of a column's values a bound stands, by the side it bounds; two bounds leave a part between them.
_ALONE = {
    ">": {"common": 0.5, "rare": 0.98, "absent": 1.0},
    "<": {"common": 0.5, "rare": 0.02, "absent": 0.0},
}
_BETWEEN = {
    ">": {"common": 0.25, "rare": 0.5, "absent": 1.0},
    "<": {"common": 0.75, "rare": 0.52, "absent": 0.0},
}


@dataclass(frozen=True, slots=True)
class Drawable:
    """Texts of a column's values: `common` by falling frequency, `bounds` in the order of the type."""

    common: tuple[str, ...]
    bounds: tuple[str, ...]


def choose_text(column: Drawable, operator: str, kind: Kind, *, between: bool = False) -> str | None:
    """The text for `column operator parameter`; None where the statistics hold no value.

    `between`: another parameter bounds the same column from the other side.
    """
    side = operator[0]
    if side in "<>" and operator in ("<", "<=", ">", ">=") and column.bounds:
        place = (_BETWEEN if between else _ALONE)[side][kind]
        return column.bounds[round(place * (len(column.bounds) - 1))]
    found = _value(column, kind)
    if found is None:
        return None
    if operator in ("~~", "~~*"):
        return _escaped(found[:3]) + "%"
    return json.dumps([found]).replace("[", "{", 1)[:-1] + "}" if operator.endswith(" ANY") else found


def _value(column: Drawable, kind: Kind) -> str | None:
    values = (*column.common, *column.bounds)
    if not values:
        return None
    if kind == "absent":
        return absent(values)
    if kind == "common":
        return column.common[0] if column.common else column.bounds[len(column.bounds) // 2]
    return column.bounds[len(column.bounds) // 3] if column.bounds else column.common[-1]


def absent(values: Sequence[str]) -> str | None:
    """A value of the same kind that is none of those; None where the kind has no next one (an enum, a document)."""
    last = values[-1]
    for kind in (_next_number, _next_moment, _next_uuid):
        if (found := kind(values)) is not None:
            return found
    return f"{last[:20]} (absent)" if last[:1].isalnum() and last not in ("t", "f") else None


def _next_number(values: Sequence[str]) -> str | None:
    try:
        return str(max(int(value) for value in values) + 1)
    except ValueError:
        return None


def _next_moment(values: Sequence[str]) -> str | None:
    try:
        moments = [datetime.datetime.fromisoformat(value) for value in values]
    except ValueError:
        return None
    later = max(moments) + datetime.timedelta(days=366)
    return later.date().isoformat() if len(values[0]) == 10 else later.isoformat(sep=" ")


def _next_uuid(values: Sequence[str]) -> str | None:
    shaped = len(values[0]) == 36 and values[0].count("-") == 4
    return "ffffffff-ffff-4fff-8fff-fffffffffffe" if shaped else None


def _escaped(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\%_" else c for c in text)
