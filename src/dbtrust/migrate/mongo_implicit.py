"""Collections that come into being by a first write or index alone: the application makes them the same way, so a down may leave them."""

from __future__ import annotations

import re
from typing import Any

from dbtrust.engine.mongo.catalog import snapshot
from dbtrust.judge.catalog import diff
from dbtrust.model.catalog import Catalog, Difference
from dbtrust.model.project import Migration

#: A call that makes a collection on purpose, or gives one another name; the name where it is written there.
_EXPLICIT = re.compile(
    r"""(?:\bcreate_collection\s*\(|["']create["']\s*[,:]|["']?\$out["']?\s*:|\.rename\s*\()\s*(?:["']([^"']+)["'])?"""
)


def implicit(migration: Migration, name: str, options: Any) -> bool:
    """Is the collection one without options, which the text of the migration does not create on purpose?"""
    made = [match[1] for match in _EXPLICIT.finditer(migration.python or "")]
    return not options and None not in made and name not in made


def left_by_down(
    db: Any, migration: Migration, before: Catalog, *, with_documents: bool = False
) -> list[Difference]:
    """How the catalog differs from before the up, without implicit collections that are empty (or `with_documents`)."""
    now = snapshot(db)
    found = diff(before, now)
    plain = {
        d.name
        for d in found
        if (d.kind, d.change) == ("collection", "extra")
        and implicit(migration, d.name, _options(db, d.name))
        and (with_documents or db[d.name].find_one({}, {"_id": 1}) is None)
    }
    kept = {("collection", name) for name in plain} | {("index", f"{name}._id_") for name in plain}
    return [d for d in found if (d.kind, d.name) not in kept]


def _options(db: Any, name: str) -> Any:
    return next(info.get("options", {}) for info in db.list_collections(filter={"name": name}))
