"""The catalog of one PostgreSQL database as plain objects that compare equal where they mean the same.

Owners are left out and the database's owner is "owner" in grants, so a copy under another role is equal.
Left out too: system schemas, members of extensions, temporary objects and dbtrust's own ledger.
Written for PostgreSQL 15 to 18; properties that a version lacks are absent.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row

from dbtrust.engine.postgres import questions, sql
from dbtrust.engine.postgres.errors import describe
from dbtrust.model.catalog import Catalog, CatalogObject, qualified

Row = dict[str, Any]
Grants = Mapping[tuple[str, int, int], dict[str, list[str]]]
#: What objects are read again together: a relation with all that hangs on it ("r"), a sequence ("q"), a routine
#: ("f"), a type ("t"), each by OID, and everything else (OTHERS).
Unit = tuple[str, int]
OTHERS: Unit = ("o", 0)

#: What a row tells about itself and not about its object.
_BOOKKEEPING = frozenset({"kind", "class", "oid", "path", "suffix", "relation", "number", "relkind"})
#: Questions whose rows are objects as they stand; those of relations are told apart.
_PLAIN = (
    "sequences", "functions", "schemas", "extensions", "default_privileges", "event_triggers", "publications",
    "subscriptions", "user_mappings", "languages", "others",
)  # fmt: skip
_OF_RELATIONS = frozenset(
    {"columns", "constraints", "indexes", "index_keys", "triggers", "policies", "rules", "statistics"}
)
#: Questions that can be about the given OIDs alone.
_OF_OIDS = frozenset({"relations", "grants", "types", "domain_constraints", "sequences", "functions"})
_HANGING = ("triggers", "policies", "rules", "statistics")
#: What an index's or a constraint's text does not say; the rest goes under "structure".
_TOLD_APART = frozenset({
    "schema", "table", "name", "definition", "valid", "clustered", "replica_identity", "constraint",
    "partition_of", "tablespace", "comment", "validated", "enforced", "inherited",
    "triggers_disabled", "statistics_targets",
})  # fmt: skip


@dataclass(slots=True)
class Refusals:
    """The questions that a role may not ask: question (a file of sql/) -> what the server said."""

    of: dict[str, str] = field(default_factory=dict[str, str])


def snapshot(connection: psycopg.Connection[Any], refusals: Refusals | None = None) -> Catalog:
    """Every object of the connection's database, its own uncommitted changes included.

    One round trip per kind, in a transaction (or savepoint) that is rolled back, so no setting of the session
    survives. Raises psycopg.Error where the server refuses; with `refusals` a question that the role has no right
    to ask is kept there and counts as answered by nothing.
    """
    with canonical(connection) as cursor:
        return catalog_of(o for _, o in _read(Asking(cursor, refusals)))


_READING = b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_GENERIC = b"SET LOCAL plan_cache_mode = force_generic_plan"


@contextmanager
def canonical(
    connection: psycopg.Connection[Any], *, generic: bool = False
) -> Generator[psycopg.Cursor[Row]]:
    """A cursor whose session writes names and values in one way; its transaction (or savepoint) is rolled back.

    `generic`: prepared questions are planned for any objects.
    """
    own = connection.info.transaction_status == TransactionStatus.IDLE
    with connection.transaction(force_rollback=True), connection.cursor(row_factory=dict_row) as cursor:
        settings = [_READING] if own else []
        cursor.execute(b"; ".join([*settings, *([_GENERIC] if generic else []), sql.load("session")]))
        yield cursor


def catalog_of(objects: Iterable[CatalogObject]) -> Catalog:
    """The objects in the order in which a catalog has them."""
    return Catalog("postgres", tuple(sorted(objects, key=lambda o: (o.kind, o.name))))


@dataclass(slots=True)
class Asking:
    """A cursor that asks the questions of sql/, and what happens to those that are refused."""

    cursor: psycopg.Cursor[Row]
    refusals: Refusals | None = None

    def __call__(self, name: str, relations: list[int], only: list[int] | None = None) -> list[Row]:
        """`only`: the OIDs that the question is about, where not all."""
        parameters: dict[str, Any] | None = {"relations": relations} if name in _OF_RELATIONS else None
        if name in _OF_OIDS:
            parameters = {"only": only}
        if self.refusals is None:
            return questions.ask(self.cursor, name, parameters)
        try:
            # Rolled back, so the locks that reading a view takes are not held until the end.
            with self.cursor.connection.transaction(force_rollback=True):
                return questions.ask(self.cursor, name, parameters)
        except psycopg.errors.InsufficientPrivilege as error:
            self.refusals.of[name] = describe(error)
            return []


def read_parts(ask: Asking) -> dict[Unit, tuple[CatalogObject, ...]]:
    """Every object of the database by unit. Raises psycopg.Error."""
    return _grouped(_read(ask))


def reread(ask: Asking, units: Iterable[Unit]) -> dict[Unit, tuple[CatalogObject, ...]]:
    """The objects of these units as they are now; a unit that is gone is left out. Raises psycopg.Error."""
    by_kind: defaultdict[str, list[int]] = defaultdict(list)
    for kind, oid in units:
        by_kind[kind].append(oid)
    with questions.ahead(ask.cursor, _asked(by_kind)):
        return _grouped(_reread(ask, by_kind))


def _asked(by_kind: Mapping[str, list[int]]) -> Iterator[tuple[str, Mapping[str, list[int]]]]:
    """What `_reread` asks, as far as it is known before."""
    yield "grants", {"only": [oid for oids in by_kind.values() for oid in oids]}
    for kind, names in _ASKED.items():
        if by_kind.get(kind):
            yield from ((n, {"relations" if n in _OF_RELATIONS else "only": by_kind[kind]}) for n in names)


#: Kind of unit -> the questions about it.
_ASKED = {
    "r": ("relations", "columns", "constraints", "indexes", "index_keys", *_HANGING),
    "t": ("types", "domain_constraints"), "q": ("sequences",), "f": ("functions",),
}  # fmt: skip


def _reread(ask: Asking, by_kind: Mapping[str, list[int]]) -> list[tuple[Unit, CatalogObject]]:
    relations, types = by_kind.get("r", []), by_kind.get("t", [])
    found: list[tuple[Unit, CatalogObject]] = []
    grants = _grants(ask("grants", [], [oid for oids in by_kind.values() for oid in oids]))
    columns: Mapping[int, list[Row]] = {}
    if relations:
        rows = ask("relations", [], relations)
        columns = _columns(ask("columns", relations), grants)
        found += _relations(rows, columns, grants)
        found += _hanging(ask, [row["oid"] for row in rows], grants) if rows else ()
    if types:
        found += _types(ask("types", [], types), ask("domain_constraints", [], types), columns, grants)
    for kind, name in (("q", "sequences"), ("f", "functions")):
        if by_kind.get(kind):
            found += _plain(ask(name, [], by_kind[kind]), grants, kind)
    return found


def _grouped(found: Iterable[tuple[Unit, CatalogObject]]) -> dict[Unit, tuple[CatalogObject, ...]]:
    parts: defaultdict[Unit, list[CatalogObject]] = defaultdict(list)
    for unit, item in found:
        parts[unit].append(item)
    return {unit: tuple(items) for unit, items in parts.items()}


def _read(ask: Asking) -> Iterator[tuple[Unit, CatalogObject]]:
    relations = ask("relations", [])
    oids = [row["oid"] for row in relations]
    grants = _grants(ask("grants", oids))
    columns = _columns(ask("columns", oids), grants)
    yield from _relations(relations, columns, grants)
    yield from _hanging(ask, oids, grants)
    yield from _types(ask("types", oids), ask("domain_constraints", oids), columns, grants)
    for name in _PLAIN:
        unit = {"sequences": "q", "functions": "f"}.get(name)
        yield from _plain(ask(name, oids), grants, unit)


def _relations(
    rows: Iterable[Row], columns: Mapping[int, list[Row]], grants: Grants
) -> Iterator[tuple[Unit, CatalogObject]]:
    for row in rows:
        if row["kind"] != "composite":
            extra = {
                "columns": columns.get(row["oid"], []),
                "grants": grants.get(("pg_class", row["oid"], 0)),
            }
            yield ("r", row["oid"]), _object(row["kind"], (row["schema"], row["name"]), row | extra)


def _hanging(ask: Asking, oids: list[int], grants: Grants) -> Iterator[tuple[Unit, CatalogObject]]:
    """What belongs to relations: constraints, indexes, triggers, policies, rules, statistics."""
    yield from _constraints(ask("constraints", oids))
    yield from _indexes(ask("indexes", oids), ask("index_keys", oids))
    for name in _HANGING:
        yield from _plain(ask(name, oids), grants, "r")


def _plain(rows: Iterable[Row], grants: Grants, unit: str | None) -> Iterator[tuple[Unit, CatalogObject]]:
    """Rows that are objects as they stand. `unit`: the kind of unit they are part of; None: none of their own."""
    for row in rows:
        extra = {"grants": grants.get((row.get("class", ""), row.get("oid", 0), 0))}
        place = OTHERS if unit is None else (unit, row["relation"] if unit == "r" else row["oid"])
        yield place, _object(row["kind"], row["path"], row | extra, suffix=row.get("suffix") or "")


#: What `served_objects` sends.
SERVED = ("session", "monitor_catalog_tables", "constraints", "indexes", "index_keys")


def served_objects(cursor: psycopg.Cursor[Row]) -> list[CatalogObject]:
    """Constraints and indexes alone, of the tables that monitor_catalog_tables.sql chooses.

    Asked in the cursor's transaction, whose settings are then those of `snapshot`. Raises psycopg.Error.
    """
    cursor.execute(sql.load("session"))
    oids = [row["oid"] for row in cursor.execute(sql.load("monitor_catalog_tables"))]
    ask = Asking(cursor)
    found = (
        *_constraints(ask("constraints", oids)),
        *_indexes(ask("indexes", oids), ask("index_keys", oids)),
    )
    return [item for _, item in found]


def _object(kind: str, path: Iterable[str], row: Mapping[str, Any], suffix: str = "") -> CatalogObject:
    definition = {key: value for key, value in row.items() if key not in _BOOKKEEPING}
    parts = tuple(path)
    return CatalogObject(kind, qualified(parts) + suffix, _told(definition), parts)


def _told(definition: Mapping[str, Any]) -> Row:
    """Without what is absent, which is how a version that lacks a property would tell it."""
    return {
        key: value for key, value in definition.items() if value is not None and value != [] and value != {}
    }


def _grants(rows: Iterable[Row]) -> Grants:
    found: defaultdict[tuple[str, int, int], dict[str, list[str]]] = defaultdict(dict)
    for row in rows:
        found[row["class"], row["oid"], row["number"]][row["grantee"]] = row["privileges"]
    return found


def _columns(rows: Iterable[Row], grants: Grants) -> defaultdict[int, list[Row]]:
    found: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        column = {key: value for key, value in row.items() if key not in _BOOKKEEPING}
        column["grants"] = grants.get(("pg_class", row["relation"], row["number"]))
        found[row["relation"]].append(_told(column))
    return found


def _constraints(rows: Iterable[Row]) -> Iterator[tuple[Unit, CatalogObject]]:
    for row in rows:
        yield (
            ("r", row["relation"]),
            _object("constraint", (row["schema"], row["table"], row["name"]), _structured(row)),
        )


def _indexes(rows: Iterable[Row], keys: Iterable[Row]) -> Iterator[tuple[Unit, CatalogObject]]:
    parts: defaultdict[int, list[Row]] = defaultdict(list)
    for key in keys:
        parts[key.pop("index")].append(_told(key))
    for row in rows:
        mine = parts[row["oid"]]
        row["keys"] = [key for key in mine if not key.pop("included")]
        row["include"] = [key["expression"] for key in mine[len(row["keys"]) :]]
        targets = [
            f"{key['expression']}: {key.pop('statistics_target')}"
            for key in mine
            if "statistics_target" in key
        ]
        told = _structured(row | {"statistics_targets": targets})
        yield ("r", row["relation"]), _object("index", (row["schema"], row["name"]), told)


def _structured(row: Row) -> Row:
    told = {key: value for key, value in row.items() if key in _TOLD_APART}
    rest = {key: value for key, value in row.items() if key not in _TOLD_APART | _BOOKKEEPING}
    return told | {"structure": _told(rest)}


def _types(
    rows: Iterable[Row], constraints: Iterable[Row], columns: Mapping[int, list[Row]], grants: Grants
) -> Iterator[tuple[Unit, CatalogObject]]:
    checks: defaultdict[int, list[Row]] = defaultdict(list)
    for check in constraints:
        checks[check.pop("type")].append(_told(check))
    for row in rows:
        row["grants"] = grants.get(("pg_type", row["oid"], 0))
        row["constraints"] = checks[row["oid"]]
        if row["relation"] is not None:
            row["columns"] = columns.get(row["relation"])
        yield ("t", row["oid"]), _object(row["kind"], row["path"], row)


def to_json(catalog: Catalog) -> str:
    """A canonical text of a catalog, for evidence and fixtures."""
    objects = [{"kind": o.kind, "name": o.name, "definition": o.definition} for o in catalog.objects]
    return json.dumps(objects, indent=1, sort_keys=True, ensure_ascii=False)


def names_of(connection: psycopg.Connection[Any]) -> tuple[frozenset[tuple[str, str]], ...]:
    """(schema, name) of every relation, index, constraint and view (a relation, too), in that order; no right beyond CONNECT is needed.

    Raises psycopg.Error.
    """
    rows = connection.execute(sql.load("names"), prepare=False).fetchall()
    kinds = ("relation", "index", "constraint", "view")
    return tuple(frozenset((schema, name) for k, schema, name in rows if k == kind) for kind in kinds)
