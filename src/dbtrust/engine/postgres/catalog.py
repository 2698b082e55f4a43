"""What a PostgreSQL database holds: every object that a migration can make, without rows and object ids."""

from __future__ import annotations

from typing import Any

import psycopg

from dbtrust.engine.postgres.questions import question
from dbtrust.model.catalog import Catalog, CatalogObject

_QUESTIONS = (
    "catalog_tables", "catalog_constraints", "catalog_indexes", "catalog_triggers", "catalog_functions",
    "catalog_types", "catalog_others",
)  # fmt: skip


def snapshot(connection: psycopg.Connection[Any]) -> Catalog:
    """The catalog of the connected database, from one snapshot of it.

    Names are qualified (the search path is empty meanwhile). Who owns an object does not count: the owner is
    written "owner", so that the same schema made by another role compares equal. Raises psycopg.Error.
    """
    objects: list[CatalogObject] = []
    with connection.transaction():
        before = connection.execute("SHOW search_path").fetchone()
        connection.execute("SELECT pg_catalog.set_config('search_path', '', true)")
        for name in _QUESTIONS:
            objects += [_object(*row) for row in connection.execute(question(name)).fetchall()]
        # The caller may hold an outer transaction, in which a local setting would stay.
        connection.execute("SELECT pg_catalog.set_config('search_path', %s, true)", [before[0] if before else ""])
    return Catalog("postgres", tuple(sorted(objects, key=lambda o: (o.kind, o.name))))


def _object(kind: str, name: str, definition: dict[str, Any]) -> CatalogObject:
    owner = definition.pop("owner", None)
    if owner is not None:
        definition["grants"] = sorted(_without_owner(grant, str(owner)) for grant in definition.get("grants") or [])
        if kind == "default privilege":
            name = f"{name.rsplit('.', 1)[0]}.owner"
    for column in definition.get("columns") or []:
        if isinstance(column, dict) and "grants" in column:
            column["grants"] = sorted(_without_owner(grant, str(owner)) for grant in column["grants"])
    return CatalogObject(kind, name, definition)


def _without_owner(grant: str, owner: str) -> str:
    """"alice=arwdDxtm/alice" of owner alice -> "owner=arwdDxtm/owner" (aclitem's text form)."""
    grantee, _, rest = grant.partition("=")
    rights, _, grantor = rest.partition("/")
    names = ["owner" if name.strip('"') in (owner, "pg_database_owner") else name for name in (grantee, grantor)]
    return f"{names[0]}={rights}/{names[1]}"
