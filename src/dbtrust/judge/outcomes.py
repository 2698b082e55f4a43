"""The verdict of a proof: what the server refused, or the one true row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dbtrust.judge.claims import Judged, Names, missing_object
from dbtrust.judge.grammar import Claim
from dbtrust.model.catalog import path_of
from dbtrust.model.engine import Engine


def judge_refused(claim: Claim, failure: Any, names: Names) -> Judged:
    """`failure` is an engine's Failure of the last statement or command, None where it succeeded.

    PostgreSQL: SQLSTATE, constraint (or domain's constraint), table and column. MongoDB: code and path.
    """
    if (missing := missing_object(claim, names)) is not None:
        return missing
    if failure is None:
        return Judged("refuted", f"the server accepted it, claimed refused {claim.code}")
    code = str(getattr(failure, "sqlstate", None) or getattr(failure, "code", ""))
    said = f"{code} {failure.message}" if code else failure.message
    found = {"code": code, "error": failure.message}
    if code != claim.code:
        return Judged("refuted", f"refused with {said}, claimed {claim.code}", found=found)
    if claim.constraint is not None and getattr(failure, "constraint", None) != claim.constraint.name:
        other = getattr(failure, "constraint", None) or "no constraint"
        return Judged("refuted", f"refused by {other}, claimed by {claim.constraint}: {said}", found=found)
    if claim.path and claim.path not in (places := _places(failure)):
        where = " or ".join(places) or "no column"
        return Judged("refuted", f"refused on {where}, claimed on {claim.path}: {said}", found=found)
    return Judged("holds", f"refused: {said}", found=found)


def _places(failure: Any) -> list[str]:
    """How an author may write where it was refused: column, table.column, type, path."""
    column, table, path = (getattr(failure, name, None) for name in ("column", "table", "path"))
    datatype = getattr(failure, "datatype", None)
    places = [column, f"{table}.{column}" if table and column else None, datatype, path]
    return [str(place) for place in places if place]


def judge_true(rows: Sequence[Sequence[Any]] | None) -> Judged:
    """One row, one column, true."""
    if rows is None:
        return Judged(
            "refuted",
            "the last statement gives no rows",
            next="end with a SELECT or RETURNING of one boolean",
        )
    shape = f"{len(rows)} rows" if len(rows) != 1 else f"{len(rows[0])} columns" if len(rows[0]) != 1 else ""
    if shape:
        return Judged("refuted", f"found {shape}, claimed one true value")
    if rows[0][0] is not True:
        return Judged("refuted", f"found {rows[0][0]!r}, claimed true")
    return Judged("holds", "true")


def known_names(catalog_objects: Sequence[Any], engine: Engine) -> Names:
    """The names of a catalog that claims may use."""
    relations: set[tuple[str, str]] = set()
    indexes: set[tuple[str, str]] = set()
    constraints: set[tuple[str, str]] = set()
    keys: dict[tuple[str, str], str] = {}
    views: set[tuple[str, str]] = set()
    for item in catalog_objects:
        schema, *rest = path_of(item.name) if engine == "postgres" else ["", item.name]
        if item.kind in {"table", "view", "materialized view", "collection"}:
            relations.add((schema, rest[-1]))
            if item.kind == "view" or item.definition.get("type") == "view":
                views.add((schema, rest[-1]))
        elif item.kind == "index":
            indexes.add((schema, rest[-1] if engine == "postgres" else item.name.split(".", 1)[1]))
            keys[schema, rest[-1]] = str(item.definition.get("definition", "")).partition(" USING ")[2]
        elif item.kind == "type":
            constraints |= {(schema, str(check["name"])) for check in item.definition.get("constraints", [])}
        elif item.kind == "constraint":
            constraints.add((schema, rest[-1]))
    return Names(
        frozenset(relations), frozenset(indexes), frozenset(constraints), frozenset(views), keys=keys
    )
