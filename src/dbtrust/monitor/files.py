"""Snapshot files: {"schema": 1, "dbtrust": VERSION, "snapshots": [one for each engine]}."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import orjson

from dbtrust.model.errors import ConfigError
from dbtrust.model.location import Location
from dbtrust.model.report import VERSION, NotExamined
from dbtrust.model.snapshot import SNAPSHOT_FORMAT, Row, Snapshot
from dbtrust.report.document import plain

#: Rows that are written at once, and the size of a file, in bytes, from which on it is no snapshot.
_ROWS = 200
MOST_BYTES = 2**29
_TAKE = "take one with: dbtrust monitor snapshot --output FILE"


def dump(snapshots: Sequence[Snapshot]) -> str:
    """The text of a snapshot file, without any password; the same snapshots give the same bytes."""
    return "".join(parts(snapshots))


def parts(snapshots: Iterable[Snapshot]) -> Iterator[str]:
    """The text of `dump`, some rows at a time: a second copy of a large snapshot is never whole in memory."""
    yield f'{{"schema":{SNAPSHOT_FORMAT},"dbtrust":{_json(VERSION)},"snapshots":['
    for number, snapshot in enumerate(snapshots):
        yield "," if number else ""
        yield from _snapshot_parts(snapshot)
    yield "]}\n"


def _snapshot_parts(snapshot: Snapshot) -> Iterator[str]:
    head = {"engine": snapshot.engine, "taken_at": snapshot.taken_at, "server": snapshot.server}
    yield _json(head).removesuffix("}") + ',"sections":{'
    for number, (name, rows) in enumerate(snapshot.sections.items()):
        yield f"{',' if number else ''}{_json(name)}:["
        for start in range(0, len(rows), _ROWS):
            yield ("," if start else "") + _json(rows[start : start + _ROWS])[1:-1]
        yield "]"
    left = [{"what": n.what, "needs": n.needs} for n in snapshot.not_examined]
    yield f'}},"not_examined":{_json(left)}}}'


def _json(value: Any) -> str:
    return orjson.dumps(plain(value)).decode()


def load(path: Path) -> tuple[Snapshot, ...]:
    """The snapshots of a file. Raises ConfigError for a file that is none, cut short, or of a later version."""
    place = Location(path.as_posix())
    raw = _bytes(path, place)
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise _broken(raw, error, place) from None
    # A large file and what was read from it are not in memory together for longer than they must.
    del raw
    return _snapshots(document, place)


def _bytes(path: Path, place: Location) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", location=place, next=_TAKE) from error
    if len(raw) > MOST_BYTES:
        raise ConfigError(
            f"this file has more than {MOST_BYTES >> 20} MB, which no snapshot has",
            location=place,
            next=_TAKE,
        )
    return raw


def _broken(raw: bytes, error: orjson.JSONDecodeError, place: Location) -> ConfigError:
    """orjson counts lines and columns from 1; one that ends too early was cut short."""
    where = Location(place.file, error.lineno, error.colno)
    if raw.lstrip().startswith(b"{") and not raw.rstrip().endswith(b"}"):
        return ConfigError(
            "this snapshot is cut short", location=where, next="copy the whole file, or " + _TAKE
        )
    return ConfigError("this is no snapshot: it is no JSON", location=where, next=_TAKE)


def _snapshots(document: Any, place: Location) -> tuple[Snapshot, ...]:
    if not isinstance(document, dict) or not _is_format(cast("Row", document).get("schema")):
        raise _foreign(place)
    found = cast("dict[str, Any]", document)
    if found["schema"] > SNAPSHOT_FORMAT:
        raise ConfigError(
            f"this snapshot has format {found['schema']}, from dbtrust {found.get('dbtrust', '?')}; "
            f"this is dbtrust {VERSION}, which reads {SNAPSHOT_FORMAT}",
            location=place, next="read it with that version of dbtrust",
        )  # fmt: skip
    if not isinstance(found.get("snapshots"), list) or not found["snapshots"]:
        raise _foreign(place)
    read = tuple(_snapshot(item, place) for item in found["snapshots"])
    if len({snapshot.engine for snapshot in read}) < len(read):
        raise ConfigError("this file has two snapshots of one engine", location=place, next=_TAKE)
    return read


def _is_format(value: Any) -> bool:
    """A number from 1 on; true is none."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _snapshot(item: Any, place: Location) -> Snapshot:
    try:
        sections: Mapping[str, list[Row]] = item["sections"]
        if (
            item["engine"] not in ("postgres", "mongo")
            or not isinstance(item["server"], dict)
            or not sections
        ):
            raise _foreign(place)
        return Snapshot(
            engine=item["engine"], taken_at=str(item["taken_at"]), server=item["server"],
            sections={str(name): tuple(_row(row) for row in rows) for name, rows in sections.items()},
            not_examined=tuple(NotExamined(str(n["what"]), str(n["needs"])) for n in item["not_examined"]),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _foreign(place) from error


def _row(row: Any) -> Row:
    if not isinstance(row, dict):
        raise TypeError(row)
    return cast("Row", row)


def _foreign(place: Location) -> ConfigError:
    return ConfigError("this is no snapshot of dbtrust", location=place, next=_TAKE)
