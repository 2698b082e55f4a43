"""Why a server program did not start, in one line with the next step."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbtrust.engine import processes
from dbtrust.engine.processes import cannot_run, environment, failure, log_size, read_log, reason, spawn
from dbtrust.engine.waiting import Adopted, ended_or, finish
from dbtrust.model.errors import ServerError

LOGS = [
    ("mongod: error while loading shared libraries: libcurl.so.4: cannot open", "libcurl", "libcurl4"),
    ("x: error while loading shared libraries: libfoo.so.1: cannot open", "library libfoo.so.1", "package"),
    ("cp: error writing 'a': No space left on device", "the disk is full", "DBTRUST_HOME"),
    ('initdb: error: invalid locale name "C.UTF-8"', "the locale C.UTF-8", "localedef"),
    ('FATAL:  invalid value for parameter "TimeZone": "UTC"', "time zone data", "tzdata"),
    ("could not bind IPv4 address: Address already in use\nFATAL:  no", "port is taken", "stop the program"),
    ("FATAL:  could not map anonymous shared memory: Cannot allocate memory", "too little memory", "memory"),
    ("LOG:  a\nFATAL:  first\nHINT:  b\nFATAL:  last\nLOG:  c", "last", ""),
    ("just\nwords\n\n", "words", ""),
    ('{"s":"I","msg":"fine"}\n{"s":"F","msg":"Died","attr":{"error":"of x"}}\n{"s":"I"}', "Died: of x", ""),
    ('{"s":"E","msg":"Died"}\n{"s":"F","attr":3}\n{not json', "Died", ""),
    ("", "it said nothing", ""),
]


@pytest.mark.parametrize(("log", "message", "step"), LOGS)
def test_the_reason_of_a_log(log: str, message: str, step: str) -> None:
    why = reason(log)
    assert message in why.message
    assert step in why.next


@given(st.text() | st.text().map(lambda text: "{" + text) | st.just('{"attr":' * 3000))
def test_no_log_makes_it_fail(log: str) -> None:
    assert "\n" not in reason(log).message


def test_a_program_of_another_architecture(fresh_home: Path) -> None:
    program = fresh_home / "postgres"
    program.write_bytes(b"\x7fELF of something else")
    program.chmod(0o755)
    with pytest.raises(ServerError, match=r"made for another architecture.*exec format error"):
        spawn([program], folder=Path("/"), log=fresh_home / "log")


def test_what_the_kernel_says_about_a_program() -> None:
    program = Path("/x/postgres")
    assert "unprivileged" in cannot_run(program, OSError(errno.EPERM, "no")).message
    assert "cannot be run" in cannot_run(program, OSError(errno.EACCES, "no")).message


def test_a_user_that_cannot_be_had_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*words: object, **options: object) -> None:
        raise subprocess.SubprocessError("setuid")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(ServerError, match="cannot be run as user"):
        spawn(["postgres"], folder=tmp_path, log=tmp_path / "log")


def test_servers_see_nothing_of_the_callers_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c fsync=off")
    monkeypatch.setenv("TOKEN", "secret")
    assert set(environment()) <= {"PATH", "LD_LIBRARY_PATH", "LC_ALL", "TZ"}


def test_logs_are_read_from_a_place(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert read_log(log) == ""
    assert log_size(log) == 0
    log.write_text("FATAL:  old\n")
    begin = log_size(log)
    with log.open("a") as stream:
        stream.write("FATAL:  new\n")
    assert read_log(log, begin) == "FATAL:  new\n"
    assert failure("PostgreSQL", log, begin).message == "PostgreSQL did not start: new"


def test_waiting_for_a_program() -> None:
    with subprocess.Popen(["sleep", "60"]) as program:
        adopted = Adopted(program.pid)
        assert ended_or(adopted, lambda: True, 1)
        with pytest.raises(ServerError, match="not ready after 0 s"):
            ended_or(adopted, lambda: False, 0.02)
        finish(program, "sleep")
        assert adopted.poll() == 0
        assert not ended_or(program, lambda: True, 1)


def test_a_program_that_does_not_stop_is_one_line() -> None:
    script = "trap '' TERM; echo; while :; do sleep 0.05; done"
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE) as program:
        assert program.stdout
        program.stdout.readline()
        with pytest.raises(ServerError, match="did not stop in 0 s"):
            finish(program, "PostgreSQL", seconds=0.1)
        program.kill()


def test_the_kept_variables_are_few() -> None:
    assert "HOME" not in processes.environment() or os.environ.get("HOME") is None
