"""Which stages of MongoDB sort in memory, also those that are written without the word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

#: Stages of a plan that sort what they get; SORT_MERGE only merges what is sorted.
SORTS = ("SORT", "$sort", "$_internalBoundedSort", "$bucketAuto")
#: Stages of a pipeline as it is written that the server runs with a sort.
_ALWAYS = frozenset({"$sort", "$sortByCount", "$bucketAuto", "$densify", "$_internalBoundedSort"})
_WITH_ORDER = frozenset({"$setWindowFields", "$_internalSetWindowFields", "$fill"})


def sorting(spec: Any) -> bool:
    """Does a stage in the pipeline of this $lookup sort, at any depth?"""
    pipeline = cast("Mapping[str, Any]", spec).get("pipeline") if isinstance(spec, Mapping) else None
    return _any_sorts(pipeline)


def _any_sorts(pipeline: Any) -> bool:
    stages = cast("list[Any]", pipeline) if isinstance(pipeline, list) else []
    return any(_sorts(cast("Mapping[str, Any]", stage)) for stage in stages if isinstance(stage, Mapping))


def _sorts(stage: Mapping[str, Any]) -> bool:
    """One stage; $facet holds pipelines by name, $lookup and $unionWith one of their own."""
    for name, spec in stage.items():
        if name in _ALWAYS or (name in _WITH_ORDER and "sortBy" in (spec or {})):
            return True
        inner: Mapping[str, Any] = cast("Mapping[str, Any]", spec) if isinstance(spec, Mapping) else {}
        below: list[Any] = list(inner.values()) if name == "$facet" else [inner.get("pipeline")]
        if any(map(_any_sorts, below)):
            return True
    return False
