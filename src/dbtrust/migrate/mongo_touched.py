"""What a MongoDB migration was seen to look for: documents for it, and what it found none for.

The commands are the driver's own, with the values that the migration reckoned out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, cast

from bson import json_util
from pymongo.errors import PyMongoError

from dbtrust.engine.mongo.capture import Recorded
from dbtrust.judge.mongo_breaking import variants
from dbtrust.judge.mongo_filters import fulfilling, shape, with_values
from dbtrust.migrate.mongo_rows import apart, excused, unique_fields
from dbtrust.model.report import Verdict
from dbtrust.model.steps import UpdateInBatches
from dbtrust.source.migrations import PythonMigration

Document = Mapping[str, Any]
#: So many filters get a document, so many documents are tried for one, so much of a filter is shown, and so many of them.
_FILTERS, _TRIES, _SHOWN, _MANY = 40, 60, 120, 3
_NEXT = "try it over documents like those that it is for, or declare what it may lose: lossy = [{!r}]"


@dataclass(frozen=True, slots=True)
class Sought:
    """One filter that a command was sent with. `verb`: find, update or delete; `written` are the fields that it sets."""

    collection: str
    verb: str
    filter: Document
    met: bool
    written: tuple[str, ...] = ()

    @property
    def kind(self) -> tuple[str, str, str]:
        """The same for each turn of a loop."""
        return self.collection, self.verb, shape(self.filter)

    def __str__(self) -> str:
        text = json_util.dumps(self.filter)
        return f"{self.verb} of {self.collection} where {text[:_SHOWN]}{'…' * (len(text) > _SHOWN)}"


def sought(commands: Iterable[Recorded], database: str, loaded: PythonMigration) -> list[Sought]:
    """What the up of a migration looked for, in order. An update in batches that found nothing sends no update."""
    found = [one for c in commands if c.database == database for one in _of(c)]
    for step in loaded.steps or ():
        if isinstance(step, UpdateInBatches):
            met = any(s.verb == "update" and s.met and s.collection == step.collection for s in found)
            found.append(Sought(step.collection, "update", step.filter, met, _fields(step.update)))
    return found


def _of(command: Recorded) -> Iterator[Sought]:
    name, sent = command.name, command.command
    met = command.n > 0
    collection = str(sent.get(name))
    if name == "update":
        for one in sent.get("updates", ()):
            yield Sought(collection, name, one.get("q", {}), met, _fields(one.get("u")))
    elif name == "delete":
        yield from (Sought(collection, name, one.get("q", {}), met) for one in sent.get("deletes", ()))
    elif name.lower() == "findandmodify":
        verb = "delete" if sent.get("remove") else "update"
        yield Sought(collection, verb, sent.get("query", {}), met, _fields(sent.get("update")))
    elif name == "find":
        yield Sought(collection, name, sent.get("filter", {}), True)


def _fields(update: Any) -> tuple[str, ...]:
    """The fields that an update speaks of; none for a whole document, or for a pipeline that puts one in its place."""
    stages = cast("list[Document]", update if isinstance(update, list) else [update])
    found: dict[str, None] = {}
    for stage in stages:
        for operator, given in (stage or {}).items():
            if not operator.startswith("$") or operator in ("$replaceRoot", "$replaceWith"):
                return ()
            names = cast("Iterable[Any]", given if isinstance(given, Mapping | list) else [given])
            found |= dict.fromkeys(str(name) for name in names)
    return tuple(found)


def meet(db: Any, names: Iterable[str], wanted: Sequence[Sought]) -> int:
    """Puts in a document for each filter that finds none; how many were put in."""
    filters = {(s.collection, json_util.dumps(s.filter)): s for s in wanted if s.filter}
    there = set(names)
    made = 0
    for one in [s for s in filters.values() if s.collection in there][:_FILTERS]:
        try:
            made += db[one.collection].find_one(one.filter) is None and _made(db, one)
        except PyMongoError:
            continue  # what is no filter outside of its command, such as a $near in an update
    return made


def _made(db: Any, one: Sought) -> bool:
    collection = db[one.collection]
    first = collection.find_one()
    if first is None:
        return False
    whole, keys = with_values(first, fulfilling(one.filter)), unique_fields(db, one.collection)
    for number, document in enumerate(islice(variants(whole, one.filter), _TRIES), 1000):
        new = document if "_id" in one.filter else apart(document, keys, number)
        try:
            collection.insert_one(new)
        except PyMongoError:
            continue
        if collection.find_one({"$and": [{"_id": new["_id"]}, dict(one.filter)]}) is not None:
            return True
        collection.delete_one({"_id": new["_id"]})
    return False


def untouched(found: Sequence[Sought], declared: Sequence[str]) -> list[Sought]:
    """The updates and deletes that met no document in any turn, and whose loss no line declares."""
    met = {s.kind for s in found if s.met}
    open_ones = {s.kind: s for s in found if s.verb != "find" and s.kind not in met}
    return [s for s in open_ones.values() if not _declared(s, declared)]


def _declared(one: Sought, declared: Sequence[str]) -> bool:
    names = [f"{one.collection}.{field}" for field in one.written] or [one.collection]
    return all(excused(name, declared) for name in names)


def with_untouched(found: Verdict, open_ones: Sequence[Sought]) -> Verdict:
    """A verdict that holds over the documents that were there is open where these met none of them."""
    if not open_ones or found.verdict != "holds":
        return found
    said = "; ".join(str(one) for one in open_ones[:_MANY])
    message = f"no document was found that this would touch, so that what it loses was not seen: {said}"
    evidence = {**found.evidence, "not tried": [str(one) for one in open_ones]}
    step = _NEXT.format(open_ones[0].collection)
    return replace(found, verdict="unproved", reason="no_data", message=message, next=step, evidence=evidence)
