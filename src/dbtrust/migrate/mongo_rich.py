"""Documents that show what a migration loses: fractions, odd texts, null, dates, in the fields that there are and that it names."""

from __future__ import annotations

import ast
import datetime
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from bson import ObjectId
from pymongo.errors import PyMongoError

from dbtrust.judge.mongo_breaking import put
from dbtrust.migrate.mongo_rows import apart, unique_fields

Document = dict[str, Any]
#: The kinds of documents.
VARIANTS = ("fraction", "text", "large", "null", "named")
_DAY = datetime.datetime(1999, 12, 31, 23, 58, 57, 123000, tzinfo=datetime.UTC)
_FIELD = re.compile(r"""["']\$([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)["'](?!\s*:)""")
#: So many fields of a migration's text are tried.
_FIELDS = 30


def enrich(db: Any, names: Collection[str], text: str, variants: Sequence[str]) -> None:
    """A document of each of the variants for each collection, like the first that is there; `text`: the migration's.

    A field whose odd value the collection refuses keeps its own.
    """
    for name in names:
        first = db[name].find_one()
        if first is None:
            continue
        for variant in variants:
            if variant == "named":
                _with_constants(db, name, first, _constants(text))
                continue
            _one(db, name, first, _read(text), variant)


def _read(text: str) -> list[str]:
    """The fields that an expression of the up reads ("$price")."""
    up = text.partition("def down")[0]
    return list(dict.fromkeys(match[1] for match in _FIELD.finditer(up)))[:_FIELDS]


def _constants(text: str) -> list[tuple[str, Any]]:
    """(field, value) of the literals that a script writes or looks for: {"plan": "basic"}; of fields that a filter compares."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return []
    dicts = [node for node in ast.walk(tree) if isinstance(node, ast.Dict)]
    written = {id(v) for d in dicts for k, v in _items(d) if k.startswith("$")}
    named: dict[tuple[str, str], tuple[str, Any]] = {}
    looked: set[str] = set()
    for one in dicts:
        for field, node in _items(one):
            for value in [] if field.startswith("$") else _values(node):
                named[field, repr(value)] = (field, value)
                looked |= set() if id(one) in written else {field}
    return [pair for pair in named.values() if pair[0] in looked][:_FIELDS]


def _items(node: ast.Dict) -> list[tuple[str, ast.expr]]:
    pairs = zip(node.keys, node.values, strict=True)
    return [(k.value, v) for k, v in pairs if isinstance(k, ast.Constant) and isinstance(k.value, str)]


def _values(node: ast.expr) -> list[Any]:
    """The texts and numbers that a field is compared with, or gets."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str | int | float) else []
    if isinstance(node, ast.List):
        return [value for element in node.elts for value in _values(element)]
    if isinstance(node, ast.Dict):
        return [v for k, inner in _items(node) if k in ("$in", "$nin", "$eq", "$ne") for v in _values(inner)]
    return []


def _with_constants(
    db: Any, name: str, first: Mapping[str, Any], constants: Sequence[tuple[str, Any]]
) -> None:
    """A document for each of the constants: a field has all along what the migration writes there, or looks for."""
    keys = unique_fields(db, name)
    for number, (field, value) in enumerate(constants):
        whole = apart(dict(first), keys, 700 + number)
        _insert(db[name], put(whole, tuple(field.split(".")), value))


def _one(db: Any, name: str, first: Mapping[str, Any], named: Sequence[str], variant: str) -> None:
    keys = unique_fields(db, name)
    own = [f for f in first if f != "_id"]
    wanted = {f: _VARIANTS[variant](first.get(f), f in first) for f in [*own, *named]}
    changes = {f: v for f, v in wanted.items() if v is not _SAME and (f not in keys or isinstance(v, str))}
    if not changes:
        return
    number = 300 + VARIANTS.index(variant)
    whole = apart(dict(first), keys, number)
    for field, value in changes.items():
        whole = put(whole, tuple(field.split(".")), value)
    if _insert(db[name], whole):
        return
    for place, (field, value) in enumerate(changes.items()):
        single = apart(dict(first), keys, number + 10 * (place + 1))
        _insert(db[name], put(single, tuple(field.split(".")), value))


def _insert(collection: Any, document: Document) -> bool:
    try:
        collection.insert_one(document)
    except PyMongoError:
        return False
    return True


_SAME = object()


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _fraction(value: Any, there: bool) -> Any:
    return 1234.5 if _number(value) or not there else _SAME


def _text(value: Any, there: bool) -> Any:
    return "  Mixed CASE " + str(ObjectId())[-6:] + " " if isinstance(value, str) or not there else _SAME


def _large(value: Any, there: bool) -> Any:
    if isinstance(value, datetime.datetime):
        return _DAY
    return -2147483648 if _number(value) or not there else _SAME


def _null(value: Any, there: bool) -> Any:
    del value, there
    return None


_VARIANTS: Mapping[str, Callable[[Any, bool], Any]] = {
    "fraction": _fraction,
    "text": _text,
    "large": _large,
    "null": _null,
}
