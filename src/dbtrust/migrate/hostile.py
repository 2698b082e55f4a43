"""Values at which a change of a column's type or of its values loses something: empty, endless, nested, at the last instant.

Each is a list of texts, of which the first that the server reads as a value of the column's type is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from dbtrust.judge.candidates import of_type
from dbtrust.model.facts import Column

#: The kinds of rows: at an edge of the type, with nothing in each column, with what few people think of.
VARIANTS = ("edge", "empty", "odd")
_LEAST = {"smallint": "-32768", "integer": "-2147483648", "bigint": "-9223372036854775808"}
#: Signs of one, two, three and four bytes, a blank that is none, a letter and its accent, a quote, a backslash, and
#: what a list or a CSV file would split.
_TEXT = "z é€𝄞\u00a0e\u0301 'q\" \\ a,b;{c}\td"
#: The last hour of summer time, which local time has twice: in Europe, and in New York.
_EUROPE, _AMERICA = "2024-10-27 00:30:00.000001+00", "2024-11-03 05:30:00.999999+00"
_DEEP = '{"a": {"b": [1, [null, {"c": ""}], 1e3, 12345678901234567890.10]}, "": null, "é𝄞": "\\\\u0041\\"", "A": false}'

Texts = Sequence[str]
#: Type -> texts of each of the three kinds.
_BY_TYPE: Mapping[str, tuple[Texts, Texts, Texts]] = {
    **{name: ((least,), ("0",), ("-1",)) for name, least in _LEAST.items()},
    # numeric has NaN and Infinity, too, and hardly anyone stores them: a down that clamps prices is not wrong for them.
    "numeric": (("12345678901234567890.123456789",), ("0",), ("-1",)),
    "real": (("-0",), ("NaN",), ("Infinity",)),
    "double precision": (("1e-300",), ("NaN",), ("-Infinity",)),
    "date": (("0044-03-15 BC",), ("-infinity",), ("infinity",)),
    "timestamp without time zone": ((_EUROPE[:-3],), ("-infinity",), ("infinity",)),
    "timestamp with time zone": ((_EUROPE,), ("-infinity",), (_AMERICA,)),
    "time without time zone": (("24:00:00",), ("00:00:00",), ("00:00:00.000001",)),
    "time with time zone": (("23:59:59.999999-15:59",), ("00:00+00",), ("12:00+05:45",)),
    "interval": (("1 mon -1 day 00:00:00.000001",), ("0",), ("-13 mons",)),
    "json": ((_DEEP,), ("null",), ('""',)),
    "jsonb": ((_DEEP,), ("null",), ('""',)),
    "bytea": (("\\x5c00ff27",), ("",), ("\\x00",)),
    "inet": (("10.1.2.3/8",), ("0.0.0.0/0",), ("::1",)),
    "boolean": (("false",), (), ()),
}  # fmt: skip
#: Bounds of ranges: two values of each kind of range.
_BOUNDS = {
    "int4range": ("-7", "9"), "int8range": ("-7", "9"), "numrange": ("-1.5", "2.50"),
    "daterange": ("1999-12-31", "2024-02-29"), "tsrange": ("1999-12-31 23:59:59.5", "2024-02-29"),
    "tstzrange": ("1999-12-31 23:59:59.5+00", _EUROPE),
}  # fmt: skip


def hostile(column: Column, kind: str) -> Texts:
    """Texts for a column, in the order in which they are to be tried; none for a type that has no such value."""
    place = VARIANTS.index(kind)
    if column.category == "S" and not column.labels:
        return _text(column)[place]
    for test, make in _MAKERS.items():
        if test(column):
            return make(column)[place]
    return _BY_TYPE.get(column.base, ((), (), ()))[place]


def _text(column: Column) -> tuple[Texts, Texts, Texts]:
    """The longest text of signs of four bytes; none at all, which is not NULL; signs that have a meaning elsewhere."""
    room = column.length or 40
    return ("𝄞" * min(room, 40),), ("",), (_TEXT[:room], "")


def _array(column: Column) -> tuple[Texts, Texts, Texts]:
    """With a NULL and twins among its elements, without any, and of two dimensions."""
    inner = re.sub(r"\[\]$", "", column.base)
    if of_type(inner)[:1] == of_type("text")[:1]:
        element = '"a,b","",NULL,"NULL","{x}"," y ","a,b"'
        return (f"{{{element}}}", "{NULL}"), ("{}",), ('{{"a","b,"},{NULL,""}}', "{NULL,NULL}")
    first = of_type(inner)[0].replace('"', '\\"')
    return (
        (f'{{"{first}",NULL,"{first}","{first}"}}', "{NULL}"),
        ("{}",),
        (f'[0:1]={{NULL,"{first}"}}', "{NULL,NULL}"),
    )


def _range(column: Column) -> tuple[Texts, Texts, Texts]:
    """With the lower bound outside and the upper one inside, empty, and without an end."""
    low, high = _BOUNDS.get(column.base, ("a", "b"))
    return (f'("{low}","{high}"]', "(1,2]"), ("empty",), ("(,)",)


def _multirange(column: Column) -> tuple[Texts, Texts, Texts]:
    low, high = _BOUNDS.get(column.base.replace("multirange", "range"), ("1", "2"))
    return (f'{{(,"{low}"),["{high}",)}}', "{(,)}"), ("{}",), ("{(,)}",)


def _composite(column: Column) -> tuple[Texts, Texts, Texts]:
    """With something in its fields, with NULL in each, and with an empty text in one; they have one to six fields."""
    del column
    nothing = [f"({',' * n})" for n in range(6)]
    return (
        ('("a, ""b""",-1)', '(-1,"a, ""b""")', "(-1,-2)", '("")'),
        nothing,
        ('("",)', '(,"")', '("",,)', '(,"",)', *nothing),
    )


_MAKERS: Mapping[Callable[[Column], bool], Callable[[Column], tuple[Texts, Texts, Texts]]] = {
    lambda c: c.base.endswith("[]"): _array,
    lambda c: "multirange" in c.base: _multirange,
    lambda c: c.category == "R": _range,
    lambda c: c.category == "C": _composite,
}
