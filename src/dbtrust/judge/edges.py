"""Values at the edges of what a rule accepts, by type, from the constants that stand in its expression.

More are made than are needed: the server itself says which of them it accepts (stage/solver.py).
Every value is the text that the server reads as a literal of the column's base type.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from itertools import pairwise, permutations

from dbtrust.judge.candidates import COMPOSITES, around, of_type
from dbtrust.model.facts import Column

#: A column gets at most so many values, and text of at most so many characters.
LIMIT, LONGEST = 160, 5_000
_QUOTED = re.compile(r"'((?:[^']|'')*)'")
_NUMBER = re.compile(r"(?<![\w.'])-?\d+(?:\.\d+)?(?![\w.'])")
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_SPAN = re.compile(r"(?:(\d+) (year|mon|day|hour|minute|sec)\w*)|(?:(\d+):(\d{2}):(\d{2}))")
_SECONDS = {"year": 31_557_600, "mon": 2_629_800, "day": 86_400, "hour": 3_600, "minute": 60, "sec": 1}
_BASE_DAY = date(2024, 1, 1)


def constants(body: str) -> list[str]:
    """The constants in a function's body, with their neighbours and texts that match them."""
    found = [text.replace("''", "'") for text in _QUOTED.findall(body)] + _NUMBER.findall(body)
    return list(dict.fromkeys(value for constant in found for value in around(constant)))


def beside(value: str) -> list[str]:
    """A value of another column and its neighbours."""
    if re.fullmatch(r"-?\d{1,15}", value):
        return [value, str(int(value) + 1), str(int(value) - 1), str(int(value) * 2), str(-int(value))]
    days = _dates([value])
    return [value, *(text for day in days for text in _shifted(day, (1, -1)))]


def days_of(numbers: Iterable[str]) -> list[str]:
    """Days in the years and months that numbers may stand for."""
    wholes = _wholes(numbers, 9_999)
    months = [n for n in wholes if 1 <= n <= 12] or [1]
    return [f"{year}-{month:02d}-15" for year in wholes if year >= 1_000 for month in months]


def edges(column: Column, pool: Sequence[str]) -> list[str]:
    """Literals for a column, those that its rules speak of first; no NULL among them."""
    if column.labels:
        return list(column.labels)
    make = _makers().get(column.base) or _makers().get(f"category {column.category}") or _plain
    found = [value for value in make(column, pool) if len(value) <= LONGEST]
    if column.category == "S" and column.length is not None:
        found = [value for value in found if len(value) <= column.length]
    return list(dict.fromkeys(found))[:LIMIT]


def _makers() -> dict[str, Callable[[Column, Sequence[str]], Iterable[str]]]:
    return {
        "date": _days, "timestamp with time zone": _moments, "timestamp without time zone": _moments,
        "time without time zone": _times, "time with time zone": _times, "interval": _spans, "jsonb": _documents,
        "json": _documents, "hstore": _hstores, "bytea": _bytes, "bit": _bits, "bit varying": _bits, "ltree": _paths,
        "inet": _networks, "cidr": _networks, "macaddr": _addresses, "uuid": _uuids, '"char"': _letters,
        "category N": _numbers, "category S": _texts, "category A": _arrays, "category R": _ranges,
        "category C": _rows, "category B": lambda _c, _p: ("t", "f"),
    }  # fmt: skip


def _plain(column: Column, pool: Sequence[str]) -> Iterable[str]:
    return [*pool, *of_type(column.base), "1", "a", "{}", ""]


def _wholes(pool: Iterable[str], most: int) -> list[int]:
    """The whole numbers of a pool that may be lengths or counts."""
    return [int(v) for v in pool if re.fullmatch(r"\d{1,9}", v) and int(v) <= most]


def _decimals(pool: Iterable[str]) -> list[str]:
    return [v for v in pool if re.fullmatch(r"-?\d+(\.\d+)?", v)]


def _numbers(column: Column, pool: Sequence[str]) -> Iterator[str]:
    whole = column.base in ("smallint", "integer", "bigint", "oid")
    known = _decimals(pool)
    for value in known:
        if not whole or "." not in value:
            yield value
    if not whole:
        yield from (
            f"{float(v) + step:.4f}" for v in known if len(v) < 12 for step in (0.01, -0.01, 0.5, 1, -1)
        )
    yield from ("1", "2", "3", "0", "100", "-1", "5", "7", "10", "4", "6", "8", "12", "1000", "50", "20")
    for value in known:
        if re.fullmatch(r"-?\d{1,12}", value):
            yield from (str(int(value) * 2), str(-int(value)), str(int(value) + 4))
    if not whole:
        yield from ("0.5", "1.5", "0.25", "2.5", "1.005", "1000000", "NaN", "Infinity", "-Infinity")
    yield from ("30000", "-30000", "2000000000", "-2000000000", "9000000000000")


def _texts(column: Column, pool: Sequence[str]) -> Iterator[str]:
    samples = [v for v in pool if not re.search(r"[\\^$*+?(){}|]|\[.*\]", v)]
    yield from samples
    plain = (
        "a",
        "b",
        "abc",
        "xyz",
        "a@b.cc",
        "A1",
        "2024-01-01",
        "https://a.bc",
        "",
        "A",
        " ",
        "1",
        "Ab c",
        "Ä",
    )
    yield from plain
    lengths = sorted(set(_wholes(pool, LONGEST)))
    for number in lengths:
        yield "a" * number
    shaped = [v for v in samples if not re.fullmatch(r"-?\d+(\.\d+)?", v)][:6]
    for value in shaped:
        yield from _altered(value)
    for value in shaped:
        for number in lengths:
            if 0 < len(value) < number:
                yield from (
                    value + value[-1] * (number - len(value)),
                    value[0] * (number - len(value)) + value,
                )
    if column.base == "character" and column.length:
        yield from ("a" * column.length, "1" * column.length, "A" * column.length)
    yield from (v for v in pool if v not in samples)
    yield from ("/", "a/b", "<", "%", "!", "a b", "..", "@", "|", "-", "0" * 8)


def _altered(value: str) -> Iterator[str]:
    """A text with one thing wrong: cut, longer, in the other case, with a blank or a sign in it."""
    yield from (
        value[:-1],
        value[1:],
        value + "!",
        value + value[-1:],
        value.upper(),
        value.lower(),
        value.swapcase(),
    )
    yield from (f" {value}", f"{value} ", value + value, value.replace("@", ""), value.replace(".", ".."))
    yield value[: len(value) // 2] + " " + value[len(value) // 2 :]


def _dates(pool: Iterable[str]) -> list[date]:
    found: list[date] = []
    for value in pool:
        if match := _DAY.match(value):
            with suppress(ValueError):
                found.append(date(int(match[1]), int(match[2]), int(match[3])))
    return found


def _shifted(day: date, days: Iterable[int]) -> Iterator[str]:
    for step in days:
        with suppress(OverflowError):
            yield (day + timedelta(days=step)).isoformat()


def _days(column: Column, pool: Sequence[str]) -> Iterator[str]:
    for known in _dates(pool):
        yield from _shifted(known, (0, 1, -1))
    yield from _shifted(_BASE_DAY, (0, 1, 2, 166, 366))
    yield from _shifted(_BASE_DAY, _wholes(pool, 40_000))
    yield from _shifted(_BASE_DAY, (-n for n in _wholes(pool, 40_000)))
    yield from _shifted(_BASE_DAY, (3, 4, 5, 6, -1, -2, 31, 60, 90, 180, 3_660, 36_600))
    yield from ("2000-02-29", "1850-01-01", "9999-12-31", "infinity", "-infinity")
    yield from (
        f"{year}-{month:02d}-15" for year in _wholes(pool, 9_999) if year > 1_000 for month in (1, 6, 12)
    )
    yield from (f"2024-{month:02d}-15" for month in range(2, 13))
    yield from _weekdays(pool)


def _weekdays(pool: Iterable[str]) -> Iterator[str]:
    """Each weekday of the months that numbers may stand for."""
    months = [n for n in _wholes(pool, 12) if n]
    yield from (f"2024-{month:02d}-{day:02d}" for month in months for day in range(1, 8))


def _seconds(pool: Iterable[str]) -> list[int]:
    """Lengths of the intervals of a pool, in seconds."""
    found: list[int] = []
    for value in pool:
        total = 0
        for count, unit, hours, minutes, seconds in _SPAN.findall(value) if not _DAY.match(value) else ():
            total += (
                int(count) * _SECONDS[unit] if unit else int(hours) * 3_600 + int(minutes) * 60 + int(seconds)
            )
        if total:
            found.append(total)
    return found


def _moments(column: Column, pool: Sequence[str]) -> Iterator[str]:
    zone = "+00" if column.base.endswith("with time zone") else ""
    base = datetime(2024, 1, 1)
    spans = _seconds(pool)
    moments = [datetime(d.year, d.month, d.day) for d in _dates(pool) if 1 < d.year < 9_999]
    for known in _exact(pool):
        yield from (f"{known + timedelta(seconds=step)}" for step in (0, 1, -1))
    for known in moments:
        yield from (f"{known + timedelta(seconds=step)}{zone}" for step in (0, 1, -1, 86_400))
    for step in (
        0,
        3_600,
        60,
        86_400,
        14_428_800,
        -60,
        *spans,
        *(s + 1 for s in spans),
        *(s - 1 for s in spans),
    ):
        with suppress(OverflowError):
            yield f"{base + timedelta(seconds=step)}{zone}"
    yield from (
        f"2000-02-29 00:00:00{zone}",
        f"1850-01-01 00:00:00{zone}",
        f"9999-12-31 00:00:00{zone}",
        "infinity",
        "-infinity",
    )
    yield from (f"{day} 12:00:00{zone}" for day in _weekdays(pool))


def _exact(pool: Iterable[str]) -> Iterator[datetime]:
    """Texts of a day with a time, with their zone where they name one."""
    for value in pool:
        if _DAY.match(value) and ":" in value:
            with suppress(ValueError, OverflowError):
                known = datetime.fromisoformat(value)
                if 1 < known.year < 9_999:
                    yield known


def _times(column: Column, pool: Sequence[str]) -> Iterator[str]:
    zone = "+00" if column.base.endswith("with time zone") else ""
    known = [s % 86_400 for s in _seconds(pool)]
    for total in (
        *(k + step for k in known for step in (0, 1, -1, 60)),
        36_000,
        0,
        36_001,
        43_200,
        61_200,
        86_399,
    ):
        yield f"{total // 3_600 % 24:02d}:{total // 60 % 60:02d}:{total % 60:02d}{zone}"


def _spans(column: Column, pool: Sequence[str]) -> Iterator[str]:
    yield from (v for v in pool if _SPAN.search(v))
    yield from (
        "1 day",
        "1 hour",
        "0",
        "10 minutes",
        "1 hour 1 second",
        "1 day 1 second",
        "-1 second",
        "30 days",
    )
    for total in _seconds(pool):
        yield from (f"{total + step} seconds" for step in (1, -1, 60, 3_600, total))
    yield from ("1 second", "2 days", "100 days", "1000 days", "-1 day", "100 years")


def _json_values(pool: Sequence[str]) -> list[object]:
    numbers = [int(v) for v in pool if re.fullmatch(r"-?\d{1,12}", v)]
    texts = [v for v in pool if not re.fullmatch(r"-?\d+(\.\d+)?", v) and len(v) < 100]
    return [*numbers[:12], *texts[:12], 1, "a", True, None, [], {}, 0, -1, ""]


def _documents(column: Column, pool: Sequence[str]) -> Iterator[str]:
    yield from (v for v in pool if _is_json(v))
    keys = [v for v in pool if re.fullmatch(r"[A-Za-z_][\w-]{0,60}", v)]
    yield from ("{}", "[]", '{"a": 1}', "1", "null", '"a"', "true", '["a"]')
    if 1 < len(keys) <= 8:
        yield from (json.dumps(dict.fromkeys(keys, value)) for value in _json_values(pool)[:8])
    for key in keys[:6]:
        yield from (json.dumps({key: value}) for value in _json_values(pool))
    for outer, inner in permutations(keys[:4], 2):
        yield from (json.dumps({outer: {inner: value}}) for value in _json_values(pool))
    for number in _wholes(pool, 200):
        yield from (json.dumps([1] * number), json.dumps({f"k{n}": n for n in range(number)}))
    yield from (json.dumps("a" * number) for number in _wholes(pool, LONGEST))


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _hstores(column: Column, pool: Sequence[str]) -> Iterator[str]:
    keys = [v for v in pool if re.fullmatch(r"\w{1,60}", v)]
    yield from ("", "a=>1", "a=>1, b=>2")
    for key in keys:
        yield from (f'"{key}"=>"a"', f'"{key}"=>"1"', f'"{key}"=>NULL', f'"{key}"=>""')


def _bytes(column: Column, pool: Sequence[str]) -> Iterator[str]:
    yield from ("\\x00", "\\x01ff", "")
    for number in _wholes(pool, LONGEST // 2 - 1):
        yield from ("\\x" + "00" * number, "\\x" + "ab" * number)


def _bits(column: Column, pool: Sequence[str]) -> Iterator[str]:
    length = re.search(r"\((\d+)\)", column.type)
    sizes = [int(length[1])] if length else [1, 8]
    yield from (v for v in pool if re.fullmatch("[01]+", v))
    for size in sizes:
        yield from ("1" * size, "0" * size, "1".rjust(size, "0"), "0".rjust(size, "1"))


def _paths(column: Column, pool: Sequence[str]) -> Iterator[str]:
    yield from (v for v in pool if re.fullmatch(r"[\w.]+", v) and not v.isdigit())
    yield from ("a", "b", "a.b", "a.c", "a.b.c", "")
    yield from (".".join("a" * number) for number in _wholes(pool, 200))


def _networks(column: Column, pool: Sequence[str]) -> Iterator[str]:
    yield from (v for v in pool if re.match(r"[\da-f]+[.:]", v))
    if column.base == "cidr":
        yield from (
            "10.1.0.0/16",
            "10.2.0.0/16",
            "10.1.2.0/24",
            "10.0.0.0/8",
            "0.0.0.0/0",
            "10.1.2.3/32",
            "2001:db8::/32",
        )
        yield from (f"0.0.0.0/{bits}" for bits in _wholes(pool, 32))
    else:
        yield from (
            "10.0.0.1",
            "10.0.0.2",
            "192.168.0.1",
            "8.8.8.8",
            "10.0.0.0/8",
            "0.0.0.0",
            "127.0.0.1",
            "::1",
            "2001:db8::1",
        )


def _addresses(column: Column, pool: Sequence[str]) -> Iterator[str]:
    yield from ("08:00:2b:01:02:03", "08:00:2b:01:02:04", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff")


def _uuids(column: Column, pool: Sequence[str]) -> Iterator[str]:
    yield from (v for v in pool if re.fullmatch(r"[0-9a-fA-F-]{36}", v))
    yield from (f"00000000-0000-0000-0000-{n:012d}" for n in (1, 2, 0, 3))
    yield "ffffffff-ffff-4fff-8fff-ffffffffffff"


def _letters(column: Column, pool: Sequence[str]) -> Iterator[str]:
    yield from (v for v in pool if len(v) == 1)
    yield from ("a", "A", "z", "Z", "0", "x", "p", "")


_CATEGORIES = {
    **dict.fromkeys(("smallint", "integer", "bigint", "numeric", "real", "double precision", "money", "oid"), "N"),
    **dict.fromkeys(("text", "character varying", "character", "citext", "name"), "S"), "boolean": "B",
}  # fmt: skip


def _elements(column: Column, pool: Sequence[str]) -> list[str]:
    """Literals for what the array holds."""
    inner = column.base.removesuffix("[]")
    category = _CATEGORIES.get(inner, "" if inner != column.base else "S")
    texts = edges(Column("", inner, inner, category), pool)
    return [v for v in texts if len(v) < 200][:24]


def _arrays(column: Column, pool: Sequence[str]) -> Iterator[str]:
    items = [json.dumps(v, ensure_ascii=False) for v in _elements(column, pool)]
    yield from ("{" + item + "}" for item in items[:8])
    yield from ("{}", "{NULL}")
    for first, second in pairwise(items):
        yield "{" + f"{first},{second}" + "}"
    for number in _wholes(pool, 500):
        for item in items[:2]:
            yield "{" + ",".join([item] * number) + "}"
    yield from ("{" + f"{item},NULL" + "}" for item in items[:2])
    yield from ("{" + item + "}" for item in items[8:])


def _ranges(column: Column, pool: Sequence[str]) -> Iterator[str]:
    name = column.base.rsplit(".", 1)[-1]
    points = _points(name, pool)
    for low, high in pairwise(points):
        if low != high:
            yield from (f"[{low},{high})", f"({low},{high})", f"[{low},{high}]", f"[{high},{low})")
    yield from ("empty", f"[{points[0]},)", f"(,{points[0]})", "(,)", f"[{points[0]},{points[0]}]")
    for first in points[:4]:
        for second in points:
            yield f"[{first},{second})"


def _points(name: str, pool: Sequence[str]) -> list[str]:
    """Bounds of a range, in order as far as they can be."""
    if name in ("int4range", "int8range", "numrange"):
        numbers = sorted({float(v) for v in _decimals(pool)} | {1, 5, 7, 9})
        return [
            f"{n:g}" if n == int(n) and abs(n) < 1e15 else str(n)
            for n in numbers
            if n == int(n) or name == "numrange"
        ]
    if name == "daterange":
        return [
            "2024-01-01",
            "2024-02-01",
            "2025-01-01",
            "2025-02-01",
            *(d.isoformat() for d in _dates(pool)),
            "2040-01-01",
        ]
    zone = "+00" if name == "tstzrange" else ""
    base = datetime(2024, 1, 1)
    steps = [0, 3_600, 86_400, *_seconds(pool), *(s + 1 for s in _seconds(pool)), 31_622_400, 315_360_000]
    return [f'"{base + timedelta(seconds=step)}{zone}"' for step in steps if abs(step) < 10**10]


def _rows(column: Column, pool: Sequence[str]) -> Iterator[str]:
    """Texts of composite values: each constant in each place."""
    for value in [v for v in pool if not re.search(r'[",()\\]', v)][:12]:
        for fields in range(1, 6):
            for place in range(fields):
                yield "(" + ",".join(value if n == place else "" for n in range(fields)) + ")"
    yield from COMPOSITES
    yield from ("(,,,,)", "(a,b,c)", "(a,a,a,a)")
