"""schema.drift on PostgreSQL: the declared catalog against a live one, with the repair of each difference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from dbtrust.judge.catalog import diff
from dbtrust.judge.repair.plan import Repair, repairs, told_apart
from dbtrust.judge.repair.words import identifier, table_path
from dbtrust.model.catalog import Catalog, CatalogObject, Difference, path_of, qualified
from dbtrust.model.location import NOWHERE, Location
from dbtrust.model.report import NotExamined, Verdict
from dbtrust.schema.drift import Live, by_version, drifted, equal, whole

Place = Callable[..., Location]
#: A question that was refused -> the kinds whose objects are then not known, or the property that is not.
_KINDS: Mapping[str, tuple[str, ...]] = {
    "triggers": ("trigger",), "policies": ("policy",), "rules": ("rule",), "statistics": ("statistics",),
    "sequences": ("sequence",), "functions": ("function", "procedure", "aggregate"), "schemas": ("schema",),
    "extensions": ("extension",), "default_privileges": ("default privileges",), "event_triggers": ("event trigger",),
    "publications": ("publication",), "subscriptions": ("subscription",), "user_mappings": ("user mapping",),
    "languages": ("language",), "constraints": ("constraint",), "indexes": ("index",), "index_keys": ("index",),
    "types": ("type",), "domain_constraints": ("type",),
    "others": (
        "collation", "operator", "operator class", "cast", "text search configuration", "text search dictionary",
        "foreign data wrapper", "foreign server",
    ),
}  # fmt: skip
#: Without these a table is not known at all.
_EVERYTHING = frozenset({"relations", "columns", "session"})
#: The last word of fields that hold what the server writes of an expression; majors write them differently.
_WRITTEN = frozenset({
    "definition", "body", "default", "generated", "using", "with_check", "expressions", "predicate", "keys",
    "version", "aggregate", "range", "base", "partition_by", "partition_bound", "tables",
})  # fmt: skip


def judge_drift(
    live: Live, declared: Catalog, found: Catalog, refused: Mapping[str, str], owner: str, place: Place,
    *, column_order: bool = True,
) -> tuple[list[Verdict], list[NotExamined]]:  # fmt: skip
    """One refuted verdict per object that differs, or one that holds; and what the role may not read.

    `refused` are the questions that the server refused to answer, with its words; `owner` is the role that owns
    the live database.
    """
    left_out = [_not_examined(live, question, said) for question, said in refused.items()]
    if _EVERYTHING & refused.keys():
        said = "the role may not read the catalog's tables"
        return [
            whole(live, "unproved", said, reason="missing_object", next="grant SELECT on pg_catalog")
        ], left_out
    same = _major(live.declared_on) == _major(live.version)
    expected, there = (_comparable(c, refused, same_major=same) for c in (declared, found))
    differences = told_apart(expected, there, diff(expected, there, column_order=column_order))
    if not differences:
        return [equal(live, len(declared.objects), "objects", len(left_out))], left_out
    made = repairs(expected, there, differences, identifier(owner))
    verdicts = [_verdict(live, repair, place, same_major=same) for repair in made]
    return verdicts, left_out


def _major(version: str) -> str:
    return version.partition(".")[0]


def _not_examined(live: Live, question: str, said: str) -> NotExamined:
    what = "grants" if question == "grants" else ", ".join(_KINDS.get(question, ("tables and columns",)))
    return NotExamined(f"{live.database}: {what}", f"needs the right to read the catalog: {said}")


def _comparable(catalog: Catalog, refused: Mapping[str, str], *, same_major: bool) -> Catalog:
    """Without what the role may not see, on both sides; over two majors without a right that only one has."""
    unknown = {kind for question in refused for kind in _KINDS.get(question, ())}
    objects = (o for o in catalog.objects if o.kind not in unknown)
    if "grants" in refused:
        objects = (_without_grants(o) for o in objects if o.kind != "default privileges")
    if not same_major:
        objects = (_without_maintain(o) for o in objects)
    return Catalog(catalog.engine, tuple(objects))


def _without_grants(item: CatalogObject) -> CatalogObject:
    told = {key: value for key, value in item.definition.items() if key != "grants"}
    if "columns" in told and item.kind in ("table", "view", "materialized view"):
        told["columns"] = [
            {key: v for key, v in column.items() if key != "grants"} for column in told["columns"]
        ]
    return replace(item, definition=told)


def _without_maintain(item: CatalogObject) -> CatalogObject:
    """MAINTAIN is new in 17."""
    if "grants" not in item.definition:
        return item
    grants = {
        who: kept
        for who, what in item.definition["grants"].items()
        if (kept := [p for p in what if not p.startswith("MAINTAIN")])
    }
    return replace(item, definition={**item.definition, "grants": grants})


def _verdict(live: Live, repair: Repair, place: Place, *, same_major: bool) -> Verdict:
    d = repair.difference
    verdict = drifted(
        live, _subject(d, repair.item), d, repair.script, repair.order, destructive=repair.destructive,
        location=NOWHERE if d.change == "extra" else _location(repair.item, place),
    )  # fmt: skip
    written = d.change == "changed" and all(key.rpartition(" ")[2] in _WRITTEN for key in d.fields)
    return by_version(verdict, live) if written and not same_major else verdict


def _subject(difference: Difference, item: CatalogObject) -> str:
    """kind:[SCHEMA.]NAME; what belongs to a table is TABLE.NAME, and a schema is left out where it is public."""
    path = item.path[1:] if len(item.path) > 1 and item.path[0] == "public" else item.path
    if difference.kind == "default privileges":
        path = item.path
    suffix = item.name[len(qualified(item.path)) :]
    return f"{difference.kind.replace(' ', '_')}:{qualified(path)}{suffix}"


def _location(item: CatalogObject, place: Place) -> Location:
    """Where a file speaks of the object; what the server named itself stands where its table does."""
    return place(*_names(item))


def _names(item: CatalogObject) -> Iterator[str]:
    if item.kind in ("default privileges", "cast"):
        yield from (path_of(word)[-1] for word in _words(item))
    else:
        yield item.path[-1]
    if table := table_path(item):
        yield table[-1]


def _words(item: CatalogObject) -> Iterable[str]:
    grants: Mapping[str, Any] = item.definition.get("grants", {})
    return [who for who in grants if who not in ("owner", "public")]
