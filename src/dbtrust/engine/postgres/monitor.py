"""Reads the counters and the catalog of a PostgreSQL server that is somebody's, changing nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Self, cast

import psycopg
from psycopg.rows import dict_row

from dbtrust.engine.postgres import sql
from dbtrust.engine.postgres.any_encoding import read_any_encoding
from dbtrust.engine.postgres.catalog import SERVED, served_objects
from dbtrust.engine.postgres.connect import connect
from dbtrust.engine.postgres.errors import describe, lost
from dbtrust.engine.postgres.monitor_questions import (
    BLOAT,
    INDEXES_MEASURED,
    MARK,
    QUESTIONS,
    RELATIONS,
    TABLES_MEASURED,
    TEXT_LENGTH,
    TEXTS,
    UNCOUNTED,
    WIDTHS_FROM,
    Question,
)
from dbtrust.engine.postgres.patience import patience
from dbtrust.model.errors import ServerError
from dbtrust.model.report import NotExamined
from dbtrust.model.snapshot import ReadOptions, Row, Snapshot

#: Of the statements that lead in one of these the texts are kept, TOP of each.
_LEADING = ("total_exec_time", "calls", "shared_blks_read", "temp_blks_written", "rows", "total_plan_time")
TOP = 100
_MARKED = f"{MARK} ".encode()
#: Marked as the questions are: pg_stat_statements counts them as well.
_BEGIN, _END = f"{MARK} BEGIN READ ONLY", f"{MARK} ROLLBACK"
#: What is not judged of a table or index that is locked.
_BLOAT_RULES = {"table_bloat": "table.bloat", "index_bloat": "index.bloat"}
_MONITOR = "membership in pg_monitor"


def read_snapshot(url: str, options: ReadOptions) -> Snapshot:
    """Asks every question in a READ ONLY transaction of its own, bounded by `options.timeout_ms`.

    A question that fails is not examined and the rest goes on; a server that goes away leaves what was read,
    and `Snapshot.server["lost"]` says why. Raises ConfigError and ServerError where nothing could be read.
    """
    with connect(url) as connection:
        read_any_encoding(connection)
        reader = _Reader(connection, options)
        server = reader.server()
        reader.sections(server)
    if reader.gone:
        server["lost"] = reader.gone
    return Snapshot(
        "postgres", str(server["now"]), server, reader.found, tuple(dict.fromkeys(reader.not_examined))
    )


def read_sections(connection: psycopg.Connection[Any], names: frozenset[str]) -> Snapshot:
    """A snapshot of these sections alone; the connection only reads from then on. Raises ServerError."""
    reader = _Reader(connection, ReadOptions())
    server = reader.server()
    for question in QUESTIONS:
        if question.name in names:
            reader.section(question, server)
    return Snapshot("postgres", str(server["now"]), server, reader.found, tuple(reader.not_examined))


def sent(url: str, options: ReadOptions) -> list[str]:
    """What `read_snapshot` sends to the server of this URL, whose version the connection itself tells."""
    with connect(url) as connection:
        version = connection.info.server_version
    texts = [_head(options), _text("monitor_server")]
    texts += [_text(file) for question in QUESTIONS if (file := question.file(version))]
    if version >= 160000:
        texts.append(_text(RELATIONS))
    texts += [_text(name) for name in (*SERVED, *BLOAT, *TEXTS)]
    return texts


def _head(options: ReadOptions) -> str:
    return (
        f"-- Each statement below is sent in a transaction of its own, after this one and before {_END}.\n"
        f"{_BEGIN};\n{_text('monitor_session') % {'timeout': repr(str(options.timeout_ms))}}"
    )


def _text(name: str) -> str:
    return (_MARKED + sql.load(name)).decode().rstrip() + ";\n"


class _Marked(psycopg.Cursor[dict[str, Any]]):
    """A cursor whose statements carry the mark: pg_stat_statements keeps texts, but no application names."""

    #: See `patience`.
    timeout_ms = 0

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        text = query.encode() if isinstance(query, str) else query
        with patience(self.connection, self.timeout_ms):
            return super().execute(_MARKED + text, params, **options)


@dataclass(slots=True)
class _Reader:
    """One connection, which commits by itself, and what it told so far."""

    connection: psycopg.Connection[Any]
    options: ReadOptions
    found: dict[str, tuple[Row, ...]] = field(default_factory=dict[str, "tuple[Row, ...]"])
    not_examined: list[NotExamined] = field(default_factory=list[NotExamined])
    gone: str = ""

    def server(self) -> dict[str, Any]:
        try:
            return dict(self.ask("monitor_server")[0])
        except psycopg.Error as error:
            raise ServerError(
                f"the server answers, but not to what it is: {describe(error)}",
                next="look at the server's log and try again",
            ) from None

    def ask(self, name: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """The rows of one question as JSON-like values. Raises psycopg.Error."""
        with self._transaction() as cursor:
            return [_plain(row) for row in cursor.execute(sql.load(name), parameters)]

    def _transaction(self) -> Any:
        return _Transaction(self.connection, self.options.timeout_ms)

    def sections(self, server: Mapping[str, Any]) -> None:
        """Fills `found` and `not_examined`."""
        for question in QUESTIONS:
            self.section(question, server)
        self._merge_relations(server)
        self._served()
        self._texts()
        self._bloat(server)
        self.not_examined += list(_unseen(server, self.found))

    def section(self, question: Question, server: Mapping[str, Any]) -> None:
        """Asks one question; its rows, or why there are none, are kept."""
        version = _version_of(question, server)
        if version is None:
            self._leave_out(question.name, question.needs)
        elif file := question.file(version):
            self.options.progress(f"reading {question.name} of PostgreSQL")
            rows = self._try(question.name, file, needs=question.needs)
            if rows is not None:
                self.found[question.name] = tuple(rows)

    def _try(
        self, name: str, file: str, parameters: Mapping[str, Any] | None = None, needs: str = ""
    ) -> list[Row] | None:
        """None where the question failed, which is then not examined."""
        if self.gone:
            self._leave_out(name, "a server that stays: it went away while it was read")
            return None
        try:
            return self.ask(file, parameters)
        except psycopg.Error as error:
            self._failed(name, error, needs)
            return None

    def _failed(self, name: str, error: psycopg.Error, needs: str) -> None:
        told = describe(error)
        if lost(error) or self.connection.closed:
            self.gone = told
            self._leave_out(name, "a server that stays: it went away while it was read")
        elif isinstance(error, psycopg.errors.InsufficientPrivilege):
            self._leave_out(name, f"{needs or _MONITOR} ({told})")
        elif isinstance(error, psycopg.errors.QueryCanceled):
            self._leave_out(name, f"more than {self.options.timeout_ms} ms of the server's time ({told})")
        else:
            self._leave_out(name, f"an answer of the server, which said: {told}")

    def _leave_out(self, name: str, needs: str) -> None:
        self.not_examined.append(NotExamined(name, needs))

    def _merge_relations(self, server: Mapping[str, Any]) -> None:
        """What 16 and later count of tables and indexes goes into their rows."""
        if server["version_num"] < 160000:
            return
        rows = self._try("relations", RELATIONS)
        more = {row["oid"]: row for row in rows or ()}
        for name in {"tables", "indexes"} & self.found.keys():
            self.found[name] = tuple({**row, **more.get(row["oid"], {})} for row in self.found[name])

    def _served(self) -> None:
        """Indexes and constraints in the form in which they are compared."""
        if self.gone:
            self._leave_out("catalog", "a server that stays: it went away while it was read")
            return
        try:
            with self._transaction() as cursor:
                objects = served_objects(cursor)
        except psycopg.Error as error:
            self._failed("catalog", error, "")
            return
        self.found["catalog"] = tuple(
            {"kind": o.kind, "name": o.name, "definition": _plain(o.definition)} for o in objects
        )

    def _texts(self) -> None:
        """Texts of the statements that lead, as far as the earlier snapshot has none."""
        if "statements" not in self.found:
            return
        known = _known_texts(self.options.earlier)
        wanted = leading(self.found["statements"])
        ids = [int(id) for id in wanted if id not in known]
        rows: list[Row] | None = []
        if ids:
            rows = self._try("statement_texts", TEXTS[0], {"ids": ids, "length": TEXT_LENGTH})
        kept = [known[id] for id in wanted if id in known]
        self.found["statement_texts"] = (*kept, *(rows or ()))

    def _bloat(self, server: Mapping[str, Any]) -> None:
        """Measured for the tables and indexes that may matter, where pgstattuple is there."""
        if server["pgstattuple_version"] is None:
            self._leave_out(
                "table_bloat", "CREATE EXTENSION pgstattuple, and pg_stat_scan_tables or pg_monitor"
            )
            self._leave_out(
                "index_bloat", "CREATE EXTENSION pgstattuple, and pg_stat_scan_tables or pg_monitor"
            )
            return
        needs = "EXECUTE on pgstattuple's functions (pg_stat_scan_tables or pg_monitor)"
        for name, oids in (("table_bloat", self._large_tables()), ("index_bloat", self._large_indexes())):
            rows = self._measured(name, f"monitor_{name}", oids, needs)
            if rows is not None:
                self.found[name] = tuple(rows)

    def _measured(self, name: str, file: str, oids: Sequence[int], needs: str = "") -> list[Row] | None:
        """All at once; where something is locked one by one, and what is locked is not examined, by its name."""
        if self.gone:
            return self._try(name, file)
        try:
            return self.ask(file, {"oids": list(oids)})
        except psycopg.errors.LockNotAvailable:
            each = [
                self._try(f"{name}: {self._named(oid)} ({_BLOAT_RULES[name]})", file, {"oids": [oid]}, needs)
                for oid in oids
            ]
            return [row for rows in each for row in rows or ()]
        except psycopg.Error as error:
            self._failed(name, error, needs)
            return None

    def _named(self, oid: int) -> str:
        rows = (row for name in ("tables", "indexes") for row in self.found.get(name, ()))
        return next((f"{row['schema']}.{row['name']}" for row in rows if row["oid"] == oid), str(oid))

    def _large_tables(self) -> list[int]:
        rows = [row for row in self.found.get("tables", ()) if row["kind"] in ("r", "m")]
        return _largest([*rows, *self._uncounted(rows)], *TABLES_MEASURED)

    def _uncounted(self, rows: Sequence[Row]) -> list[Row]:
        """Tables that were never vacuumed or analyzed and hold something, with the size that they have."""
        held = {row["oid"]: (row["live"] or 0) + (row["dead"] or 0) for row in rows if not row["bytes"]}
        oids = sorted((oid for oid in held if held[oid]), key=lambda oid: -held[oid])[:UNCOUNTED]
        return self._measured("table_bloat", BLOAT[0], oids) or [] if oids else []

    def _large_indexes(self) -> list[int]:
        rows = [row for row in self.found.get("indexes", ()) if row["method"] == "btree" and row["valid"]]
        return _largest([row for row in rows if row["bytes"]], *INDEXES_MEASURED)


class _Transaction:
    """A cursor in a READ ONLY transaction with the settings of monitor_session.sql; always rolled back."""

    def __init__(self, connection: psycopg.Connection[Any], timeout_ms: int) -> None:
        self._connection = connection
        self._cursor = _Marked(connection, row_factory=dict_row)
        self._cursor.timeout_ms = self._timeout_ms = timeout_ms

    def __enter__(self) -> psycopg.Cursor[dict[str, Any]]:
        self._cursor.execute("BEGIN READ ONLY")
        try:
            self._cursor.execute(sql.load("monitor_session"), {"timeout": str(self._timeout_ms)})
        except psycopg.Error as error:
            self.__exit__(type(error), error, None)
            raise
        return self._cursor

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        gone = self._connection.closed or (isinstance(error, psycopg.Error) and lost(error))
        if not gone:
            self._cursor.execute("ROLLBACK")
        self._cursor.close()


def _version_of(question: Question, server: Mapping[str, Any]) -> int | None:
    """The version that picks the question's file; None where its extension is not there."""
    version: int = server["version_num"]
    if not question.extension:
        return version
    installed = server["statements_version"]
    if installed is None:
        return None
    parts = tuple(int(part) for part in str(installed).split("."))
    return version if parts >= (1, 11) else min(version, 160000)


def _known_texts(earlier: Snapshot | None) -> dict[str, Row]:
    rows = earlier.sections.get("statement_texts", ()) if earlier else ()
    return {str(row["queryid"]): row for row in rows}


def leading(statements: Sequence[Row]) -> list[str]:
    """The query ids whose texts are wanted: the first of each measure."""
    found: dict[str, None] = {}
    seen = [row for row in statements if row["queryid"] is not None]
    for measure in _LEADING:
        ranked = sorted(seen, key=lambda row: row[measure] or 0, reverse=True)
        found |= dict.fromkeys(row["queryid"] for row in ranked[:TOP] if row[measure])
    return list(found)


def _largest(rows: Iterable[Row], count: int, least: int, most: int) -> list[int]:
    """`count` oids, the largest first, of those between `least` and `most` bytes."""
    fit = [row for row in rows if least <= row["bytes"] <= most]
    return [row["oid"] for row in sorted(fit, key=lambda row: row["bytes"], reverse=True)[:count]]


def _unseen(server: Mapping[str, Any], found: Mapping[str, Sequence[Row]]) -> Iterator[NotExamined]:
    """What the role cannot see and the server does not call an error."""
    if not server["sees_all"]:
        yield NotExamined("sessions and statements of other roles", _MONITOR)
        if found.get("replication"):
            # The server shows that there are replicas, and NULL for how far they are.
            yield NotExamined("how far replicas are (replication.lag)", _MONITOR)
    hidden = [row["name"] for row in found.get("sequences", ()) if row["unseen"]]
    if hidden:
        yield NotExamined(
            f"the last values of {len(hidden)} sequences (sequence.near_end)",
            "USAGE or SELECT on them, or pg_read_all_data",
        )
    analysed = any(row["last_analyze"] or row["last_autoanalyze"] for row in found.get("tables", ()))
    if analysed and "indexes" in found and found["indexes"] and not found.get("column_statistics"):
        yield NotExamined(
            "what ANALYZE saw of columns (index.boolean, index.null_heavy)",
            "SELECT on the tables, or pg_read_all_data",
        )
    if unread := _without_widths(found):
        yield NotExamined(
            f"the bloat of {unread} tables by estimate (table.bloat_estimate)",
            "SELECT on the tables, or pg_read_all_data",
        )
    if "activity" in found and _setting(found, "track_activities") == "off":
        yield NotExamined("what sessions do", "track_activities = on")
    if server["standby"]:
        yield NotExamined("the counters of the primary and of other replicas", "a snapshot of each of them")
    elif found.get("replication"):
        yield NotExamined("the counters of the replicas (index.unused)", "a snapshot of each of them")


def _without_widths(found: Mapping[str, Sequence[Row]]) -> int:
    """How many large tables were analyzed and not measured, and show the role nothing of their columns."""
    if "widths" not in found:
        return 0
    known = {row["oid"] for name in ("widths", "table_bloat") for row in found.get(name, ())}
    return sum(
        bool(row["last_analyze"] or row["last_autoanalyze"]) and row["bytes"] > WIDTHS_FROM
        for row in found.get("tables", ())
        if row["kind"] in ("r", "m") and row["oid"] not in known and row["rows"]
    )


def _setting(found: Mapping[str, Sequence[Row]], name: str) -> str | None:
    return next((row["setting"] for row in found.get("settings", ()) if row["name"] == name), None)


def _plain(value: Any) -> Any:
    """JSON-like: times as ISO 8601 in UTC, durations in ms, decimals as numbers."""
    match value:
        case Mapping():
            return {key: _plain(item) for key, item in cast("Mapping[str, Any]", value).items()}
        case list() | tuple():
            return [_plain(item) for item in cast("Sequence[Any]", value)]
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case timedelta():
            return value.total_seconds() * 1000
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case _:
            return value
