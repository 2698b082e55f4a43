"""An embedded MongoDB: a replica set with a password, its templates, and how its failures read."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import psycopg
import pymongo
import pytest
from pymongo.errors import OperationFailure

from dbtrust.engine.mongo import server as embedded
from dbtrust.engine.mongo.server import (
    MongodBinary,
    MongoServer,
    find_template,
    save_template,
    start_mongo,
)
from dbtrust.engine.postgres.server import PostgresBinaries, start_postgres
from dbtrust.engine.runs import Run
from dbtrust.model.errors import ServerError


@pytest.fixture
def server(run: Run, mongod: MongodBinary) -> MongoServer:
    return start_mongo(run, mongod)


def test_the_server_is_a_replica_set_with_transactions(server: MongoServer) -> None:
    with pymongo.MongoClient(server.url("shop")) as client:
        assert client.get_default_database().name == "shop"
        assert client.server_info()["version"] == server.version
        assert client.admin.command("hello")["setName"] == "rs0"
        with client.start_session() as session, session.start_transaction():
            client.shop.t.insert_one({"x": 1}, session=session)
        assert client.shop.t.count_documents({}) == 1


def test_nobody_enters_without_the_password(server: MongoServer) -> None:
    with (
        pymongo.MongoClient("127.0.0.1", server.port, directConnection=True) as client,
        pytest.raises(OperationFailure, match="requires authentication"),
    ):
        client.shop.t.find_one()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.2", server.port)), "it listens on 127.0.0.1 alone"


def test_documents_do_not_expire_by_themselves(server: MongoServer) -> None:
    with pymongo.MongoClient(server.url()) as client:
        found = client.admin.command("getParameter", 1, ttlMonitorEnabled=1)
    assert found["ttlMonitorEnabled"] is False


def test_many_collections_need_many_files(server: MongoServer) -> None:
    assert server._process
    limits = Path(f"/proc/{server._process.pid}/limits").read_text()
    soft, hard = next(line for line in limits.splitlines() if "open files" in line).split()[3:5]
    assert soft == hard


def test_a_template_brings_data_and_the_server_stays(
    server: MongoServer, run: Run, mongod: MongodBinary
) -> None:
    key = f"a test's:{server.folder}"
    assert find_template(key) is None
    url = server.url("shop")
    with pymongo.MongoClient(url) as client:
        client.shop.t.insert_many({"x": number} for number in range(1000))
    template = save_template(server, key)
    assert find_template(key) == template
    assert server.url("shop") == url
    with pymongo.MongoClient(url) as client:
        client.drop_database("shop")
    copy = start_mongo(run, mongod, template=template)
    with pymongo.MongoClient(copy.url("shop")) as client:
        assert client.shop.t.count_documents({}) == 1000
    copy.stop()
    assert not copy.folder.exists()
    copy.stop()
    copy.halt()


def test_a_port_that_is_taken_meanwhile_is_chosen_again(
    server: MongoServer, run: Run, mongod: MongodBinary, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose = embedded.free_port
    ports = iter([server.port, server.port, choose()])
    monkeypatch.setattr(embedded, "free_port", lambda: next(ports))
    other = start_mongo(run, mongod)
    with pymongo.MongoClient(other.url()) as client:
        assert client.admin.command("hello")["isWritablePrimary"]


def test_ports_that_are_always_taken_are_one_line(
    server: MongoServer, run: Run, mongod: MongodBinary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "free_port", lambda: server.port)
    monkeypatch.setattr(embedded, "_ATTEMPTS", 2)
    with pytest.raises(ServerError, match="its port is taken"):
        start_mongo(run, mongod)


def fake(run: Run, text: str) -> MongodBinary:
    path = run.folder / "mongod"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return MongodBinary(path, "6.0.99")


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            '{"s":"F","msg":"Died","attr":{"error":"of old age"}}',
            "MongoDB 6.0.99 did not start: Died: of old age",
        ),
        (
            "mongod: error while loading shared libraries: libcurl.so.4: cannot open",
            "lacks the library libcurl",
        ),
        ('{"s":"E","msg":"WT","attr":{"error":"No space left on device"}}', "the disk is full"),
    ],
)
def test_a_server_that_does_not_start_is_one_line(run: Run, said: str, message: str) -> None:
    with pytest.raises(ServerError, match=message):
        start_mongo(run, fake(run, f"echo '{said}'; exit 14"))


def test_a_server_that_is_none_is_one_line(
    run: Run, mongod: MongodBinary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says that it listens, and nobody answers."""
    binary = fake(run, "echo 'Waiting for connections'; exec sleep 60")
    monkeypatch.setattr(embedded, "_SELECTION_MS", 200)
    with pytest.raises(ServerError, match="cannot be prepared"):
        start_mongo(run, binary)


def test_both_servers_start_at_once_in_threads(
    run: Run, binaries: PostgresBinaries, mongod: MongodBinary
) -> None:
    answers: list[str] = []

    def postgres() -> None:
        server = start_postgres(run, binaries)
        with psycopg.connect(server.owner_url("postgres")):
            answers.append(server.version)

    def mongo() -> None:
        server = start_mongo(run, mongod)
        with pymongo.MongoClient(server.url()) as client:
            answers.append(client.server_info()["version"])

    threads = [threading.Thread(target=work) for work in (postgres, mongo, postgres, mongo)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == sorted([binaries.version, mongod.version] * 2)
