"""Commands that make one MongoDB database equal to another: written out as mongosh reads them, never run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dbtrust.engine.mongo import shell
from dbtrust.engine.mongo.catalog import Specification
from dbtrust.model.catalog import Difference

Document = Mapping[str, Any]
Specifications = Mapping[str, Specification]
#: What a server adds to an index by itself.
_OWN = frozenset({"v", "ns", "background", "building", "textIndexVersion", "2dsphereIndexVersion"})
_COARSER = frozenset({"timeseries.granularity", "timeseries.bucketMaxSpanSeconds"})
_ORDER = (("extra", "index"), ("missing", "collection"), ("changed", "collection"), ("extra", "collection"))
_DESTRUCTIVE = "// DESTRUCTIVE: what this drops is lost for good"


@dataclass(frozen=True, slots=True)
class Step:
    """A command, or a note where `command` is None."""

    command: Document | None
    said: str = ""

    @property
    def text(self) -> str:
        return f"// {' '.join(self.said.split())}" if self.command is None else shell.command(self.command)


@dataclass(frozen=True, slots=True)
class Repair:
    """What makes the found side equal to the expected one for one difference; see judge.repair.plan.Repair."""

    difference: Difference
    collection: str
    index: str | None
    steps: tuple[Step, ...]
    order: int

    @property
    def script(self) -> str:
        lines = [step.text for step in self.steps]
        return "\n".join([_DESTRUCTIVE, *lines] if self.destructive else lines)

    @property
    def destructive(self) -> bool:
        return any(
            step.command is not None and {"drop", "convertToCapped"} & step.command.keys()
            for step in self.steps
        )


def repairs(
    expected: Specifications, found: Specifications, differences: Sequence[Difference]
) -> list[Repair]:
    """One repair for each difference, in the order in which they can be run."""
    made: list[Repair] = []
    for number, d in enumerate(sorted(differences, key=lambda d: (_rank(d, expected, found), d.name)), 1):
        collection, index = place(d, expected, found)
        steps = (
            tuple(_index(d, collection, index, expected, found))
            if index
            else tuple(_collection(d, expected, found))
        )
        made.append(Repair(d, collection, index, steps, number))
    return made


def place(d: Difference, *sides: Specifications) -> tuple[str, str | None]:
    """Collection and index of a difference: both names may hold dots."""
    if d.kind == "collection":
        return d.name, None
    for side in sides:
        for name, item in side.items():
            if d.name.startswith(f"{name}."):
                index = d.name[len(name) + 1 :]
                if any(spec["name"] == index for spec in item.indexes):
                    return name, index
    raise AssertionError(d.name)


def _rank(d: Difference, expected: Specifications, found: Specifications) -> int:
    """Collections before the views on them, and both before their indexes."""
    side = found if d.change == "extra" else expected
    view = d.kind == "collection" and side[d.name].info.get("type") == "view"
    rank = _ORDER.index((d.change, d.kind)) if (d.change, d.kind) in _ORDER else len(_ORDER)
    return 2 * rank + view * (-3 if d.change == "extra" else 1)


def _collection(d: Difference, expected: Specifications, found: Specifications) -> Iterator[Step]:
    if d.change == "extra":
        yield Step({"drop": d.name})
    elif d.change == "missing":
        yield Step({"create": d.name, **_creatable(expected[d.name].info)})
    else:
        yield from _modified(d, expected[d.name].info, found[d.name].info)


def _creatable(info: Document) -> dict[str, Any]:
    options = {key: value for key, value in info.get("options", {}).items() if key != "autoIndexId"}
    options = {
        key: _without_version(value) if key == "collation" else value for key, value in options.items()
    }
    if "granularity" in options.get("timeseries", {}):
        options["timeseries"] = {
            k: v for k, v in options["timeseries"].items() if k != "bucketMaxSpanSeconds"
        }
    return options


def _without_version(collation: Document) -> dict[str, Any]:
    return {key: value for key, value in collation.items() if key != "version"}


def _modified(d: Difference, new: Document, old: Document) -> Iterator[Step]:
    """collMod for what it can change; all else needs a new collection."""
    roots = {"granularity" if key in _COARSER else key.partition(".")[0] for key in d.fields}
    wanted, there = new.get("options", {}), old.get("options", {})
    change: dict[str, Any] = {}
    if roots & {"validator", "validationLevel", "validationAction"}:
        change["validator"] = wanted.get("validator", {})
        change["validationLevel"] = wanted.get("validationLevel", "strict")
        change["validationAction"] = wanted.get("validationAction", "error")
    if "changeStreamPreAndPostImages" in roots:
        change["changeStreamPreAndPostImages"] = wanted.get(
            "changeStreamPreAndPostImages", {"enabled": False}
        )
    if "expireAfterSeconds" in roots:
        change["expireAfterSeconds"] = wanted.get("expireAfterSeconds", "off")
    if roots & {"viewOn", "pipeline"} and "viewOn" in wanted and "viewOn" in there:
        change |= {"viewOn": wanted["viewOn"], "pipeline": wanted.get("pipeline", [])}
        roots -= {"viewOn", "pipeline"}
    if roots & {"size", "max"} and wanted.get("capped") and there.get("capped"):
        change |= {"cappedSize": wanted["size"]} if "size" in roots else {}
        change |= {"cappedMax": wanted.get("max", 0)} if "max" in roots else {}
        roots -= {"size", "max"}
    done = {
        "validator",
        "validationLevel",
        "validationAction",
        "changeStreamPreAndPostImages",
        "expireAfterSeconds",
    }
    if change:
        yield Step({"collMod": d.name, **change})
    yield from _unmodified(d.name, roots - done, wanted, there)


def _unmodified(name: str, roots: set[str], wanted: Document, there: Document) -> Iterator[Step]:
    if "capped" in roots and wanted.get("capped") and "type" not in roots:
        yield Step(
            None, "keeps the newest documents alone, drops every index but _id, and blocks the database"
        )
        yield Step({"convertToCapped": name, "size": wanted["size"]})
        if "max" in wanted:
            yield Step({"collMod": name, "cappedMax": wanted["max"]})
    elif roots == {"granularity"}:
        yield Step(None, "a time series can only become coarser")
        yield Step({"collMod": name, "timeseries": {"granularity": wanted["timeseries"]["granularity"]}})
    elif roots:
        create = shell.command({"create": f"{name}_new", **_creatable({"options": wanted})})
        yield Step(
            None,
            f"no command changes {', '.join(sorted(roots))}: {create} copy the documents and the indexes, then rename both",
        )


def _index(
    d: Difference, collection: str, index: str, expected: Specifications, found: Specifications
) -> Iterator[Step]:
    if _is_own(expected, collection, index) or _is_own(found, collection, index):
        yield Step(None, "the collection's own index: see the collection")
    elif d.change == "extra":
        yield Step(
            None,
            "hide it first (collMod, hidden: true) and watch the queries: an index that is hidden comes back at once",
        )
        yield Step({"dropIndexes": collection, "index": index})
    elif d.change == "missing":
        yield _create(collection, _spec(expected[collection], index))
    else:
        yield from _changed(
            d, collection, _spec(expected[collection], index), _spec(found[collection], index)
        )


def _is_own(side: Specifications, collection: str, index: str) -> bool:
    """Is it the index on _id, which comes and goes with the collection?"""
    item = side.get(collection)
    specs = item.indexes if item is not None else ()
    return any(s["name"] == index and (index == "_id_" or bool(s.get("clustered"))) for s in specs)


def _spec(item: Specification, index: str) -> Document:
    return next(spec for spec in item.indexes if spec["name"] == index)


def _create(collection: str, spec: Document) -> Step:
    given = {
        key: _without_version(value) if key == "collation" else value
        for key, value in spec.items()
        if key not in _OWN
    }
    if "_fts" in given["key"]:
        # A text index is told by its weights; the key that is asked for names the fields.
        given["key"] = _text_key(spec)
    return Step({"createIndexes": collection, "indexes": [given]})


def _text_key(spec: Document) -> dict[str, Any]:
    key: dict[str, Any] = {}
    for name, direction in spec["key"].items():
        if name == "_fts":
            key |= dict.fromkeys(spec["weights"], "text")
        elif name != "_ftsx":
            key[name] = direction
    return key


def _changed(d: Difference, collection: str, new: Document, old: Document) -> Iterator[Step]:
    fields = set(d.fields)
    if "building" in fields:
        yield Step(
            None, "the index is still being built: wait, and compare again ($currentOp tells how far it is)"
        )
        fields -= {"building"}
    if "hidden" in fields:
        yield _modify(collection, new, hidden=bool(new.get("hidden", False)))
    if "expireAfterSeconds" in fields and "expireAfterSeconds" in new:
        yield _modify(collection, new, expireAfterSeconds=new["expireAfterSeconds"])
        fields -= {"expireAfterSeconds"}
    if "unique" in fields and new.get("unique") and not fields - {"hidden", "unique", "prepareUnique"}:
        yield Step(
            None,
            "in three steps: new duplicates are refused, those that are there are listed, the index is made unique",
        )
        yield _modify(collection, new, prepareUnique=True)
        dry = _modify(collection, new, unique=True).command
        assert dry is not None
        yield Step({**dry, "dryRun": True})
        yield _modify(collection, new, unique=True)
    elif "unique" in fields or fields - {"hidden", "prepareUnique"}:
        yield Step(
            None,
            "between the two commands no query has the index: build it under another name first where that hurts",
        )
        yield Step({"dropIndexes": collection, "index": old["name"]})
        yield _create(collection, new)
    elif "prepareUnique" in fields:
        yield _modify(collection, new, prepareUnique=bool(new.get("prepareUnique", False)))


def _modify(collection: str, spec: Document, **change: Any) -> Step:
    return Step({"collMod": collection, "index": {"name": spec["name"], **change}})
