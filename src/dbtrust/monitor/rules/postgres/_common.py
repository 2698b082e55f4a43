"""What several of PostgreSQL's diagnostics say alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from dbtrust.judge.rules.indexes import identifier, named
from dbtrust.model.catalog import Catalog, CatalogObject
from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.monitor.rules._finding import of_engine

#: A table with fewer rows is read as fast without any advice.
FEW_ROWS = 1_000
#: An index or table below this (16 pages) costs nothing worth an advice.
SMALL = 16 * 8192
#: A table from this size on (128 pages) is worth rewriting.
LARGE = 128 * 8192
finding = of_engine("postgres")


def table_subject(row: Row) -> str:
    return f"table:{named(row['schema'], row['name'])}"


def index_subject(row: Row) -> str:
    return f"index:{named(row['schema'], row['name'])}"


def sql_name(row: Row, schema: str = "schema", name: str = "name") -> str:
    """A row's object as SQL writes it, with its schema."""
    return f"{identifier(str(row[schema]))}.{identifier(str(row[name]))}"


#: What a plain DROP INDEX of a partitioned table's index costs, which knows no CONCURRENTLY.
LOCKS_ALL = (
    "(not CONCURRENTLY for a partitioned index: reads and writes of the table and all partitions wait)"
)


def drop_index(row: Row) -> str:
    """DROP INDEX as the server takes it, with what it locks where that is more than nothing."""
    if row.get("partitioned"):
        return f"DROP INDEX {sql_name(row)}; {LOCKS_ALL}"
    return f"DROP INDEX CONCURRENTLY {sql_name(row)};"


def catalog(now: Snapshot) -> Catalog:
    """The indexes and constraints that were read, for the rules that `check` uses as well."""
    rows = now.sections["catalog"]
    return Catalog("postgres", tuple(CatalogObject(r["kind"], r["name"], r["definition"]) for r in rows))


def few_rows(now: Snapshot) -> set[tuple[str, str]]:
    """(schema, name) of the tables that are known to be small."""
    rows = now.sections.get("tables", ())
    return {(row["schema"], row["name"]) for row in rows if is_small(row)}


def partitioned(now: Snapshot) -> set[tuple[str, str]]:
    """(schema, name) of the partitioned tables, whose indexes know no CONCURRENTLY."""
    rows = now.sections.get("tables", ())
    return {(row["schema"], row["name"]) for row in rows if row["kind"] == "p"}


def is_small(row: Row) -> bool:
    """Few rows; of a table that was never counted its size decides. A partitioned table itself has no rows."""
    if row["kind"] == "p":
        return False
    return row["bytes"] < SMALL if row["rows"] is None else row["rows"] < FEW_ROWS


def stored(rows: Iterable[Row]) -> Iterator[Row]:
    """Tables and materialized views that have rows of their own and are not small."""
    return (row for row in rows if row["kind"] in ("r", "m") and not is_small(row))


def rolled_up(rows: Sequence[Row], fields: Sequence[str]) -> list[Row]:
    """Those that are no partition, with the sums of `fields` over all that stand below them."""
    parents = {row["oid"]: row["parent"] for row in rows}
    sums: dict[int, dict[str, Any]] = {}
    for row in rows:
        root, seen = row["oid"], set[int]()
        while parents.get(root) in parents and root not in seen:
            seen.add(root)
            root = parents[root]
        into = sums.setdefault(root, dict.fromkeys(fields, 0))
        for name in fields:
            into[name] += row[name] or 0
    return [{**row, **sums[row["oid"]]} for row in rows if row["oid"] in sums]


def option(row: Row, name: str) -> str | None:
    """A storage parameter of a table, or None."""
    pairs = (str(text).partition("=") for text in row["options"])
    return next((value for key, _, value in pairs if key == name), None)


def share(part: float, whole: float) -> float | None:
    """part / whole; None where there is no whole."""
    return part / whole if whole else None


def who(row: Row) -> str:
    """A session as a person would name it."""
    told = str(row.get("application") or "")
    app = f" {told if told.startswith('(') else f'({told})'}" if told else ""
    return f"session {row['pid']} of {row.get('role') or 'nobody'}{app}"
