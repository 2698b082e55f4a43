"""Strangers: for each object that a migration creates, another object of the same name with another definition."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString, cast

from psycopg import sql

from dbtrust.engine.postgres.catalog import qualified
from dbtrust.model.catalog import Catalog, CatalogObject, Difference, path_of

#: Helper objects of decoys carry this name and do not count in a comparison.
HELPER = "dbtrust_decoy"


@dataclass(frozen=True, slots=True)
class Decoy:
    """`statements` create the stranger; `kind` and `name` are those of the object it stands in for."""

    kind: str
    name: str
    statements: tuple[sql.Composed, ...]


def decoys_for(
    before: Catalog, after: Catalog, created: Sequence[Difference]
) -> tuple[list[Decoy], list[str]]:
    """A decoy for each created object that can stand in an earlier state, and the names of those that cannot."""
    decoys: list[Decoy] = []
    untried: list[str] = []
    tables = {d.name for d in created if d.change == "extra" and d.kind == "table"}
    for difference in created:
        item = after.find(difference.kind, difference.name)
        if item is None:
            continue
        if difference.change == "changed":
            decoys += _columns(before, item)
        elif difference.change == "extra" and not _implied(item, tables):
            statements = _stranger(before, item)
            if statements is None:
                untried.append(f"{item.kind} {item.name}")
            else:
                decoys.append(Decoy(item.kind, item.name, statements))
    return decoys, untried


def _implied(item: CatalogObject, created: set[str]) -> bool:
    """Does it come into being with another object (a key's index, an identity's sequence, a table's constraint)?"""
    definition = item.definition
    if item.kind == "index":
        return "constraint" in definition or "partition_of" in definition
    if item.kind == "sequence":
        return "owned_by" in definition
    return item.kind == "constraint" and qualified(path_of(item.name)[:-1]) in created


def _stranger(before: Catalog, item: CatalogObject) -> tuple[sql.Composed, ...] | None:
    maker = _MAKERS.get(item.kind)
    return maker(before, item) if maker else None


def _qualified(name: str) -> sql.Composable:
    return sql.Identifier(*path_of(name))


def _one(template: LiteralString, *parts: sql.Composable) -> tuple[sql.Composed, ...]:
    return (sql.SQL(template).format(*parts),)


def _table(before: Catalog, item: CatalogObject) -> tuple[sql.Composed, ...]:
    del before
    return _one("CREATE TABLE {} ({} integer)", _qualified(item.name), sql.Identifier(HELPER))


def _view(before: Catalog, item: CatalogObject) -> tuple[sql.Composed, ...]:
    del before
    return _one("CREATE VIEW {} AS SELECT 1 AS {}", _qualified(item.name), sql.Identifier(HELPER))


def _sequence(before: Catalog, item: CatalogObject) -> tuple[sql.Composed, ...]:
    del before
    return _one("CREATE SEQUENCE {} INCREMENT 7 START 7", _qualified(item.name))


def _type(before: Catalog, item: CatalogObject) -> tuple[sql.Composed, ...]:
    del before
    return _one("CREATE TYPE {} AS ENUM ('dbtrust_decoy')", _qualified(item.name))


def _index(before: Catalog, item: CatalogObject) -> tuple[sql.Composed, ...]:
    schema, name = path_of(item.name)
    table = qualified((schema, str(item.definition["table"])))
    if before.find("table", table) is not None:
        return _one("CREATE INDEX {} ON {} ((0))", sql.Identifier(name), _qualified(table))
    helper = sql.Identifier(schema, HELPER)
    create = sql.SQL("CREATE TABLE {} (x integer)").format(helper)
    return (create, sql.SQL("CREATE INDEX {} ON {} (x)").format(sql.Identifier(name), helper))


def _function(before: Catalog, item: CatalogObject) -> tuple[sql.Composed, ...] | None:
    """The same signature and result with another body."""
    del before
    match = re.match(r'((?:"(?:[^"]|"")*"|[^("])+)\((.*)\)\Z', item.name, re.DOTALL)
    returns = item.definition.get("result")
    if match is None or returns is None:
        return None
    # Both texts come from the server's own catalog functions, which quote what needs quoting.
    arguments, result = _trusted(match[2]), _trusted(str(returns))
    body = "BEGIN RAISE EXCEPTION 'dbtrust_decoy'; END"
    head = sql.SQL("CREATE FUNCTION {}({}) RETURNS {} LANGUAGE plpgsql AS {}")
    return (head.format(sql.Identifier(*path_of(match[1])), arguments, result, sql.Literal(body)),)


def _trusted(text: str) -> sql.Composable:
    return sql.SQL(text)  # pyright: ignore[reportArgumentType]


def _trigger(before: Catalog, item: CatalogObject) -> tuple[sql.Composed, ...] | None:
    schema, table, name = path_of(item.name)
    if before.find("table", qualified((schema, table))) is None:
        return None
    function = sql.Identifier(schema, HELPER)
    create = sql.SQL(
        "CREATE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
    ).format(function)
    trigger = sql.SQL("CREATE TRIGGER {} AFTER TRUNCATE ON {} FOR EACH STATEMENT EXECUTE FUNCTION {}()")
    return (create, trigger.format(sql.Identifier(name), sql.Identifier(schema, table), function))


def _constraint(before: Catalog, item: CatalogObject) -> tuple[sql.Composed, ...] | None:
    schema, table, name = path_of(item.name) if len(path_of(item.name)) == 3 else ("", "", "")
    if before.find("table", qualified((schema, table))) is None:
        return None
    return _one(
        "ALTER TABLE {} ADD CONSTRAINT {} CHECK (true)", sql.Identifier(schema, table), sql.Identifier(name)
    )


def _columns(before: Catalog, item: CatalogObject) -> Iterator[Decoy]:
    """A column that the migration adds to a table, with another type; what it only sets on one that is there is none."""
    old = before.find(item.kind, item.name)
    if item.kind != "table" or old is None:
        return
    there = {column["name"] for column in old.definition.get("columns", ())}
    for column in item.definition.get("columns", ()):
        if column["name"] in there:
            continue
        other = sql.SQL("text") if "int" in str(column["type"]) else sql.SQL("integer")
        alter = sql.SQL("ALTER TABLE {} ADD COLUMN {} {}")
        statement = alter.format(_qualified(item.name), sql.Identifier(column["name"]), other)
        yield Decoy("column", f"{item.name}.{column['name']}", (statement,))


def under_another_name(decoy: Decoy, wanted: Catalog, found: Catalog, extra: Sequence[Difference]) -> bool:
    """Did the server choose another name for an object that the script leaves unnamed (CREATE INDEX ON t (a))?"""
    target = wanted.find(decoy.kind, decoy.name)
    twins = [found.find(d.kind, d.name) for d in extra if d.change == "extra" and d.kind == decoy.kind]
    return target is not None and any(twin is not None and _same_but_name(target, twin) for twin in twins)


def _same_but_name(one: CatalogObject, other: CatalogObject) -> bool:
    old, new = path_of(one.name)[-1], path_of(other.name)[-1]
    return _renamed(dict(other.definition), new, old) == _renamed(dict(one.definition), old, old)


def _renamed(value: Any, new: str, old: str) -> Any:
    """A definition in which every text has one name in place of another, bare or as SQL quotes it."""
    if isinstance(value, str):
        return value.replace(new, old).replace(new.replace('"', '""'), old.replace('"', '""'))
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, Any]", value).items()
        return {_renamed(key, new, old): _renamed(item, new, old) for key, item in pairs}
    if isinstance(value, list | tuple):
        return [_renamed(item, new, old) for item in cast("Sequence[Any]", value)]
    return value


_MAKERS = {
    "table": _table, "view": _view, "materialized view": _view, "index": _index, "sequence": _sequence, "type": _type, "function": _function,
    "trigger": _trigger, "constraint": _constraint,
}  # fmt: skip


def without_helpers(catalog: Catalog) -> Catalog:
    """The catalog without the decoys' own helper table and function."""
    kept = [o for o in catalog.objects if HELPER not in path_of(o.name)[1:2] and f".{HELPER}(" not in o.name]
    return Catalog(catalog.engine, tuple(kept))
