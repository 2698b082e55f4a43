"""An embedded PostgreSQL: its settings, its roles, its templates, and how its failures read."""

from __future__ import annotations

import ctypes
import stat
from pathlib import Path

import psycopg
import pytest

from dbtrust.engine.home import server_user
from dbtrust.engine.postgres import server as embedded
from dbtrust.engine.postgres.server import (
    PostgresBinaries,
    PostgresServer,
    find_template,
    save_template,
    start_postgres,
)
from dbtrust.engine.runs import Run
from dbtrust.model.errors import ConfigError, ServerError


@pytest.fixture
def server(run: Run, binaries: PostgresBinaries) -> PostgresServer:
    return start_postgres(run, binaries, settings={"random_page_cost": 1.1, "my.own": "it's \\"})


def show(url: str, *names: str) -> list[str]:
    with psycopg.connect(url) as connection:
        rows = [connection.execute("SELECT current_setting(%s)", (name,)).fetchone() for name in names]
    return [row[0] for row in rows if row]


def test_the_server_is_set_up_as_a_judge_needs_it(server: PostgresServer) -> None:
    names = ["TimeZone", "synchronous_commit", "fsync", "full_page_writes", "autovacuum", "listen_addresses"]
    found = show(server.admin_url(), *names)
    assert found == ["UTC", "on", "off", "off", "off", ""]
    own = show(server.admin_url(), "random_page_cost", "my.own", "dynamic_shared_memory_type")
    assert own == ["1.1", "it's \\", "mmap"]
    [loaded] = show(server.admin_url(), "shared_preload_libraries")
    assert loaded == "pg_stat_statements, auto_explain"
    [version] = show(server.admin_url(), "server_version")
    assert version == server.version


def test_text_is_utf8_and_sorts_by_code_point(server: PostgresServer) -> None:
    with psycopg.connect(server.admin_url()) as connection:
        row = connection.execute(
            "SELECT pg_encoding_to_char(encoding), datcollate, datlocprovider FROM pg_database"
            " WHERE datname = 'postgres'"
        ).fetchone()
        assert row == ("UTF8", "C.UTF-8", "c")
        assert connection.execute("SELECT lower('ÄÖ'), 'Z' < 'a'").fetchone() == ("äö", True)


def test_the_owner_is_no_superuser(server: PostgresServer) -> None:
    with psycopg.connect(server.admin_url(), autocommit=True) as admin:
        admin.execute('CREATE DATABASE "it\'s a/db" OWNER dbtrust_owner')
        assert admin.info.user == "postgres"
    with psycopg.connect(server.owner_url("it's a/db"), autocommit=True) as owner:
        assert (owner.info.user, owner.info.dbname) == ("dbtrust_owner", "it's a/db")
        owner.execute("CREATE TABLE t AS SELECT 1 AS x")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            owner.execute("COPY t TO PROGRAM 'cat'")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            owner.execute("CREATE DATABASE other")


def test_only_a_socket_in_a_closed_folder_leads_in(server: PostgresServer) -> None:
    socket = server.folder / ".s.PGSQL.5432"
    assert stat.S_ISSOCK(socket.stat().st_mode)
    assert stat.S_IMODE(server.folder.stat().st_mode) == 0o700
    user = server_user()
    assert user is None or socket.stat().st_uid == user.uid


def test_preloaded_libraries_work(server: PostgresServer) -> None:
    with psycopg.connect(server.admin_url(), autocommit=True) as admin:
        admin.execute("CREATE EXTENSION pg_stat_statements")
        assert admin.execute("SELECT count(*) FROM pg_stat_statements").fetchone()
        assert admin.execute("SHOW auto_explain.log_min_duration").fetchone() == ("-1",)


def test_a_template_brings_data_and_the_server_stays(
    server: PostgresServer, run: Run, binaries: PostgresBinaries
) -> None:
    key = f"a test's:{server.folder}"
    assert find_template(key) is None
    with psycopg.connect(server.admin_url(), autocommit=True) as admin:
        admin.execute("CREATE TABLE t AS SELECT generate_series(1, 1000) AS x")
    template = save_template(server, key)
    assert find_template(key) == template
    assert show(server.admin_url(), "random_page_cost") == ["1.1"], "same URL, same settings"
    with psycopg.connect(server.admin_url(), autocommit=True) as admin:
        admin.execute("DROP TABLE t")
    for _ in range(2):
        copy = start_postgres(run, binaries, template=template)
        with psycopg.connect(copy.admin_url(), autocommit=True) as admin:
            assert admin.execute("SELECT count(*) FROM t").fetchone() == (1000,)
            admin.execute("TRUNCATE t")
        copy.stop()


def test_stopping_twice_leaves_nothing(server: PostgresServer) -> None:
    server.stop()
    assert not server.folder.exists()
    server.stop()
    server.halt()


def test_an_unknown_setting_names_the_nearest(run: Run, binaries: PostgresBinaries) -> None:
    with pytest.raises(ConfigError, match="random_page_costs") as caught:
        start_postgres(run, binaries, settings={"random_page_costs": 1})
    assert caught.value.next == "did you mean random_page_cost?"
    with pytest.raises(ConfigError, match="zzqqxx") as caught:
        start_postgres(run, binaries, settings={"zzqqxx": 1})
    assert "SHOW ALL" in caught.value.next


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"work_mem": "much"}, 'invalid value for parameter "work_mem"'),
        ({"random_page_cost": -1}, "outside the valid range"),
        ({"timezone": "Nowhere/Land"}, 'invalid value for parameter "timezone"'),
        ({"block_size": 4096}, "block_size"),
    ],
)
def test_a_bad_value_is_named(
    run: Run, binaries: PostgresBinaries, settings: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        start_postgres(run, binaries, settings=settings)
    assert message.lower() in caught.value.message.lower()
    assert str(run.folder) not in caught.value.message


def test_a_setting_that_the_system_cannot_give_is_the_servers_last_word(
    run: Run, binaries: PostgresBinaries
) -> None:
    with pytest.raises(ServerError, match=r"too little memory|did not start"):
        start_postgres(run, binaries, settings={"shared_buffers": "8000GB"})
    with pytest.raises(ServerError, match='could not access file "no_such_library"'):
        start_postgres(run, binaries, settings={"shared_preload_libraries": "no_such_library"})


def fake(folder: Path, initdb: str, postgres: str = "exit 0") -> PostgresBinaries:
    for name, text in (("initdb", initdb), ("postgres", postgres)):
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return PostgresBinaries(folder, "17.99", "17")


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            'initdb: error: invalid locale name "C.UTF-8"',
            r"initdb did not start: .* lacks the locale C.UTF-8",
        ),
        ("initdb: error: could not write: No space left on device", "the disk is full"),
        ("initdb: error: something new", "something new"),
    ],
)
def test_a_failing_initdb_is_one_line(run: Run, said: str, message: str) -> None:
    folder = run.folder / "fake"
    folder.mkdir()
    with pytest.raises(ServerError, match=message):
        start_postgres(run, fake(folder, f"echo '{said}' >&2; exit 1"))


def test_shared_memory_of_an_initdb_that_crashed_is_freed(servers_home: Path) -> None:
    made = ctypes.CDLL(None).shmget(0, 56, 0o1600)  # IPC_PRIVATE, IPC_CREAT
    lines = "\\n".join(["-4194305", "x", "0", "5432", "", "", f"0 {made}"])
    with Run() as run:
        folder = run.folder / "fake"
        folder.mkdir()
        binaries = fake(folder, f"mkdir -p $2; printf -- '{lines}' > $2/postmaster.pid; kill -9 $$")
        with pytest.raises(ServerError):
            start_postgres(run, binaries)
    rows = [line.split() for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]]
    assert str(made) not in [row[1] for row in rows]


def test_a_failing_first_statement_is_one_line(run: Run) -> None:
    folder = run.folder / "fake"
    folder.mkdir()
    binaries = fake(folder, "mkdir -p $2", "echo 'ERROR:  no such thing' >&2; exit 0")
    with pytest.raises(ServerError, match="no such thing"):
        start_postgres(run, binaries)


def test_settings_that_cannot_be_written_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="cannot be written"):
        embedded.write_configuration(tmp_path / "absent", "", "")


@pytest.mark.parametrize(("major", "checksums"), [("14", False), ("15", False), ("18", True)])
def test_initdb_gets_the_options_that_its_major_knows(major: str, checksums: bool) -> None:
    options = embedded._options(PostgresBinaries(Path("/"), f"{major}.1", major))
    assert ("--no-data-checksums" in options) is checksums
    assert ("--locale-provider=libc" in options) is (int(major) >= 15)
    assert any(option.startswith("--set") for option in options) is (int(major) >= 16)
