"""The whole repair: a script for each difference, in an order in which all of them can be run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from dbtrust.judge.repair import attached, objects, routines, sequences, tables, types
from dbtrust.judge.repair.grants import Grants, default_grants, grant
from dbtrust.judge.repair.words import Side, comment, dotted, identifier, note, owner_of, table_path, target
from dbtrust.model.catalog import Catalog, CatalogObject, Difference, path_of, qualified

_DROP_FIRST = (
    "event trigger", "subscription", "publication", "policy", "rule", "trigger", "view", "materialized view",
    "constraint", "index", "statistics",
)  # fmt: skip
_CREATE = (
    "schema", "extension", "language", "foreign data wrapper", "foreign server", "user mapping", "collation", "type",
    "function", "procedure", "aggregate", "operator", "operator class", "cast", "text search dictionary",
    "text search configuration", "sequence", "table", "constraint", "foreign key", "index", "view",
    "materialized view", "statistics", "trigger", "rule", "policy", "publication", "subscription", "event trigger",
    "default privileges",
)  # fmt: skip
_DROP_LAST = (
    "user mapping", "foreign server", "foreign data wrapper", "operator class", "operator", "cast", "aggregate", "function",
    "procedure", "sequence", "type", "text search configuration", "text search dictionary", "collation", "extension",
    "schema", "language", "default privileges",
)  # fmt: skip
#: Kinds that are built on one another, in any order.
_ENTANGLED = frozenset({"type", "function", "procedure", "aggregate", "view", "materialized view", "table"})
_VIEWS = frozenset({"view", "materialized view"})
_ON_RELATIONS = frozenset({"constraint", "index", "statistics", "trigger", "rule", "policy"})
_WORD = re.compile(r"[\w$]+")
#: What a statement of a repair destroys for good.
_DESTRUCTIVE = re.compile(
    r"(DROP (FOREIGN )?TABLE|DROP SCHEMA|DROP MATERIALIZED VIEW|DROP SEQUENCE|DROP (TYPE|DOMAIN)|DROP EXTENSION"
    r"|ALTER (FOREIGN )?TABLE (?:\"(?:[^\"]|\"\")*\"|[^\s\"])+ DROP COLUMN"
    r"|ALTER TYPE (?:\"(?:[^\"]|\"\")*\"|[^\s\"])+ DROP ATTRIBUTE)\b"
)


@dataclass(frozen=True, slots=True)
class Repair:
    """What makes the found side equal to the expected one for one difference.

    `statements` are SQL with a semicolon each, or notes that begin with "--"; run them in the order of `order` over
    all repairs (from 1). `destructive`: rows or objects are lost that cannot be brought back.
    """

    difference: Difference
    #: The object on the side that has it, the expected side first.
    item: CatalogObject
    statements: tuple[str, ...]
    destructive: bool
    order: int = 0

    @property
    def script(self) -> str:
        return "\n".join(self.statements)


def repairs(
    expected: Catalog, found: Catalog, differences: Sequence[Difference], owner: str = "CURRENT_USER"
) -> list[Repair]:
    """One repair for each difference, in the order in which they can be run. Statements are not run here.

    `owner` is SQL for the role that owns the objects.
    """
    maker = _Maker(Side(expected), Side(found), owner)
    made = [maker.repair(d) for d in differences]
    return [replace(repair, order=number) for number, repair in enumerate(_sorted(made, maker), 1)]


@dataclass(frozen=True, slots=True)
class _Maker:
    expected: Side
    found: Side
    owner: str

    def repair(self, difference: Difference) -> Repair:
        key = difference.kind, difference.name
        new, old = self.expected.objects.get(key), self.found.objects.get(key)
        statements = tuple(self._statements(new, old))
        lost = any(_DESTRUCTIVE.match(s) for s in statements)
        if lost:
            statements = (note("DESTRUCTIVE: what this drops is lost for good"), *statements)
        item = new or old
        assert item is not None
        nothing = (note("nothing to run: see the objects it depends on"),)
        return Repair(difference, item, statements or nothing, lost)

    def _statements(self, new: CatalogObject | None, old: CatalogObject | None) -> Iterator[str]:
        if new is None:
            assert old is not None
            yield from self._drop(old)
        elif old is None:
            yield from self._create(new)
        else:
            yield from self._alter(new, old)

    def _create(self, item: CatalogObject) -> Iterator[str]:
        match item.kind:
            case "table":
                yield from tables.create_table(item, self.expected, self.owner)
            case "view" | "materialized view":
                yield from objects.create_view(item, self.expected, self.owner)
            case "sequence":
                yield from self._create_sequence(item)
            case "function" | "procedure" | "aggregate":
                yield from routines.create_routine(item, self.owner)
            case "type":
                yield from types.create_type(item, self.owner)
            case "default privileges":
                yield from default_grants(item, _grants(item), None, self.owner)
            case _:
                yield from self._create_attached(item)

    def _create_attached(self, item: CatalogObject) -> Iterator[str]:
        match item.kind:
            case "constraint":
                yield from attached.create_constraint(item, self.expected)
            case "index":
                yield from attached.create_index(item, self.expected)
            case "trigger":
                yield from attached.create_trigger(item)
            case "rule":
                yield from attached.create_rule(item)
            case "policy":
                yield from attached.create_policy(item, self.owner)
            case "statistics":
                yield from attached.create_statistics(item)
            case _:
                yield from objects.create_other(item, self.owner)

    def _create_sequence(self, item: CatalogObject) -> Iterator[str]:
        if str(item.definition.get("owned_by", "")).startswith("identity of"):
            yield note("comes with its identity column")
        else:
            yield from sequences.create_sequence(item, self.owner)
            if self._column_is_there(item):
                yield from sequences.own(item)

    def _column_is_there(self, sequence: CatalogObject) -> bool:
        """A column that is missing, too, takes its sequence when it is made."""
        path = path_of(owner_of(sequence)[1])
        table = self.found.relation(path[:2]) if path else None
        return table is not None and any(c["name"] == path[2] for c in table.definition.get("columns", ()))

    def _drop(self, item: CatalogObject) -> Iterator[str]:
        match item.kind:
            case "constraint":
                yield from attached.drop_constraint(item)
            case "index":
                yield from attached.drop_index(item, self.found)
            case "trigger" if item.definition["inherited"]:
                yield note("goes with the trigger of the partitioned table")
            case "sequence" if str(item.definition.get("owned_by", "")).startswith("identity of"):
                yield note("goes with its identity column")
            case "table":
                yield from self._unreferenced(item)
                yield f"DROP {target(item)};"
            case "default privileges":
                yield from default_grants(item, None, _grants(item), self.owner)
            case _:
                yield f"DROP {target(item)};"

    def _unreferenced(self, table: CatalogObject) -> Iterator[str]:
        """Without the foreign keys of other tables that go, too; those may be gone already."""
        name = dotted(table.path)
        for key in self.found.references.get(name, ()):
            other = table_path(key)
            if other != table.path and ("table", qualified(other)) not in self.expected.objects:
                yield f"ALTER TABLE IF EXISTS {dotted(other)} DROP CONSTRAINT IF EXISTS {identifier(key.path[2])};"

    def _alter(self, new: CatalogObject, old: CatalogObject) -> Iterator[str]:
        match new.kind:
            case "constraint":
                yield from attached.alter_constraint(new, old, self.expected)
            case "index":
                yield from attached.alter_index(new, old, self.expected)
            case "trigger":
                yield from attached.alter_trigger(new, old)
            case "rule":
                yield from attached.alter_rule(new, old)
            case "policy":
                yield from attached.alter_policy(new, old, self.owner)
            case "statistics":
                yield from attached.alter_statistics(new, old)
            case "publication":
                yield from objects.alter_publication(new, old)
            case "default privileges":
                yield from default_grants(new, _grants(new), _grants(old), self.owner)
            case _:
                yield from self._alter_granted(new, old)

    def _alter_granted(self, new: CatalogObject, old: CatalogObject) -> Iterator[str]:
        """Kinds that may have grants; a routine or view that was made anew has them already."""
        own = list(self._alter_own(new, old))
        yield from own
        if any(s.startswith(f"DROP {target(old)}") for s in own):
            return
        if new.definition.get("comment") != old.definition.get("comment") and new.kind not in _COMMENTED:
            yield comment(new, new.definition.get("comment"))
        if _grants(new) != _grants(old):
            yield from grant(new, _grants(new), _grants(old), self.owner)

    def _alter_own(self, new: CatalogObject, old: CatalogObject) -> Iterator[str]:
        match new.kind:
            case "table":
                yield from tables.alter_table(new, old, self.expected, self.owner)
            case "view" | "materialized view":
                yield from objects.alter_view(new, old, self.expected, self.owner)
            case "sequence":
                yield from sequences.alter_sequence(new, old)
            case "type":
                yield from types.alter_type(new, old)
            case "function" | "procedure" | "aggregate":
                yield from self._alter_routine(new, old)
            case _:
                yield from objects.alter_other(new, old, self.owner)

    def _alter_routine(self, new: CatalogObject, old: CatalogObject) -> Iterator[str]:
        told, there = new.definition, old.definition
        if all(
            told.get(k) == there.get(k) for k in told.keys() | there.keys() if k not in ("comment", "grants")
        ):
            return
        same = all(told.get(key) == there.get(key) for key in ("arguments", "result"))
        if new.kind != "aggregate" and same:
            yield routines.replace_routine(new)
        else:
            yield note("refused while something is built on it: drop that first, and make it again")
            yield f"DROP {target(old)};"
            yield from routines.create_routine(new, self.owner)


#: Kinds whose own ALTER tells the comment.
_COMMENTED = frozenset({
    "schema", "extension", "event trigger", "subscription", "collation", "operator", "operator class", "cast",
    "foreign data wrapper", "foreign server", "user mapping", "text search configuration", "text search dictionary",
    "language",
})  # fmt: skip


def _grants(item: CatalogObject) -> Grants:
    return item.definition.get("grants", {})


def _sorted(made: Iterable[Repair], maker: _Maker) -> list[Repair]:
    ranked = sorted(made, key=lambda r: (_rank(r, maker), r.difference.name))
    return list(_by_mention(ranked, maker))


def _rank(repair: Repair, maker: _Maker) -> int:
    """Views go before the tables they read, types after the columns that have them, parents after their children."""
    d = repair.difference
    if d.change == "extra" and d.kind == "table":
        partition = "partition_bound" in maker.found.objects[d.kind, d.name].definition
        return 50 if partition else 100 + 2 * _CREATE.index("table") + 1
    if d.change == "extra":
        first = d.kind in _DROP_FIRST
        return _DROP_FIRST.index(d.kind) if first else 200 + _DROP_LAST.index(d.kind)
    kind = d.kind
    item = maker.expected.objects[d.kind, d.name]
    if kind == "constraint" and item.definition["structure"]["type"] == "foreign key":
        kind = "foreign key"
    return 100 + 2 * _CREATE.index(kind)


def _by_mention(ranked: Sequence[Repair], maker: _Maker) -> Iterator[Repair]:
    """Of what is built on one another, the mentioned one is made first and dropped last."""
    by_word: dict[str, list[Repair]] = {}
    for repair in ranked:
        if repair.difference.kind in _ENTANGLED or _is_sequence(repair):
            for word in _WORD.findall(repair.item.path[-1]):
                by_word.setdefault(word, []).append(repair)
    before: dict[int, list[Repair]] = {id(r): [] for r in ranked}
    for repair in ranked:
        if repair.difference.kind in _ENTANGLED:
            for other in _mentioned(repair, by_word, maker):
                one, two = (repair, other) if repair.difference.change == "extra" else (other, repair)
                before[id(two)].append(one)
    _after_its_view(ranked, before)
    yield from _walk(ranked, before)


def _after_its_view(ranked: Sequence[Repair], before: dict[int, list[Repair]]) -> None:
    """What is made on a relation follows it, also where that is a view, which is made late."""
    missing = [r for r in ranked if r.difference.change == "missing"]
    made = {r.item.path: r for r in missing if r.item.kind in (*_VIEWS, "table")}
    keys: dict[int, Repair] = {}
    for repair in missing:
        if repair.item.kind in _ON_RELATIONS:
            relation = made.get(tuple(table_path(repair.item)))
            before[id(repair)] += [relation] if relation is not None else []
            if relation is not None and repair.item.kind == "constraint" and _is_key(repair.item):
                keys[id(relation)] = repair
    for view in missing:
        # A view that groups by a primary key names columns that only the key lets it name.
        if view.item.kind in _VIEWS and "GROUP BY" in str(view.item.definition["definition"]):
            before[id(view)] += [keys[id(r)] for r in before[id(view)] if id(r) in keys]


def _is_key(constraint: CatalogObject) -> bool:
    return constraint.definition["structure"]["type"] == "primary key"


def _is_sequence(repair: Repair) -> bool:
    """It needs no table when it is made; a table's default needs it."""
    return repair.difference.change == "missing" and repair.item.kind == "sequence"


def _mentioned(repair: Repair, by_word: dict[str, list[Repair]], maker: _Maker) -> Iterator[Repair]:
    """The other repairs whose objects the definition speaks of: qualified as the server writes them, in a body bare."""
    side = maker.found if repair.difference.change == "extra" else maker.expected
    definition = side.objects[repair.difference.kind, repair.difference.name].definition
    text, body = "\n".join(_strings(definition)), str(definition.get("body", ""))
    for word in dict.fromkeys(_WORD.findall(text)):
        for other in by_word.get(word, ()):
            alike = (other.difference.change == "extra") == (repair.difference.change == "extra")
            spoken = dotted(other.item.path) in text or other.item.path[-1] in body
            if other is not repair and alike and spoken:
                yield other


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in cast("Mapping[str, Any]", value).values():
            yield from _strings(inner)
    elif isinstance(value, list | tuple):
        for inner in cast("Sequence[Any]", value):
            yield from _strings(inner)


def _walk(ranked: Sequence[Repair], before: dict[int, list[Repair]]) -> Iterator[Repair]:
    """Depth first in the order of ranks; a circle is cut where it is entered."""
    seen: set[int] = set()
    for start in ranked:
        stack = [(start, iter(before[id(start)]))]
        if id(start) in seen:
            continue
        seen.add(id(start))
        while stack:
            repair, needed = stack[-1]
            for other in needed:
                if id(other) not in seen:
                    seen.add(id(other))
                    stack.append((other, iter(before[id(other)])))
                    break
            else:
                stack.pop()
                yield repair


def told_apart(expected: Catalog, found: Catalog, differences: Sequence[Difference]) -> list[Difference]:
    """Without what goes with another difference: a dropped table's own objects, a constraint's index."""
    sides = {"missing": Side(expected), "extra": Side(found)}
    there = {(d.change, d.kind, d.name) for d in differences}
    return [d for d in differences if not _follows(d, sides, there)]


def _column_goes(sequence: CatalogObject, expected: Side) -> bool:
    """A column that is dropped takes its sequence along."""
    path = path_of(owner_of(sequence)[1])
    table = expected.relation(path[:2])
    return table is not None and all(c["name"] != path[2] for c in table.definition.get("columns", ()))


def _follows(d: Difference, sides: dict[str, Side], there: set[tuple[str, str, str]]) -> bool:
    if d.change == "changed":
        return False
    side = sides[d.change]
    item = side.objects[d.kind, d.name]
    path = table_path(item)
    if not path:
        return False
    table = side.relation(path)
    if d.change == "extra" and table is not None and ("extra", table.kind, table.name) in there:
        return True
    if d.kind == "sequence":
        return str(item.definition["owned_by"]).startswith("identity of") or (
            d.change == "extra" and _column_goes(item, sides["missing"])
        )
    owner = item.definition.get("constraint") if d.kind == "index" else None
    return owner is not None and (d.change, "constraint", qualified((*path, owner))) in there
