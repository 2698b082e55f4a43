"""What several of MongoDB's diagnostics say alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dbtrust.model.catalog import Catalog, CatalogObject
from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.monitor.rules._finding import of_engine

#: A collection with fewer documents is read as fast without any advice.
FEW_DOCUMENTS = 1_000
finding = of_engine("mongo")


def collection_subject(row: Row) -> str:
    return f"collection:{row['label']}"


def index_subject(row: Row) -> str:
    return f"index:{row['label']}.{row['index']}"


def server_subject(row: Row) -> str:
    return f"server:{row['member']}"


def place(row: Row) -> tuple[str, str]:
    """(database, collection) of a row."""
    return row["database"], row["collection"]


def documents(now: Snapshot) -> dict[tuple[str, str], int]:
    """The number of documents of each plain collection whose size is known."""
    rows = now.sections.get("collections", ())
    return {place(row): row["documents"] for row in rows if row.get("documents") is not None}


def large(now: Snapshot) -> set[tuple[str, str]]:
    """The collections that are worth advice."""
    return {key for key, count in documents(now).items() if count >= FEW_DOCUMENTS}


def declared(now: Snapshot) -> dict[tuple[str, str], dict[str, list[str]]]:
    """(database, collection) -> {field: BSON types}, as the first level of a validator declares them."""
    return {place(row): dict(row.get("types") or ()) for row in now.sections.get("collections", ())}


def by_collection(rows: Iterable[Row]) -> dict[tuple[str, str], list[Row]]:
    """Rows by (database, collection), in their order."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault(place(row), []).append(row)
    return found


def catalogs(now: Snapshot) -> Iterator[tuple[Row, Catalog]]:
    """(a row of the collection, its indexes as a catalog) for each collection with indexes."""
    for (_, name), rows in by_collection(now.sections["indexes"]).items():
        objects = [CatalogObject("collection", name, {})]
        objects += [CatalogObject("index", f"{name}.{row['index']}", row["definition"]) for row in rows]
        yield rows[0], Catalog("mongo", tuple(objects))


def fields(definition: Row) -> list[str]:
    """The names of an index's keys."""
    return [str(pair[0]) for pair in definition["key"]]


def keys(definition: Row) -> str:
    """(a 1, b -1)."""
    return "(" + ", ".join(f"{name} {direction}" for name, direction in definition["key"]) + ")"


def shell(row: Row) -> str:
    """A row's collection as mongosh writes it."""
    return f"{sibling(row)}.getCollection({text(row['collection'])})"


def sibling(row: Row) -> str:
    """A row's database as mongosh writes it, whichever is the present one."""
    return f"db.getSiblingDB({text(row['database'])})"


def text(value: object) -> str:
    """A string as mongosh writes it."""
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
