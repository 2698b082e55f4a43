"""Sequences."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.judge.repair.grants import grant_new
from dbtrust.judge.repair.words import Definition, comment, dotted, owner_of
from dbtrust.model.catalog import CatalogObject


def sequence_options(told: Definition) -> str:
    return (
        f"START WITH {told['start']} INCREMENT BY {told['increment']} MINVALUE {told['minimum']} "
        f"MAXVALUE {told['maximum']} CACHE {told['cache']} {'CYCLE' if told['cycle'] else 'NO CYCLE'}"
    )


def create_sequence(item: CatalogObject, owner: str) -> Iterator[str]:
    """Without its owning column, which may not be there yet (see `own`)."""
    told = item.definition
    unlogged = "UNLOGGED " if told["persistence"] == "unlogged" else ""
    yield f"CREATE {unlogged}SEQUENCE {dotted(item.path)} AS {told['type']} {sequence_options(told)};"
    if "comment" in told:
        yield comment(item, told["comment"])
    yield from grant_new(item, owner)


def own(item: CatalogObject) -> Iterator[str]:
    """OWNED BY, to be run when the table is there."""
    how, column = owner_of(item)
    if how == "owned by":
        yield f"ALTER SEQUENCE {dotted(item.path)} OWNED BY {column};"


def alter_sequence(new: CatalogObject, old: CatalogObject) -> Iterator[str]:
    told, there, head = new.definition, old.definition, f"ALTER SEQUENCE {dotted(new.path)}"
    keys = ("type", "start", "increment", "minimum", "maximum", "cache", "cycle")
    if any(told.get(key) != there.get(key) for key in keys):
        yield f"{head} AS {told['type']} {sequence_options(told)};"
    if told["persistence"] != there["persistence"]:
        yield f"{head} SET {'UNLOGGED' if told['persistence'] == 'unlogged' else 'LOGGED'};"
    if (
        told.get("owned_by") != there.get("owned_by")
        and owner_of(old)[0] != "identity of" != owner_of(new)[0]
    ):
        yield f"{head} OWNED BY {owner_of(new)[1] or 'NONE'};"
