"""The down(db) that the difference of two MongoDB catalogs implies: run over documents before anybody sees it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pymongo.errors

from dbtrust.engine.mongo.catalog import Specification, catalog_of, snapshot, specifications
from dbtrust.engine.mongo.copy import copy_database
from dbtrust.judge.catalog import diff
from dbtrust.migrate.mongo_implicit import implicit, left_by_down
from dbtrust.migrate.mongo_populated import MongoPopulated
from dbtrust.migrate.python_down import parameter, with_function, with_names
from dbtrust.migrate.unified import unified
from dbtrust.model.errors import DbtrustError
from dbtrust.model.project import Migration
from dbtrust.source.layouts.ways_back import Home
from dbtrust.source.migrations import PythonMigration, load_python
from dbtrust.stage.history import apply_mongo

Specifications = Mapping[str, Specification]
#: Of an index, what create_index is not given: the server writes it.
_IMPLIED = frozenset(
    {"v", "key", "name", "ns", "background", "textIndexVersion", "2dsphereIndexVersion", "building"}
)
_LOSSES = 4


@dataclass(slots=True)
class MongoPatcher:
    """Makes downs for migrations with up(db) and proves them on copies of the database with documents."""

    full: MongoPopulated
    root: Path

    def patch(self, migration: Migration, loaded: PythonMigration) -> str | None:
        """A unified diff of a proven down(db), "" where no collection and no index changes; None where none was proven."""
        if loaded.steps is not None or self.full.spoilt:
            return None
        file = str(migration.location.file)
        text = Home(self.root).text(file)
        if text is None or text.removeprefix("\ufeff").replace("\r\n", "\n") != migration.python:
            return None
        drafts = list(self._drafts(migration, loaded))
        for lines, keep in drafts:
            new = self._proven(migration, text, lines, keep=keep)
            if new is not None:
                return unified(file, text, new)
        return None if drafts else ""

    def _drafts(self, migration: Migration, loaded: PythonMigration) -> Iterator[tuple[list[str], bool]]:
        """(statements, are they put behind those of the author?) of what may bring the catalog back."""
        with self.full.fresh() as copy:
            copy_database(self.full.db.client, self.full.db.name, copy.name)
            before = specifications(copy)
            try:
                apply_mongo(copy, migration, loaded)
            except DbtrustError:
                return
            after = specifications(copy)
            there = self._after_down(copy, migration, loaded)
        name = parameter(migration.python or "", "down", "db")
        if there is not None and (lines := statements(_with_implicit(migration, before, there), there, name)):
            yield lines, True
        before = _with_implicit(migration, before, after)
        for lines in (renames(before, after, name), statements(before, after, name)):
            if lines:
                yield lines, False

    def _after_down(self, copy: Any, migration: Migration, loaded: PythonMigration) -> Specifications | None:
        """What the author's own down leaves; None where there is none, or where it fails."""
        try:
            if loaded.down is not None:
                apply_mongo(copy, migration, loaded, direction="down")
                return specifications(copy)
        except DbtrustError:
            pass
        return None

    def _proven(self, migration: Migration, text: str, lines: Sequence[str], *, keep: bool) -> str | None:
        """The text of the file with the down, and with the losses that it has to declare."""
        lossy: list[str] = []
        head: list[str] = []
        for _ in range(_LOSSES):
            new = with_function(text, "down", "def down(db):", lines, head=head, keep=keep)
            new = with_names(new, "lossy", lossy) if new is not None and lossy else new
            if new is None:
                return None
            found = self._judged(migration, new)
            if found is None:
                return None
            kind, said = found
            if kind == "lossy" and said not in lossy:
                lossy.append(said)
            elif kind and not head:
                head = [f"# not over every document that may be written after the up: {said}"]
            else:
                return new
        return None

    def _judged(self, migration: Migration, text: str) -> tuple[str, str] | None:
        """("", "") where nothing is refuted, else the kind and what was lost or said; None where the catalog does not come back."""
        candidate = replace(migration, python=text.removeprefix("\ufeff").replace("\r\n", "\n"))
        try:
            loaded = load_python(candidate, self.root)
            if not self._brings_back(candidate, loaded):
                return None
        except (DbtrustError, pymongo.errors.PyMongoError):
            return None
        refuted = [v for v in self.full.prove(candidate, loaded, None) if v.verdict == "refuted"]
        if not refuted or all(v.evidence.get("up failed") for v in refuted):
            return "", ""
        first = refuted[0]
        if first.evidence.get("kind") == "lossy" and (
            names := ast.literal_eval(first.next.rpartition("lossy = ")[2])
        ):
            return "lossy", names[0]
        return "other", " ".join(first.message.split())

    def _brings_back(self, migration: Migration, loaded: PythonMigration) -> bool:
        with self.full.fresh() as copy:
            copy_database(self.full.db.client, self.full.db.name, copy.name)
            before = snapshot(copy)
            apply_mongo(copy, migration, loaded)
            after = snapshot(copy)
            apply_mongo(copy, migration, loaded, direction="down")
            if left_by_down(copy, migration, before):
                return False
            apply_mongo(copy, migration, loaded)
            return not diff(after, snapshot(copy))


def _with_implicit(migration: Migration, before: Specifications, after: Specifications) -> Specifications:
    """The state before with the collections that only a write or an index has made: a patch never drops them."""
    plain = {
        name: Specification(item.info, tuple(i for i in item.indexes if i["name"] == "_id_"))
        for name, item in after.items()
        if name not in before and item.info.get("type") == "collection"
        if implicit(migration, name, item.info.get("options"))
    }
    return {**before, **plain}


def renames(before: Specifications, after: Specifications, db: str) -> list[str]:
    """The same with collections renamed back that are as one that is gone; empty where there is none."""
    lost, new = ([n for n in a if n not in b] for a, b in ((before, after), (after, before)))
    pairs = {n: old for n in new for old in lost if _alike(before[old], after[n])}
    if not pairs or len(set(pairs.values())) < len(pairs):
        return []
    seen = {pairs.get(name, name): item for name, item in after.items()}
    return [f"{db}[{n!r}].rename({old!r})" for n, old in pairs.items()] + (statements(before, seen, db) or [])


def _alike(one: Specification, other: Specification) -> bool:
    first, then = (catalog_of({"": Specification(x.info, x.indexes)}) for x in (one, other))
    return not diff(first, then)


def statements(before: Specifications, after: Specifications, db: str) -> list[str] | None:
    """Python that makes the second state into the first; None where a value has no literal."""
    changed = {(d.kind, d.name) for d in diff(catalog_of(before), catalog_of(after))}
    lines = [f"{db}.drop_collection({name!r})" for name in after if name not in before]
    try:
        for name, item in after.items():
            if name in before:
                lines += _drops(db, name, item, changed)
        for name, item in before.items():
            if name not in after:
                lines.append(f"{db}.create_collection({_arguments([name], _options(item))})")
            elif ("collection", name) in changed:
                lines.append(f"{db}.command({_arguments(['collMod', name], _modified(item))})")
        for name, item in before.items():
            lines += _creates(db, name, item, after.get(name), changed)
    except ValueError:
        return None
    return lines


def _drops(db: str, name: str, now: Specification, changed: set[tuple[str, str]]) -> Iterator[str]:
    for index in now.indexes:
        if ("index", f"{name}.{index['name']}") in changed and index["name"] != "_id_":
            yield f"{db}[{name!r}].drop_index({index['name']!r})"


def _creates(
    db: str, name: str, was: Specification, now: Specification | None, changed: set[tuple[str, str]]
) -> Iterator[str]:
    for index in was.indexes:
        if index["name"] != "_id_" and (now is None or ("index", f"{name}.{index['name']}") in changed):
            key = dict(index["key"])
            if "_fts" in key:
                fields = dict.fromkeys(index.get("weights", {}), "text")
                key = {
                    k: v
                    for n in key
                    for k, v in (fields if n == "_fts" else {} if n == "_ftsx" else {n: key[n]}).items()
                }
            options = {"name": index["name"], **{k: v for k, v in index.items() if k not in _IMPLIED}}
            yield f"{db}[{name!r}].create_index({_arguments([list(key.items())], options)})"


def _options(item: Specification) -> dict[str, Any]:
    return dict(item.info.get("options", {}))


def _modified(item: Specification) -> dict[str, Any]:
    """What collMod can set: of a view its pipeline, else the validator with its level and action."""
    options = _options(item)
    if "viewOn" in options:
        return {"viewOn": options["viewOn"], "pipeline": options.get("pipeline", [])}
    return {
        "validator": options.get("validator", {}),
        "validationLevel": options.get("validationLevel", "strict"),
        "validationAction": options.get("validationAction", "error"),
    }


def _arguments(values: Sequence[Any], options: Mapping[str, Any]) -> str:
    named = [f"{key}={_literal(value)}" for key, value in options.items() if key.isidentifier()]
    if len(named) < len(options):
        raise ValueError("a name that is none in Python")
    return ", ".join([*map(_literal, values), *named])


def _literal(value: Any) -> str:
    """Raises ValueError for a value that Python writes with a class of its own."""
    plain = _plain(value)
    text = repr(plain)
    if ast.literal_eval(text) != plain:
        raise ValueError(text)
    return text


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        inner = cast("Mapping[str, Any]", value)
        return {k: _plain(v) for k, v in inner.items() if not (k == "version" and "locale" in inner)}
    if isinstance(value, list | tuple):
        items = [_plain(v) for v in cast("Sequence[Any]", value)]
        return tuple(items) if isinstance(value, tuple) else items
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value
