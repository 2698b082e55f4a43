"""GRANT and REVOKE between two tellings of who may do what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dbtrust.judge.repair.words import dotted, identifier, role, signature
from dbtrust.model.catalog import CatalogObject

Grants = Mapping[str, Sequence[str]]
_OPTION = " WITH GRANT OPTION"
#: What everybody may do with a new object.
_PUBLIC: Mapping[str, Sequence[str]] = {
    "function": ["EXECUTE"], "procedure": ["EXECUTE"], "aggregate": ["EXECUTE"], "type": ["USAGE"],
}  # fmt: skip
_OF_DEFAULTS: Mapping[str, Sequence[str]] = {"functions": ["EXECUTE"], "types": ["USAGE"]}
_CALLED = {
    "table": "TABLE", "view": "TABLE", "materialized view": "TABLE", "sequence": "SEQUENCE", "schema": "SCHEMA",
    "type": "TYPE", "foreign data wrapper": "FOREIGN DATA WRAPPER", "foreign server": "FOREIGN SERVER",
}  # fmt: skip


def at_birth(item: CatalogObject) -> Grants:
    """The grants of an object that was just created, as far as they are not the owner's."""
    return {"public": _PUBLIC[item.kind]} if item.kind in _PUBLIC else {}


def grant(item: CatalogObject, expected: Grants, found: Grants, owner: str) -> Iterator[str]:
    """What turns the grants of an object from `found` into `expected`. `owner` is SQL for the owner's role."""
    if item.kind in ("function", "procedure", "aggregate"):
        what = (
            f"{'PROCEDURE' if item.kind == 'procedure' else 'FUNCTION'} {dotted(item.path)}{signature(item)}"
        )
    else:
        what = f"{_CALLED[item.kind]} {dotted(item.path)}"
    yield from _between(expected, found, owner, "", f"ON {what}")


def grant_new(item: CatalogObject, owner: str) -> Iterator[str]:
    """The grants of an object that is created: the owner has all of them already."""
    wanted = {
        who: list(what) for who, what in dict(item.definition.get("grants", {})).items() if who != "owner"
    }
    yield from grant(item, wanted, at_birth(item), owner) if item.kind in (*_CALLED, *_PUBLIC) else ()


def grant_column(
    table: CatalogObject, column: str, expected: Grants, found: Grants, owner: str
) -> Iterator[str]:
    yield from _between(expected, found, owner, f" ({identifier(column)})", f"ON TABLE {dotted(table.path)}")


def default_grants(
    item: CatalogObject, expected: Grants | None, found: Grants | None, owner: str
) -> Iterator[str]:
    """ALTER DEFAULT PRIVILEGES; None is a side that has no such entry, where the built-in ones are in force."""
    who, schema, kind = item.path
    builtin: Grants = {"public": _OF_DEFAULTS[kind]} if kind in _OF_DEFAULTS and schema == "*" else {}
    head = "ALTER DEFAULT PRIVILEGES" + (f" FOR ROLE {role(who, owner)}")
    head += f" IN SCHEMA {identifier(schema)}" if schema != "*" else ""
    both = (
        _others(builtin if g is None else g) if expected is None or found is None else g
        for g in (expected, found)
    )
    wanted, there = (dict(side or {}) for side in both)
    for statement in _between(wanted, there, role(who, owner), "", f"ON {kind.upper()}"):
        yield f"{head} {statement}"


def _others(grants: Grants) -> Grants:
    return {who: what for who, what in grants.items() if who != "owner"}


def _between(expected: Grants, found: Grants, owner: str, columns: str, what: str) -> Iterator[str]:
    for who in sorted({*expected, *found}):
        wanted, there = set(expected.get(who, ())), set(found.get(who, ()))
        name = role(who, owner)
        # The option goes with the privilege, so a privilege that only loses its option is given again without it.
        gone = sorted({privilege.removesuffix(_OPTION) for privilege in there - wanted})
        back = sorted(wanted - there | {p for p in wanted if p.removesuffix(_OPTION) in gone})
        if gone:
            yield f"REVOKE {_list(gone, columns)} {what} FROM {name};"
        for option in ("", _OPTION):
            given = [p.removesuffix(_OPTION) for p in back if p.endswith(_OPTION) == bool(option)]
            if given:
                yield f"GRANT {_list(given, columns)} {what} TO {name}{option};"


def _list(privileges: Sequence[str], columns: str) -> str:
    return ", ".join(privilege + columns for privilege in privileges)
