"""Documents that show what a migration loses: fractions, odd texts, null, dates, in the fields that there are and that it names."""

from __future__ import annotations

import ast
import datetime
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, cast

from bson import ObjectId
from pymongo.errors import PyMongoError

from dbtrust.judge.mongo_breaking import put
from dbtrust.judge.mongo_filters import with_values
from dbtrust.migrate.mongo_rows import apart, unique_fields

Document = dict[str, Any]
#: The kinds of documents.
VARIANTS = ("fraction", "text", "large", "null", "named", "operated", "compared", "typed")
_DAY = datetime.datetime(1999, 12, 31, 23, 58, 57, 123000, tzinfo=datetime.UTC)
_FIELD = re.compile(r"""["']\$([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)["'](?!\s*:)""")
#: So many fields of a migration's text are tried.
_FIELDS = 30
_FRACTION = 1234.5
#: What a field holds that an update operator of the up takes away, or reckons with: the first that the collection takes.
_ANY = ("was there", 41, _DAY, True, ["was there"], {"was": "there"})
_NUMBERS, _ARRAYS = (41, 41.5), (["was there"], [41])
_THERE: Mapping[str, Sequence[Any]] = {
    "$unset": _ANY, "$rename": _ANY, "$inc": _NUMBERS, "$mul": _NUMBERS, "$min": _NUMBERS, "$max": _NUMBERS,
    "$push": _ARRAYS, "$pull": _ARRAYS, "$pullAll": _ARRAYS, "$pop": _ARRAYS, "$addToSet": _ARRAYS,
}  # fmt: skip
_EQUAL = ("$in", "$nin", "$eq", "$ne")
_COMPARED = (*_EQUAL, "$lt", "$lte", "$gt", "$gte", "$not")
_INT64 = 2**63


def enrich(db: Any, names: Collection[str], text: str, variants: Sequence[str]) -> None:
    """A document of each of the variants for each collection, like the first that is there; `text`: the migration's.

    A field whose odd value the collection refuses keeps its own.
    """
    for name in names:
        first: Document | None = db[name].find_one()
        if first is None:
            continue
        for variant in variants:
            if variant == "named":
                _with_constants(db, name, first, [{field: value} for field, value in _constants(text)], 700)
            elif variant == "operated":
                _with_operated(db, name, first, _operated(text))
            elif variant in ("compared", "typed"):
                _with_constants(db, name, first, _AROUND[variant](text), 800)
            else:
                _one(db, name, first, _read(text), variant)


def _read(text: str) -> list[str]:
    """The fields that an expression of the up reads ("$price")."""
    up = text.partition("def down")[0]
    return list(dict.fromkeys(match[1] for match in _FIELD.finditer(up)))[:_FIELDS]


def _constants(text: str) -> list[tuple[str, Any]]:
    """(field, value) of the literals that a script writes or looks for: {"plan": "basic"}; of fields that a filter compares."""
    dicts = _dicts(_nodes(text))
    written = _written(dicts)
    named: dict[tuple[str, str], tuple[str, Any]] = {}
    looked: set[str] = set()
    for one in dicts:
        for field, node in _items(one):
            for value in [] if field.startswith("$") else _values(node):
                named[field, repr(value)] = (field, value)
                looked |= set() if id(one) in written else {field}
    return [pair for pair in named.values() if pair[0] in looked][:_FIELDS]


def _nodes(text: str, *, up: bool = False) -> list[ast.AST]:
    """Everything in the text; `up`: but what is in the down, or in a step's `revert`."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return []
    found: list[ast.AST] = [tree]
    for node in found:
        found += [c for c in ast.iter_child_nodes(node) if not (up and _of_down(c))]
    return found


def _of_down(node: ast.AST) -> bool:
    return (isinstance(node, ast.FunctionDef) and node.name == "down") or (
        isinstance(node, ast.keyword) and node.arg == "revert"
    )


def _dicts(nodes: Collection[ast.AST]) -> list[ast.Dict]:
    return [node for node in nodes if isinstance(node, ast.Dict)]


def _written(dicts: Sequence[ast.Dict]) -> set[int]:
    """Which dicts stand behind an operator: what is written, no filter."""
    return {id(v) for d in dicts for k, v in _items(d) if k.startswith("$")}


def _operated(text: str) -> list[tuple[Document, str, str]]:
    """(values, field, operator): documents that the filter finds, whose field the operator takes away or reckons with."""
    nodes = _nodes(text, up=True)
    found: dict[str, tuple[Document, str, str]] = {}
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    for call in [None, *calls]:
        filters = [arg for arg in call.args if isinstance(arg, ast.Dict)] if call else []
        values = {field: value for one in filters for field, value in _fulfilled(one).items()}
        if call and not values:
            continue
        kept = {id(node) for node in nodes}
        inner = nodes if call is None else [node for node in ast.walk(call) if id(node) in kept]
        for operator, node in [pair for d in _dicts(inner) for pair in _items(d) if pair[0] in _THERE]:
            for field in _fields(operator, node):
                found.setdefault(repr((values, field, operator)), (values, field, operator))
    return list(found.values())[:_FIELDS]


def _fields(operator: str, node: ast.expr) -> list[str]:
    """The fields that are there beforehand; the new name of a $rename is taken to be new, as what $set adds."""
    if isinstance(node, ast.Dict):
        named: list[Any] = [name for name, _ in _items(node)]
    else:
        named = _values(node) if operator == "$unset" else []
    return [f for f in named if isinstance(f, str) and "$" not in f and f != "_id"]


def _fulfilled(node: ast.Dict) -> Document:
    """Values with which the filter finds a document, of the fields that it compares with literals."""
    found: Document = {}
    for field, wanted in _items(node):
        pairs = _items(wanted) if isinstance(wanted, ast.Dict) else [("$eq", wanted)]
        for operator, inner in [] if field.startswith("$") else pairs:
            for value in _values(inner)[:1]:
                if operator in ("$eq", "$in", "$lte", "$gte"):
                    found[field] = value
                elif operator in ("$lt", "$gt") and _number(value):
                    found[field] = value - 1 if operator == "$lt" else value + 1
                elif operator == "$type" and value in ("double", "number", 1):
                    found[field] = _FRACTION
    return found


def _compared(text: str) -> list[Document]:
    """Values of the literals that filters compare with, and the numbers beside them; the filter's other fields as it wants them."""
    dicts = _dicts(_nodes(text))
    written, found = _written(dicts), dict[str, Document]()
    for one in [d for d in dicts if id(d) not in written]:
        others = _fulfilled(one)
        for field, node in [(f, n) for f, n in _items(one) if not f.startswith("$") and f != "_id"]:
            for value in _values(node, _COMPARED):
                beside = (value, value - 1, value + 1) if _number(value) else (value,)
                for near in [n for n in beside if not isinstance(n, int) or -_INT64 <= n < _INT64]:
                    found.setdefault(repr((field, near)), {**others, field: near})
    return list(found.values())[: 3 * _FIELDS]


def _typed(text: str) -> list[Document]:
    """Fractions where a filter looks for numbers by their $type."""
    found = [_fulfilled(one) for one in _dicts(_nodes(text, up=True))]
    return [values for values in found if _FRACTION in values.values()][:_FIELDS]


_AROUND: Mapping[str, Callable[[str], list[Document]]] = {"compared": _compared, "typed": _typed}


def _items(node: ast.Dict) -> list[tuple[str, ast.expr]]:
    pairs = zip(node.keys, node.values, strict=True)
    return [(k.value, v) for k, v in pairs if isinstance(k, ast.Constant) and isinstance(k.value, str)]


def _values(node: ast.expr, operators: Collection[str] = _EQUAL) -> list[Any]:
    """The texts and numbers that a field is compared with, or gets."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return [-value for value in _values(node.operand) if _number(value)]
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str | int | float) else []
    if isinstance(node, ast.List):
        return [value for element in node.elts for value in _values(element, operators)]
    if isinstance(node, ast.Dict):
        return [v for k, inner in _items(node) if k in operators for v in _values(inner, operators)]
    return []


def _with_constants(
    db: Any, name: str, first: Document, constants: Sequence[Mapping[str, Any]], start: int
) -> None:
    """A document for each of the constants: a field has all along what the migration writes there, or looks for."""
    keys = unique_fields(db, name)
    for number, values in enumerate(constants, start):
        _insert(db[name], with_values(apart(dict(first), keys, number), values))


def _with_operated(
    db: Any, name: str, first: Document, operated: Sequence[tuple[Document, str, str]]
) -> None:
    """Documents that have the field, with the first value that the collection takes."""
    keys = unique_fields(db, name)
    for number, (values, field, operator) in enumerate(operated, 900):
        whole, there = with_values(first, values), False
        for value in () if _has(whole, field) else _THERE[operator]:
            own = f"{field} {value}" if isinstance(value, str) else value
            if there := _insert(db[name], apart(put(whole, tuple(field.split(".")), own), keys, number)):
                break
        if values and not there:
            _insert(db[name], apart(whole, keys, number))


def _has(document: Mapping[str, Any], field: str) -> bool:
    value: Any = document
    for step in field.split("."):
        if not isinstance(value, dict) or step not in value:
            return False
        value = cast("Any", value)[step]
    return True


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


def odd(document: Document, variant: str, leave: Collection[str]) -> Document | None:
    """The document with odd values in all other fields, those of documents within it too; None where it has none."""
    found = document
    for field, value in _leaves(document):
        changed = _VARIANTS[variant](value, True)
        if changed is not _SAME and not any(field == f or f.startswith(f"{field}.") for f in leave):
            found = put(found, tuple(field.split(".")), changed)
    return found if found != document else None


def _leaves(document: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for field, value in document.items():
        if isinstance(value, dict):
            yield from _leaves(cast("Document", value), f"{above}{field}.")
        elif above or field != "_id":
            yield above + field, value


def calls_of(text: str) -> set[str]:
    """The names of the methods that the up calls, those in functions beside it as well."""
    nodes = _nodes(text, up=True)
    return {n.func.attr for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)}


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
    return _FRACTION if _number(value) or not there else _SAME


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
