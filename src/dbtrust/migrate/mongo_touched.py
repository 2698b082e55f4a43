"""What a MongoDB migration was seen to look for: documents for it, and what it found none for.

The commands are the driver's own, with the values that the migration reckoned out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, cast

from bson import json_util
from pymongo.errors import PyMongoError

from dbtrust.engine.mongo.capture import Recorded
from dbtrust.judge.mongo_breaking import spoken_of, variants
from dbtrust.judge.mongo_filters import fulfilling, shape, with_values
from dbtrust.migrate.mongo_rich import calls_of, odd
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
    """One filter that a command was sent with. `verb`: find, update or delete; `written` are the fields that it sets.

    `met`: it changed a document; a find is taken to have.
    """

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
        if not self.filter:
            return f"{self.verb} of {self.collection}"
        text = json_util.dumps(self.filter)
        return f"{self.verb} of {self.collection} where {text[:_SHOWN]}{'…' * (len(text) > _SHOWN)}"


#: The driver's methods, and what they send.
_CALLS = {
    "delete_one": "delete", "delete_many": "delete", "find_one_and_delete": "delete", "update_one": "update",
    "update_many": "update", "replace_one": "update", "find_one_and_update": "update", "find_one_and_replace": "update",
}  # fmt: skip


def unsent(text: str, found: Sequence[Sought], declared: Sequence[str]) -> list[Sought]:
    """What the text of the up calls, and what was not sent once: a loop that nothing went through, a branch not taken."""
    sent = {one.verb for one in found}
    verbs = {_CALLS[name] for name in calls_of(text) if name in _CALLS}
    return [Sought("some collection", verb, {}, met=False) for verb in sorted(verbs - sent) if not declared]


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
    met = command.modified + command.upserted > 0 if name == "update" else command.n > 0
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
    elif name == "aggregate":
        pipeline: list[Document] = sent.get("pipeline") or []
        yield from (
            Sought(collection, "find", stage["$match"], True) for stage in pipeline[:1] if "$match" in stage
        )


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


def meet(db: Any, names: Iterable[str], wanted: Sequence[Sought]) -> None:
    """Puts in documents for each filter: one where it finds none, and odd ones."""
    filters = {(s.collection, json_util.dumps(s.filter)): s for s in wanted if s.filter}
    there = set(names)
    for number, one in enumerate([s for s in filters.values() if s.collection in there][:_FILTERS]):
        with suppress(PyMongoError):  # what is no filter outside of its command, such as a $near in an update
            found = db[one.collection].find_one(one.filter) or _made(db, one)
            if found is not None and "_id" not in one.filter:
                _odd(db[one.collection], found, one, unique_fields(db, one.collection), 1100 + 10 * number)


def _odd(collection: Any, document: Document, one: Sought, keys: Sequence[str], start: int) -> None:
    """Odd values in every field, or in all that the filter does not speak of."""
    for number, variant in enumerate(("fraction", "text", "large"), start):
        for leave in ((), spoken_of(one.filter)):
            new = odd(dict(document), variant, [*leave, *keys])
            if new is not None and _kept(collection, apart(new, keys, number), one.filter):
                break


def _kept(collection: Any, document: Document, filter: Document) -> bool:
    """Puts it in; what the collection refuses, or the filter does not find, is not left there."""
    try:
        collection.insert_one(document)
    except PyMongoError:
        return False
    if collection.find_one({"$and": [{"_id": document["_id"]}, dict(filter)]}) is not None:
        return True
    collection.delete_one({"_id": document["_id"]})
    return False


def _made(db: Any, one: Sought) -> Document | None:
    """A document that the filter finds."""
    collection = db[one.collection]
    first = collection.find_one()
    if first is None:
        return None
    whole, keys = with_values(first, fulfilling(one.filter)), unique_fields(db, one.collection)
    for number, document in enumerate(islice(variants(whole, one.filter), _TRIES), 1000):
        new = document if "_id" in one.filter else apart(document, keys, number)
        if _kept(collection, new, one.filter):
            return new
    return None


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
    message = f"no document was found that this would change, so that what it loses was not seen: {said}"
    evidence = {**found.evidence, "not tried": [str(one) for one in open_ones]}
    name = open_ones[0].collection
    step = _NEXT.format("a collection or field" if " " in name else name)
    return replace(found, verdict="unproved", reason="no_data", message=message, next=step, evidence=evidence)
