"""Reads what a method returns without having sent it: a cursor asks the server only when somebody iterates it."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeGuard, cast

from dbtrust.engine.mongo.limits import Clock


def exhausted(value: Any, clock: Clock) -> Any:
    """Runs iterators (cursors, generators) to their end, as the caller of the method would. Raises OutOfTime.

    The value itself is then a list. One that stands in a tuple, list, set, mapping or dataclass, at any depth, is
    read and stays where it is.
    """
    if not _iterates(value):
        _read(value, set(), clock)
        return value
    items: list[Any] = list(clock.steps(value))
    _read(items, set(), clock)
    return items


async def exhausted_async(value: Any) -> Any:
    """The same for asynchronous iterators; what is awaitable is awaited."""
    value = await value if inspect.isawaitable(value) else value
    found: Any = value
    if _streams(value):
        found = [item async for item in value]
    elif _iterates(value):
        found = list(value)
    await _read_async(found, set())
    return found


def _iterates(value: Any) -> TypeGuard[Iterator[Any]]:
    return hasattr(value, "__next__") and not isinstance(value, type)


def _streams(value: Any) -> TypeGuard[AsyncIterator[Any]]:
    return hasattr(value, "__anext__") and not isinstance(value, type)


def _read(value: Any, seen: set[int], clock: Clock) -> None:
    for leaf in _leaves(value, seen):
        if _iterates(leaf):
            for item in clock.steps(leaf):
                _read(item, seen, clock)


async def _read_async(value: Any, seen: set[int]) -> None:
    for leaf in _leaves(value, seen):
        if inspect.isawaitable(leaf):
            await _read_async([await leaf], seen)
        elif _streams(leaf):
            async for item in leaf:
                await _read_async(item, seen)
        elif _iterates(leaf):
            for item in leaf:
                await _read_async(item, seen)


def _leaves(value: Any, seen: set[int]) -> Iterator[Any]:
    """What the containers hold that is no container; one that holds itself is gone through once."""
    if (parts := _parts(value)) is None:
        yield value
        return
    if id(value) in seen:
        return
    # Only while it is open: another container may get the same id after this one is gone.
    seen.add(id(value))
    for part in parts:
        yield from _leaves(part, seen)
    seen.discard(id(value))


def _parts(value: Any) -> list[Any] | None:
    if isinstance(value, (list, tuple, set, frozenset)):
        return list(cast("list[Any]", value))
    if isinstance(value, Mapping):
        return list(cast("Mapping[Any, Any]", value).values())
    if is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name, None) for field in fields(value)]
    return None
