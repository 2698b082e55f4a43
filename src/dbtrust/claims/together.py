"""Contracts and claims of the same queries, judged at once: each has copies and connections of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

_First = TypeVar("_First")
_Second = TypeVar("_Second")
Quiet = Callable[[], object]


def side_by_side(first: Callable[[], _First], second: Callable[[Quiet], _Second]) -> tuple[_First, _Second]:
    """Runs both; `second` may wait for the end of `first`, before it measures times, by calling what it is given.

    Raises what either of them raises; both have ended then.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="dbtrust-contracts") as pool:
        running = pool.submit(first)
        done = second(lambda: wait([running]))
        return running.result(), done
