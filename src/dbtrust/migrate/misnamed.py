"""Declared losses of what is not there, or of what the migration cannot touch: slips of the pen, which would excuse nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from dbtrust.migrate.lossy import DECLARED, constraints_of, label
from dbtrust.model.catalog import Catalog, CatalogObject, path_of
from dbtrust.model.project import Migration
from dbtrust.model.words import nearest


def misnamed(line: str, migration: Migration, before: Catalog, after: Catalog) -> str:
    """What is wrong with a declaration that nothing needed; "" where it names something that the migration may touch."""
    match = DECLARED.fullmatch(line.strip())
    if match is None:
        return ""
    kind, path = match[1].lower(), path_of(match[2].strip())
    tables = {_label(o): o for catalog in (before, after) for o in catalog.objects if o.kind == "table"}
    known = {
        "table": lambda: list(tables),
        "column": lambda: _columns(before, after),
        "constraint": lambda: list(constraints_of(before, after)),
    }[kind]()
    wanted = path[-1] if kind == "constraint" else ".".join(path[1:] if path[0] == "public" else path)
    if wanted not in known:
        close = nearest(wanted, known)
        return f"-- lossy: {line} names no {kind} that is there{f' (did you mean {close}?)' if close else ''}"
    table = tables.get(wanted if kind == "table" else wanted.rpartition(".")[0])
    if table is None or _may_touch(table, migration, before, after):
        return ""
    return f"-- lossy: {line}: neither the up nor the down touches {_label(table)}"


def _label(item: CatalogObject) -> str:
    return label((item.path[0], item.path[1]))


def _columns(*catalogs: Catalog) -> list[str]:
    tables = (o for catalog in catalogs for o in catalog.objects if o.kind == "table")
    return [f"{_label(o)}.{c['name']}" for o in tables for c in o.definition.get("columns", ())]


def _may_touch(table: CatalogObject, migration: Migration, before: Catalog, after: Catalog) -> bool:
    """Is it named in a script, other in the two catalogs, or within reach of what a script may set off?

    A row may go with that of another table by a foreign key, a trigger or a function: then nobody can say from here.
    """
    scripts = [s for s in (migration.up, migration.down) if s is not None]
    if any(s.run is not None for s in scripts) or _word(table.path[-1], (_bare(s.sql) for s in scripts)):
        return True
    mine = [[o for o in c.objects if o.path[:2] == table.path[:2]] for c in (before, after)]
    if {o.name: o for o in mine[0]} != {o.name: o for o in mine[1]}:
        return True
    return any(_reaches(o, table) for catalog in (before, after) for o in catalog.objects)


def _reaches(item: CatalogObject, table: CatalogObject) -> bool:
    if item.kind == "constraint" and item.path[:2] == table.path[:2]:
        return item.definition["structure"].get("type") == "foreign key"
    texts = [str(v) for v in item.definition.values()] if item.kind in _CODE else []
    return _word(table.path[-1], texts)


_CODE: Collection[str] = frozenset({"function", "procedure", "rule", "view"})


def _bare(sql: str) -> str:
    return re.sub(r"--[^\n]*", "", sql)


def _word(name: str, texts: Iterable[str]) -> bool:
    pattern = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
    return any(pattern.search(text) for text in texts)
