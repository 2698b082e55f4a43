"""Mutants of triggers: gone, for fewer events, or with a function that does less."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from dbtrust.judge.rules.indexes import named
from dbtrust.model.catalog import Catalog, CatalogObject
from dbtrust.model.mutants import Change, Mutant, NewBody, Relation, name, raw, regclass, value

#: A trigger's function that lets every row pass as it is.
NO_EFFECT = "BEGIN IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END"
_EVENTS = re.compile(r"(?<= )(BEFORE|AFTER|INSTEAD OF) (.+?)(?= ON )")
_EFFECT = re.compile(
    r"^([ \t]*)((?:NEW\s*\.|RAISE\s+EXCEPTION|INSERT\b|UPDATE\b|DELETE\b|PERFORM\b)[^;]*;)",
    re.IGNORECASE | re.MULTILINE,
)


def trigger_mutants(catalog: Catalog) -> Iterator[Mutant]:
    """Every trigger of the user's, but those that a partition has from its parent; disabled ones do nothing."""
    shared: defaultdict[str, list[CatalogObject]] = defaultdict(list)
    for item in catalog.objects:
        if item.kind == "trigger" and not item.definition.get("inherited"):
            shared[item.definition["function"]].append(item)
            yield from _alone(item)
    bodies = {o.name.replace('"', ""): o for o in catalog.objects if o.kind == "function"}
    for function, triggers in shared.items():
        found = bodies.get(function.replace('"', ""))
        if found is not None and found.definition["language"] == "plpgsql":
            yield from _bodies(function, found.definition["body"], triggers)


def _alone(item: CatalogObject) -> Iterator[Mutant]:
    told = item.definition
    where = (name(told["name"]), name(told["schema"], told["table"]))
    drop = Change("DROP TRIGGER {} ON {}", where)
    off = "it is disabled" if told["state"] == "disabled" else ""
    yield _mutant(item, "drop", f"trigger {told['name']} dropped", (drop,), off)
    match = _EVENTS.search(told["definition"])
    events = match[2].split(" OR ") if match else []
    for event in events if len(events) > 1 else ():
        assert match is not None
        rest = " OR ".join(other for other in events if other != event)
        new = told["definition"][: match.start(2)] + rest + told["definition"][match.end(2) :]
        yield _mutant(
            item, "event", f"trigger {told['name']} not for {event}", (drop, Change("{}", (raw(new),))), off
        )


def _mutant(
    item: CatalogObject, operator: str, what: str, changes: tuple[Change | NewBody, ...], equivalent: str = "",
    relations: frozenset[Relation] = frozenset(), probe: Change | None = None,
) -> Mutant:  # fmt: skip
    told = item.definition
    schema, table = told["schema"], told["table"]
    own = Change(
        "SELECT tgenabled::text || pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = to_regclass({}) AND tgname = {}",
        (regclass(schema, table), value(told["name"])),
    )
    return Mutant(
        "postgres", f"trigger:{named(schema, table, told['name'])}", operator, what, changes, probe or own,
        relations or frozenset({(schema, table)}), equivalent=equivalent,
    )  # fmt: skip


def _bodies(function: str, body: str, triggers: list[CatalogObject]) -> Iterator[Mutant]:
    """The function without any effect, and without each of its effects where it has several.

    They stand under the first trigger that calls it; a function of one trigger that does nothing is that trigger
    dropped, which is a mutant already.
    """
    tables = frozenset((t.definition["schema"], t.definition["table"]) for t in triggers)
    probe = Change("SELECT md5(prosrc) FROM pg_proc WHERE oid = to_regprocedure({})", (value(function),))
    alike = "" if len(triggers) > 1 else f"it is the same as trigger {triggers[0].definition['name']} dropped"
    changes = (NewBody(function, NO_EFFECT),)
    yield _mutant(triggers[0], "body", f"{function} does nothing", changes, alike, tables, probe)
    effects = list(_EFFECT.finditer(body))
    for effect in effects if len(effects) > 1 else ():
        new = body[: effect.start(2)] + "NULL;" + body[effect.end(2) :]
        said = " ".join(effect[2].split())
        yield _mutant(
            triggers[0], "body", f"{function} without {said}", (NewBody(function, new),), "", tables, probe
        )


def trigger_reach(catalog: Catalog) -> Iterator[tuple[Relation, ...]]:
    """A trigger's table together with the tables whose names stand in its function."""
    tables = {(o.definition["schema"], o.definition["name"]) for o in catalog.objects if o.kind == "table"}
    bodies = {o.name: str(o.definition.get("body", "")) for o in catalog.objects if o.kind == "function"}
    for item in catalog.objects:
        if item.kind == "trigger":
            words = set(re.findall(r"\w+", bodies.get(item.definition["function"], "")))
            here = (item.definition["schema"], item.definition["table"])
            yield (here, *(table for table in tables if table[1] in words))
