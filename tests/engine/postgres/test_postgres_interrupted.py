"""A run that is interrupted while a database is being made leaves none behind."""

from __future__ import annotations

import signal
from types import FrameType

import psycopg
import pytest

from dbtrust.engine.postgres.connect import connect
from dbtrust.engine.postgres.scratch import Scratch, TargetHost


class Stopped(Exception):
    """What a signal raises."""


@pytest.mark.parametrize("raised", [Stopped, KeyboardInterrupt])
def test_a_database_that_was_being_made_when_the_signal_came_is_dropped(
    postgres_url: str, pg: psycopg.Connection[tuple[object, ...]], raised: type[BaseException]
) -> None:
    scratch = Scratch(TargetHost(postgres_url))
    source = scratch.create("source")
    # The server waits for this one to go before it copies.
    busy = connect(scratch.host.admin_url(source))

    def stop(number: int, frame: FrameType | None) -> None:
        busy.close()
        raise raised

    before = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        with pytest.raises(raised):
            scratch.copy(source, "copy")
    finally:
        signal.signal(signal.SIGALRM, before)
        scratch.close()
    left = pg.execute(
        "SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{source.rsplit('_', 2)[0]}%"]
    )
    assert left.fetchall() == []
