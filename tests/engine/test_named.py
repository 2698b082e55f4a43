"""A named pair: its data and URLs survive stop and start, and it outlives dbtrust."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pymongo
import pytest

from dbtrust.engine import named, watchdog
from dbtrust.engine.locks import locked
from dbtrust.engine.runs import sweep
from dbtrust.engine.templates import prune
from dbtrust.model.errors import ConfigError, ServerError


@pytest.fixture
def pair(servers_home: Path) -> Iterator[Path]:
    yield servers_home / "servers" / "mine"
    for engine in named.ENGINES:
        named.stop(engine, "mine", delete=True)
    assert not (servers_home / "servers" / "mine").exists()


def test_data_and_urls_survive_a_stop(pair: Path) -> None:
    postgres, mongo = (named.start(engine, "mine") for engine in named.ENGINES)
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t AS SELECT 42 AS x")
        assert connection.execute("SELECT name FROM pg_settings WHERE setting = 'off' AND name = 'fsync'")
    with pymongo.MongoClient(mongo.url) as client:
        client.shop.t.insert_one({"x": 42})
    assert named.start("postgres", "mine") == postgres
    assert named.start("mongo", "mine") == mongo
    assert [named.status(engine, "mine") for engine in named.ENGINES] == [postgres, mongo]
    for engine in named.ENGINES:
        assert named.stop(engine, "mine")
        assert not named.stop(engine, "mine")
        assert named.status(engine, "mine") is None
    assert watchdog.processes(str(pair)) == {}
    again = named.start("postgres", "mine")
    assert (again.url, again.version) == (postgres.url, postgres.version)
    with psycopg.connect(again.url) as connection:
        assert connection.execute("SELECT x FROM t").fetchone() == (42,)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        assert connection.execute("SHOW autovacuum").fetchone() == ("on",)
    again = named.start("mongo", "mine")
    assert again.url == mongo.url
    with pymongo.MongoClient(again.url) as client:
        assert client.shop.t.count_documents({"x": 42}) == 1


def test_nobody_enters_without_the_password(pair: Path) -> None:
    server = named.start("postgres", "mine")
    password = json.loads((pair / "postgres.json").read_text())["password"]
    assert (pair / "postgres.json").stat().st_mode & 0o077 == 0
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.url.replace(password, "wrong"))
    assert list((pair / "postgres").glob(".s.PGSQL*")) == []


def test_it_outlives_its_process_and_what_tidies_up(pair: Path, servers_home: Path) -> None:
    code = "from dbtrust.engine import named; print(named.start('postgres', 'mine').pid)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    sweep()
    prune(0, everything=True)
    server = named.status("postgres", "mine")
    assert server
    assert server.pid == int(done.stdout)
    with psycopg.connect(server.url):
        pass


def test_a_server_that_was_killed_starts_again(pair: Path) -> None:
    for engine in named.ENGINES:
        server = named.start(engine, "mine")
        os.kill(server.pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while watchdog.processes(str(pair / engine)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert named.status(engine, "mine") is None
        again = named.start(engine, "mine")
        assert again.url == server.url
        assert again.pid != server.pid


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL], ids=["stopped", "killed"])
@pytest.mark.parametrize("engine", named.ENGINES)
def test_stop_ends_what_somebody_has_stopped_or_killed_before(
    pair: Path, engine: named.Engine, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of its processes at once, then the server alone while a child of it stands still."""
    for only_server in (False, True):
        server = named.start(engine, "mine")
        children = [pid for pid in watchdog.processes(str(pair)) if pid != server.pid]
        for pid in children[:1] if only_server else children:
            os.kill(pid, signal.SIGSTOP)
        os.kill(server.pid, number)
        # A wait for one that stands still would use up all of this.
        monkeypatch.setattr(named, "_SECONDS", 3600.0)
        named.stop(engine, "mine")
        assert watchdog.processes(str(pair)) == {} and named.status(engine, "mine") is None
    again = named.start(engine, "mine")
    assert again.pid in watchdog.processes(str(pair))


def test_a_pair_that_another_process_holds_for_too_long_is_one_line(
    pair: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(named, "_LOCK_SECONDS", 0.2)
    named.start("postgres", "mine")
    with (
        locked(pair / "lock"),
        pytest.raises(ServerError, match=rf"process {os.getpid()} has held .*/lock for"),
    ):
        named.stop("postgres", "mine", delete=True)


@pytest.mark.parametrize("engine", named.ENGINES)
def test_a_port_that_is_taken_is_one_line(pair: Path, engine: named.Engine) -> None:
    named.start(engine, "mine")
    named.stop(engine, "mine")
    port = json.loads((pair / f"{engine}.json").read_text())["port"]
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(ServerError, match=f"port {port} of the servers mine is taken") as caught:
            named.start(engine, "mine")
    assert "--name" in caught.value.next


def test_a_first_port_that_is_taken_is_chosen_again(pair: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    choose = named.mongo.free_port
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = iter([taken.getsockname()[1], choose()])
        monkeypatch.setattr(named.mongo, "free_port", lambda: next(ports))
        server = named.start("postgres", "mine")
    with psycopg.connect(server.url):
        pass


def test_a_start_that_was_cut_short_is_made_whole(pair: Path) -> None:
    (pair / ".half-postgres" / "data").mkdir(parents=True)
    (pair / "postgres").mkdir()
    server = named.start("postgres", "mine")
    with psycopg.connect(server.url):
        pass
    assert not (pair / ".half-postgres").exists()


def test_a_record_that_is_broken_or_gone_is_one_line(pair: Path) -> None:
    named.start("postgres", "mine")
    named.stop("postgres", "mine")
    (pair / "postgres.json").write_text("[")
    with pytest.raises(ServerError, match="cannot be read") as caught:
        named.start("postgres", "mine")
    assert "--delete" in caught.value.next
    (pair / "postgres.json").unlink()
    with pytest.raises(ServerError, match="no record of their password"):
        named.start("postgres", "mine")


@pytest.mark.parametrize("name", ["", "..", "a/b", "-x", "x" * 41, "a\n"])
def test_a_name_that_is_none(name: str, servers_home: Path) -> None:
    with pytest.raises(ConfigError, match="no name of a pair"):
        named.start("postgres", name)


def test_an_absent_pair_is_neither_running_nor_made(servers_home: Path) -> None:
    assert named.status("postgres", "absent") is None
    assert not named.stop("postgres", "absent", delete=True)
    assert not (servers_home / "servers" / "absent").exists()


def test_a_server_that_cannot_be_stopped_is_one_line(pair: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named.start("postgres", "mine")
    with monkeypatch.context() as patched:
        patched.setattr(watchdog, "end", lambda folder: False)
        with pytest.raises(ServerError, match="cannot be stopped"):
            named.stop("postgres", "mine")
