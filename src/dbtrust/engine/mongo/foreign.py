"""Reads the ledgers of other migration tools in a MongoDB database; nothing is changed.

migrate-mongo keeps a document {fileName, appliedAt} for each applied file in `changelog` (its default);
golang-migrate one document {version, dirty} in `schema_migrations`.
"""

from __future__ import annotations

from typing import Any

from pymongo.database import Database

from dbtrust.model.foreign import ForeignLedger, ForeignRow


def foreign_ledgers(db: Database[Any]) -> list[ForeignLedger]:
    """Those collections that hold documents of these shapes. Raises PyMongoError."""
    names = set(db.list_collection_names())
    found: list[ForeignLedger] = []
    if "changelog" in names:
        files = [
            d["fileName"] for d in db["changelog"].find({"fileName": {"$type": "string"}}).sort("fileName", 1)
        ]
        if files:
            rows = tuple(ForeignRow(_leading(name), name) for name in files)
            found.append(ForeignLedger("migrate-mongo", "mongo", "changelog", "list", rows))
    if "schema_migrations" in names:
        documents = list(
            db["schema_migrations"].find({"version": {"$exists": True}, "dirty": {"$exists": True}})
        )
        if documents:
            dirty = ", ".join(str(d["version"]) for d in documents if d["dirty"])
            said = f"version {dirty} is dirty" if dirty else ""
            rows = tuple(ForeignRow(str(d["version"])) for d in documents)
            found.append(ForeignLedger("golang-migrate", "mongo", "schema_migrations", "head", rows, said))
    return found


def _leading(text: str) -> str:
    """The digits that a file's name begins with."""
    return text[: len(text) - len(text.lstrip("0123456789"))]
