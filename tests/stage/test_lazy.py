"""What a method returns is read wherever it stands."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import namedtuple
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from dbtrust.engine.mongo.limits import Clock, OutOfTime
from dbtrust.stage.lazy import exhausted, exhausted_async

Pair = namedtuple("Pair", "first second")
CLOCK = Clock(60, time.monotonic() + 1e9)


@dataclass
class Page:
    head: Any
    rest: Any = None


def counted(read: list[int], *numbers: int) -> Iterator[int]:
    for number in numbers:
        read.append(number)
        yield number


async def streamed(read: list[int], *numbers: int) -> AsyncIterator[int]:
    for number in counted(read, *numbers):
        yield number


def test_iterators_are_read_at_any_depth_and_stay_where_they_are() -> None:
    read: list[int] = []
    first = counted(read, 1, 2)
    value = Pair(first, [{"a": Page(counted(read, 3))}, {4: (counted(read, 4),)}])
    assert exhausted(value, CLOCK) is value
    assert value.first is first
    assert read == [1, 2, 3, 4]


def test_an_iterator_becomes_a_list_and_what_it_gives_is_read() -> None:
    read: list[int] = []
    found = exhausted((page for page in (Page(counted(read, 1)), Page(2))), CLOCK)
    assert (len(found), read) == (2, [1])
    assert exhausted("text", CLOCK) == "text"


def test_what_holds_itself_is_read_once() -> None:
    read: list[int] = []
    value: list[Any] = [counted(read, 1)]
    value.append(value)
    assert exhausted(value, CLOCK) is value
    assert read == [1]


def test_one_that_never_ends_is_stopped_at_any_depth() -> None:
    over = Clock(0, time.monotonic() - 1)
    for value in (itertools.count(), (1, [itertools.count()])):
        with pytest.raises(OutOfTime):
            exhausted(value, over)


def test_asynchronous_results() -> None:
    read: list[int] = []

    async def later(value: Any) -> Any:
        return value

    value = (streamed(read, 1), [counted(read, 2)], later(Page(streamed(read, 3))))
    assert asyncio.run(exhausted_async(later(value))) is value
    assert asyncio.run(exhausted_async(streamed(read, 4, 5))) == [4, 5]
    assert read == [1, 2, 3, 4, 5]
