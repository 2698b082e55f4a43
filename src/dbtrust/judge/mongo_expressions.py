"""The shape of what an aggregation expression gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from dbtrust.judge.mongo_shapes import (
    UNKNOWN,
    Document,
    Shape,
    UnknownPath,
    array_of,
    empty,
    find,
    kind_of,
    merged,
    through_array,
)

_RESULTS = {
    "number": "$sum $avg $count $size $multiply $divide $mod $abs $ceil $floor $round $trunc $sqrt $pow $year $month"
    " $dayOfMonth $dayOfWeek $dayOfYear $week $isoWeek $hour $minute $second $millisecond $strLenCP $strLenBytes"
    " $indexOfArray $indexOfCP $toInt $toLong $toDouble $toDecimal $rank $denseRank $documentNumber $stdDevPop"
    " $stdDevSamp $dateDiff $cmp",
    "string": "$concat $toString $toUpper $toLower $substr $substrCP $substrBytes $dateToString $trim $ltrim $rtrim $type",
    "bool": "$eq $ne $gt $gte $lt $lte $and $or $not $in $anyElementTrue $allElementsTrue $setIsSubset $setEquals"
    " $regexMatch $isArray $isNumber $toBool",
    "date": "$toDate $dateTrunc $dateFromString $dateFromParts $dateAdd $dateSubtract",
}
_KIND = {name: kind for kind, names in _RESULTS.items() for name in names.split()}
#: Accumulators that give one of the values.
_ONE_OF = frozenset({"$first", "$last", "$min", "$max"})
_WHOLE = ("$$ROOT", "$$CURRENT")


def is_operators(value: Any) -> bool:
    """A document whose keys are all operators; the empty one is not."""
    if not isinstance(value, Mapping):
        return False
    document = cast("Document", value)
    return bool(document) and all(str(key).startswith("$") for key in document)


def result(value: Any, shape: Shape, *, accumulator: bool = False) -> Shape:
    """What an expression over documents of `shape` gives; UNKNOWN where that is not known. Null is not told apart."""
    if isinstance(value, str) and value.startswith("$"):
        return _path(value, shape)
    if isinstance(value, Mapping):
        document = cast("Document", value)
        if not is_operators(document):
            return empty().with_fields({name: result(v, shape) for name, v in document.items()})
        operator, operand = next(iter(document.items()))
        return _operator(operator, operand, shape, accumulator)
    if isinstance(value, list | tuple):
        items = [result(item, shape) for item in cast("Sequence[Any]", value)]
        return array_of(merged(items) if items else UNKNOWN)
    kind = kind_of(value)
    return Shape(frozenset({kind})) if kind is not None else UNKNOWN


def _path(value: str, shape: Shape) -> Shape:
    for whole in _WHOLE:
        if value == whole:
            return shape
        if value.startswith(f"{whole}."):
            value = f"${value.removeprefix(f'{whole}.')}"
    if value.startswith("$$"):
        return Shape(frozenset({"date"})) if value == "$$NOW" else UNKNOWN
    try:
        found = find(shape, value[1:])
    except UnknownPath:
        return UNKNOWN
    return array_of(found) if through_array(shape, value[1:]) else found


def _operator(operator: str, operand: Any, shape: Shape, accumulator: bool) -> Shape:
    if operator in _KIND:
        return Shape(frozenset({_KIND[operator]}))
    if operator == "$literal":
        kind = kind_of(operand)
        return Shape(frozenset({kind})) if kind else UNKNOWN
    if operator in ("$push", "$addToSet"):
        return array_of(result(operand, shape))
    if operator in _ONE_OF and accumulator:
        return result(operand, shape)
    if operator in ("$first", "$last"):
        return result(operand, shape).items or UNKNOWN
    if operator in ("$ifNull", "$cond"):
        return merged(list(_branches(operator, operand, shape)) or [UNKNOWN])
    return _of_array(operator, operand, shape)


def _branches(operator: str, operand: Any, shape: Shape) -> Iterator[Shape]:
    if isinstance(operand, Mapping):
        values: list[Any] = [v for k, v in cast("Document", operand).items() if k != "if"]
    else:
        values = list(operand)[1 if operator == "$cond" else 0 :]
    for value in values:
        yield result(value, shape)


def _of_array(operator: str, operand: Any, shape: Shape) -> Shape:
    if operator in ("$filter", "$sortArray") and isinstance(operand, Mapping):
        return result(cast("Document", operand).get("input"), shape)
    if operator == "$map":
        return array_of(UNKNOWN)
    if operator == "$reverseArray":
        return result(operand, shape)
    if operator in ("$arrayElemAt", "$slice") and isinstance(operand, list) and operand:
        found = result(cast("list[Any]", operand)[0], shape)
        return found if operator == "$slice" else found.items or UNKNOWN
    return UNKNOWN
