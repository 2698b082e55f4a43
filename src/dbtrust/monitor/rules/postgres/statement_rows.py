"""statement.rows: a call brings more rows than anybody reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.monitor.counters import STATEMENTS, period, statements
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding
from dbtrust.monitor.rules.postgres._statements import statement_subject, text_of

_CALLS, _ROWS = 20, 5_000


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """A thousand rows and more, in each of many calls."""
    for row in _most(statements(now, earlier)):
        each = row["rows"] / row["calls"]
        yield finding(
            RULE.id, "info", statement_subject(row),
            f"brings or writes {each:,.0f} rows in each of {row['calls']:,} calls",
            "let the server count, sum or page instead; for exports use COPY or a cursor",
            query=text_of(now, row), calls=row["calls"], rows=row["rows"], rows_per_call=each,
            **period(now, earlier, STATEMENTS, row).evidence,
        )  # fmt: skip


def _most(rows: Iterable[Row]) -> list[Row]:
    many = [row for row in rows if row["calls"] >= _CALLS and row["rows"] >= _ROWS * row["calls"]]
    return sorted(many, key=lambda row: row["rows"], reverse=True)[:5]


RULE = Rule("statement.rows", "postgres", "Statements with very many rows", ("statements",), decide)
