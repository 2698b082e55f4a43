"""Mutants of table and domain constraints and of enums, from a PostgreSQL catalog."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dbtrust.judge.mutants.expressions import check_parts, conjuncts, variants
from dbtrust.judge.mutants.indexes import definition_of
from dbtrust.judge.rules.indexes import named
from dbtrust.model.catalog import Catalog, CatalogObject, path_of
from dbtrust.model.mutants import Aim, Change, Mutant, Relation, name, raw, regclass, value

_ACTION = r"ON {} (NO ACTION|RESTRICT|CASCADE|SET NULL(?: \([^)]*\))?|SET DEFAULT(?: \([^)]*\))?)"
_AIMS = {"check": "check", "unique": "unique", "primary key": "unique", "foreign key": "foreign_key"}
_WORDS = {
    "check": "CHECK", "unique": "UNIQUE", "primary key": "PRIMARY KEY", "foreign key": "FOREIGN KEY",
    "exclude": "EXCLUDE", "not null": "NOT NULL",
}  # fmt: skip


def constraint_mutants(catalog: Catalog) -> Iterator[Mutant]:
    """Every constraint dropped; checks weakened; keys without uniqueness; other actions of foreign keys."""
    implied = _implied(catalog)
    for item in catalog.objects:
        if item.kind != "constraint" or item.definition.get("inherited"):
            continue
        if item.definition["structure"]["type"] == "not null":
            continue  # 18 lists those that are not validated: the column's mutant stands for them.
        yield _dropped(item, implied.get(item.name, ""))
        yield from _weakened(catalog, item)


def _dropped(item: CatalogObject, equivalent: str) -> Mutant:
    kind = item.definition["structure"]["type"]
    change = Change("ALTER TABLE {} DROP CONSTRAINT {} CASCADE", _where(item))
    return _mutant(item, "drop", f"{_WORDS[kind]} {item.definition['name']} dropped", (change,), equivalent)


def _where(item: CatalogObject) -> Any:
    return (name(item.definition["schema"], item.definition["table"]), name(item.definition["name"]))


def _mutant(
    item: CatalogObject, operator: str, what: str, changes: tuple[Change, ...], equivalent: str = "", aim: str = ""
) -> Mutant:  # fmt: skip
    told = item.definition
    schema, table, own = told["schema"], told["table"], told["name"]
    probe = Change(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = to_regclass({}) AND conname = {}",
        (regclass(schema, table), value(own)),
    )
    kind = told["structure"]["type"]
    return Mutant(
        "postgres", f"constraint:{named(schema, table, own)}", operator, what, changes, probe,
        frozenset({(schema, table), *_referenced(item)}), index=own if kind in ("unique", "primary key") else "",
        aim=Aim(aim or _AIMS.get(kind, ""), schema, table, own), equivalent=equivalent,
    )  # fmt: skip


def _referenced(item: CatalogObject) -> Iterator[Relation]:
    target = item.definition["structure"].get("references")
    if target:
        path = path_of(target)
        yield (path[0], path[-1]) if len(path) > 1 else ("public", path[0])


def foreign_key_pairs(catalog: Catalog) -> Iterator[tuple[Relation, ...]]:
    """The two tables of each foreign key."""
    for item in catalog.objects:
        if item.kind == "constraint" and (there := list(_referenced(item))):
            yield ((item.definition["schema"], item.definition["table"]), *there)


def _weakened(catalog: Catalog, item: CatalogObject) -> Iterator[Mutant]:
    kind = item.definition["structure"]["type"]
    if kind == "check":
        yield from _checks(item)
    elif kind in ("unique", "primary key"):
        yield from _without_uniqueness(catalog, item)
    elif kind == "foreign key":
        yield from _actions(item)


def _checks(item: CatalogObject) -> Iterator[Mutant]:
    if (parts := check_parts(item.definition["definition"])) is None:
        return
    own = item.definition["name"]
    for variant in variants(parts[0]):
        new = raw(f"CHECK ({variant.expression}){parts[1]}")
        change = Change(
            "ALTER TABLE {} DROP CONSTRAINT {}, ADD CONSTRAINT {} {} NOT VALID",
            (*_where(item), name(own), new),
        )
        yield _mutant(item, variant.operator, f"CHECK {own} {variant.what}", (change,))


def _without_uniqueness(catalog: Catalog, item: CatalogObject) -> Iterator[Mutant]:
    """The same index without its promise: plans stay, duplicates pass."""
    told = item.definition
    index = next(
        (o for o in catalog.objects if o.kind == "index" and o.definition.get("constraint") == told["name"]
         and o.definition["table"] == told["table"] and o.definition["schema"] == told["schema"]), None,
    )  # fmt: skip
    if index is None or (text := definition_of(index, unique=False)) is None:
        return
    drop = Change("ALTER TABLE {} DROP CONSTRAINT {} CASCADE", _where(item))
    kind = _WORDS[told["structure"]["type"]]
    create = Change(
        "CREATE INDEX {} ON {} {}", (name(told["name"]), name(told["schema"], told["table"]), raw(text))
    )
    yield _mutant(item, "weaken", f"{kind} {told['name']} is a plain index", (drop, create))


def _actions(item: CatalogObject) -> Iterator[Mutant]:
    """Another action on delete, and on update where one is declared."""
    own, definition = item.definition["name"], item.definition["definition"]
    for event in ("DELETE", "UPDATE"):
        match = re.search(_ACTION.format(event), definition)
        action = match[1] if match else "NO ACTION"
        if event == "UPDATE" and match is None:
            continue
        other = "CASCADE" if action in ("NO ACTION", "RESTRICT") else "NO ACTION"
        bare = definition.replace(f" {match[0]}", "") if match else definition
        new = re.sub(
            r"(?= (?:NOT )?DEFERRABLE| NOT VALID| NOT ENFORCED|\Z)", f" ON {event} {other}", bare, count=1
        )
        new = new.removesuffix(" NOT VALID")
        change = Change(
            "ALTER TABLE {} DROP CONSTRAINT {}, ADD CONSTRAINT {} {} NOT VALID",
            (*_where(item), name(own), raw(new)),
        )
        what = f"FOREIGN KEY {own} has ON {event} {other} for {action}"
        yield _mutant(item, "action", what, (change,), aim="delete" if event == "DELETE" else "")


def _implied(catalog: Catalog) -> dict[str, str]:
    """Name of a CHECK -> why it is implied: another one of its table holds all its conjuncts, word for word."""
    by_table: defaultdict[tuple[str, str], list[tuple[CatalogObject, frozenset[str]]]] = defaultdict(list)
    for item in catalog.objects:
        if item.kind == "constraint" and item.definition["structure"]["type"] == "check":
            parts = check_parts(item.definition["definition"])
            if (
                parts is not None
                and item.definition["enforced"]
                and not item.definition["structure"]["no_inherit"]
            ):
                where = (item.definition["schema"], item.definition["table"])
                by_table[where].append((item, frozenset(conjuncts(parts[0]))))
    found: dict[str, str] = {}
    for group in by_table.values():
        for item, own in group:
            wider = [o for o, all_ in group if o is not item and o.name not in found and own <= all_]
            if wider:
                found[item.name] = f"{wider[0].definition['name']} says the same and more"
    return found


def type_mutants(catalog: Catalog) -> Iterator[Mutant]:
    """Domains without a check, with a weaker one or with NULL; enums without a label."""
    for item in catalog.objects:
        if item.kind == "type" and item.definition.get("type_kind") == "domain":
            yield from _domain(item)
        elif item.kind == "type" and item.definition.get("type_kind") == "enum":
            yield from _labels(item)


def _domain(item: CatalogObject) -> Iterator[Mutant]:
    schema, own = item.definition["schema"], item.definition["name"]
    for check in item.definition.get("constraints", []):
        yield from _domain_check(schema, own, check)
    if not item.definition.get("nullable", True):
        probe = Change(
            "SELECT typnotnull::text FROM pg_type WHERE oid = to_regtype({})", (regclass(schema, own),)
        )
        yield Mutant(
            "postgres", f"constraint:{named(schema, own, 'not_null')}", "drop", f"domain {own} accepts NULL",
            (Change("ALTER DOMAIN {} DROP NOT NULL", (name(schema, own),)),), probe,
        )  # fmt: skip


def _domain_check(schema: str, own: str, check: Mapping[str, Any]) -> Iterator[Mutant]:
    where = (name(schema, own), name(check["name"]))
    probe = Change(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contypid = to_regtype({}) AND conname = {}",
        (regclass(schema, own), value(check["name"])),
    )
    drop = Change("ALTER DOMAIN {} DROP CONSTRAINT {}", where)
    made: list[tuple[str, str, tuple[Change, ...]]] = [("drop", "dropped", (drop,))]
    parts = check_parts(check["definition"])
    for variant in variants(parts[0]) if parts else ():
        add = Change(
            "ALTER DOMAIN {} ADD CONSTRAINT {} {} NOT VALID", (*where, raw(f"CHECK ({variant.expression})"))
        )
        made.append((variant.operator, variant.what, (drop, add)))
    for operator, what, changes in made:
        yield Mutant(
            "postgres", f"constraint:{named(schema, own, check['name'])}", operator,
            f"CHECK {check['name']} of domain {own} {what}", changes, probe,
            aim=Aim("domain", schema, own, check["name"], check["definition"]),
        )  # fmt: skip


def _labels(item: CatalogObject) -> Iterator[Mutant]:
    """A label cannot be dropped: under another name it is gone for everybody who knew it."""
    schema, own = item.definition["schema"], item.definition["name"]
    labels: Sequence[str] = item.definition["labels"]
    for label in labels:
        probe = Change(
            "SELECT enumlabel::text FROM pg_enum WHERE enumtypid = to_regtype({}) AND enumlabel = {}",
            (regclass(schema, own), value(label)),
        )
        yield Mutant(
            "postgres", f"constraint:{named(schema, own, 'labels')}", "drop", f"enum {own} has no label {label!r}",
            (Change("ALTER TYPE {} RENAME VALUE {} TO {}", (name(schema, own), value(label), value(f"{label[:40]} (gone)"))),),
            probe, aim=Aim("label", schema, own, label),
        )  # fmt: skip
