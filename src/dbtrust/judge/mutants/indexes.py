"""Mutants of PostgreSQL indexes that no constraint stands on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dbtrust.judge.rules.indexes import named
from dbtrust.judge.rules.redundancy import redundant_indexes
from dbtrust.model.catalog import Catalog, CatalogObject
from dbtrust.model.mutants import Change, Mutant, Part, name, raw, regclass

_ORDERED = "btree"
Keys = Sequence[Mapping[str, Any]]


def index_mutants(catalog: Catalog) -> Iterator[Mutant]:
    """Each index dropped, without its last column, swapped, turned round, without INCLUDE, predicate or uniqueness."""
    redundant = {
        f.subject: f"{f.evidence['keeper_name']} serves all that it serves"
        for f in redundant_indexes(catalog)
    }
    for item in catalog.objects:
        told = item.definition
        if item.kind != "index" or "structure" not in told or "constraint" in told or "partition_of" in told:
            continue
        subject = f"index:{named(told['schema'], told['name'])}"
        yield _dropped(item, subject, redundant.get(subject, ""))
        for operator, what, text, equivalent in _variants(item):
            yield _changed(item, subject, operator, what, text, redundant.get(subject, equivalent))


def _dropped(item: CatalogObject, subject: str, equivalent: str) -> Mutant:
    change = Change("DROP INDEX {} CASCADE", (_own(item),))
    return _mutant(item, subject, "drop", f"index {item.definition['name']} dropped", (change,), equivalent)


def _own(item: CatalogObject) -> Part:
    return name(item.definition["schema"], item.definition["name"])


def _changed(
    item: CatalogObject, subject: str, operator: str, what: str, text: str, equivalent: str
) -> Mutant:
    told = item.definition
    unique = told["structure"]["unique"] and operator != "unique"
    place = (name(told["name"]), name(told["schema"], told["table"]), raw(text))
    create = Change("CREATE UNIQUE INDEX {} ON {} {}" if unique else "CREATE INDEX {} ON {} {}", place)
    drop = Change("DROP INDEX {} CASCADE", (_own(item),))
    expressions = any("column" not in key for key in told["structure"]["keys"])
    fresh = (Change("ANALYZE {}", (name(told["schema"], told["table"]),)),) if expressions else ()
    return _mutant(
        item, subject, operator, f"index {told['name']} {what}", (drop, create, *fresh), equivalent
    )


def _mutant(
    item: CatalogObject, subject: str, operator: str, what: str, changes: tuple[Change, ...], equivalent: str
) -> Mutant:
    told = item.definition
    probe = Change("SELECT pg_get_indexdef(to_regclass({}))", (regclass(told["schema"], told["name"]),))
    return Mutant(
        "postgres", subject, operator, what, changes, probe, frozenset({(told["schema"], told["table"])}),
        index=told["name"], equivalent=equivalent,
    )  # fmt: skip


def _variants(item: CatalogObject) -> Iterator[tuple[str, str, str, str]]:
    """(operator, words, the text after the table's name, why it is equivalent) of every changed form."""
    parts = item.definition["structure"]
    keys: list[Mapping[str, Any]] = list(parts["keys"])
    forms: list[tuple[str, str, str | None, str]] = []
    if parts["unique"]:
        forms.append(("unique", "is not unique", definition_of(item, unique=False), ""))
    if len(keys) > 1:
        forms.append(("shorten", f"without {_said(keys[-1])}", definition_of(item, keys=keys[:-1]), ""))
        if parts["method"] == _ORDERED:
            forms.append(
                (
                    "swap",
                    "with its first two columns swapped",
                    definition_of(item, keys=[keys[1], keys[0], *keys[2:]]),
                    "",
                )
            )
    if parts["method"] == _ORDERED:
        turned = dict(
            keys[-1], descending=not keys[-1]["descending"], nulls_first=not keys[-1]["nulls_first"]
        )
        why = "a B-tree of one column is read both ways" if len(keys) == 1 else ""
        forms.append(
            (
                "direction",
                f"with {_said(keys[-1])} {'ascending' if keys[-1]['descending'] else 'descending'}",
                definition_of(item, keys=[*keys[:-1], turned]),
                why,
            )
        )
    if parts.get("include"):
        forms.append(
            (
                "include",
                f"without INCLUDE ({', '.join(parts['include'])})",
                definition_of(item, include=()),
                "",
            )
        )
    if predicate := parts.get("predicate"):
        forms.append(("predicate", f"without WHERE {predicate}", definition_of(item, predicate=None), ""))
        forms.append(
            (
                "predicate",
                f"with WHERE NOT ({predicate})",
                definition_of(item, predicate=f"NOT ({predicate})"),
                "",
            )
        )
    yield from ((operator, what, text, why) for operator, what, text, why in forms if text is not None)


def _said(key: Mapping[str, Any]) -> str:
    return str(key["expression"])


_UNSET: Any = object()


def definition_of(
    item: CatalogObject, *, keys: Keys | None = None, include: Sequence[str] | None = None, predicate: Any = _UNSET,
    unique: bool | None = None,
) -> str | None:  # fmt: skip
    """What stands behind `CREATE INDEX name ON table`, with these parts in place of the index's own.

    None where it cannot be written from the catalog (options of an operator class).
    """
    parts = item.definition["structure"]
    columns = parts["keys"] if keys is None else keys
    if any(key.get("opclass_options") for key in columns):
        return None
    text = f"USING {parts['method']} ({', '.join(_key(key, parts['method']) for key in columns)})"
    held = parts.get("include", ()) if include is None else include
    text += f" INCLUDE ({', '.join(held)})" if held else ""
    text += " NULLS NOT DISTINCT" if parts["nulls_not_distinct"] and unique is not False else ""
    text += f" WITH ({', '.join(parts['options'])})" if parts.get("options") else ""
    where = parts.get("predicate") if predicate is _UNSET else predicate
    return text + (f" WHERE {where}" if where else "")


def _key(key: Mapping[str, Any], method: str) -> str:
    text = str(key["expression"]) if "column" in key else f"({key['expression']})"
    if key.get("collation") and not key.get("column_collation"):
        text += " COLLATE " + ".".join(f'"{part}"' for part in key["collation"].split("."))
    text += f" {key['opclass']}" if "opclass" in key else ""
    if method != _ORDERED:
        return text
    text += " DESC" if key["descending"] else " ASC"
    return text + (" NULLS FIRST" if key["nulls_first"] else " NULLS LAST")
