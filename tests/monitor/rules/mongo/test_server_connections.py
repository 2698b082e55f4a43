"""Connections near the limit."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import Any

from tests.monitor.rules.mongo.conftest import judged

from dbtrust.engine.waiting import await_true
from dbtrust.monitor.rules.mongo.server_connections import RULE


def test_finds_most_of_eighty(three: Any) -> None:
    with ExitStack() as stack, three.member(1) as client:
        for _ in range(60):
            stack.enter_context(socket.create_connection(("127.0.0.1", three.ports[1])))
        assert await_true(lambda: client.admin.command("serverStatus")["connections"]["current"] >= 64, 30)
        found = judged(RULE, three.look())
    assert [f.subject for f in found] == [f"server:127.0.0.1:{three.ports[1]}"]


def test_is_silent_about_a_few(look: Any) -> None:
    assert judged(RULE, look()) == []
