"""The guard ends what dbtrust started below a folder, nothing else, and leaves no shared memory."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dbtrust.engine import watchdog


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder like a run's, with one server's folder in it."""
    run = tmp_path / "0123abcd"
    (run / "p1" / "data").mkdir(parents=True)
    yield run
    watchdog.end(str(run))


def program(folder: Path, name: str, *words: str, cwd: Path) -> subprocess.Popen[bytes]:
    """A program that sleeps under another name."""
    path = folder / name
    shutil.copy("/bin/sleep", path)
    return subprocess.Popen([path, "60", *words], cwd=cwd)


def test_a_program_is_found_by_arguments_and_by_its_working_folder(folder: Path, tmp_path: Path) -> None:
    inside = program(tmp_path, "mongod", cwd=folder / "p1")
    outside = program(tmp_path, "postgres", cwd=tmp_path)
    assert watchdog.processes(str(folder)) == {inside.pid: "mongod"}
    assert watchdog.processes(str(tmp_path)) == {inside.pid: "mongod", outside.pid: "postgres"}
    assert watchdog.processes(str(folder)[:-1]) == {}, "a folder is no prefix of a name"
    assert watchdog.end(str(folder))
    assert inside.wait(5) == -signal.SIGKILL
    assert outside.poll() is None
    outside.kill()
    outside.wait()


def test_another_program_that_stands_in_the_folder_lives(folder: Path, tmp_path: Path) -> None:
    shell = program(tmp_path, "my-shell", cwd=folder)
    assert watchdog.end(str(folder))
    assert shell.poll() is None
    shell.kill()
    shell.wait()


def test_a_process_is_known_by_its_title() -> None:
    title = watchdog.title("/home/runs/0123abcd/p1")
    assert title.startswith("dbtrust-")
    assert title.endswith("-p1")
    assert title != watchdog.title("/other/runs/0123abcd/p1")


def test_a_server_that_ignores_its_signal_is_killed(folder: Path) -> None:
    script = folder / "postgres"
    script.write_text("#!/bin/sh\ntrap '' QUIT\necho\nwhile :; do sleep 0.05; done\n")
    script.chmod(0o755)
    stubborn = subprocess.Popen([script], cwd=folder, stdout=subprocess.PIPE)
    assert stubborn.stdout
    with stubborn.stdout as ready:
        ready.readline()
        threading.Thread(target=stubborn.wait).start()
        assert watchdog.end(str(folder))
    assert stubborn.wait(5) == -signal.SIGKILL


def test_without_pidfd_the_number_must_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "pidfd_open")
    inside = program(folder, "cp", cwd=folder)
    assert watchdog.clean(str(folder))
    assert inside.wait(5) == -signal.SIGKILL
    assert not folder.exists()


def test_a_process_that_ended_meanwhile_is_no_error(folder: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    watchdog._signal(ended.pid, str(folder), signal.SIGKILL)
    watchdog._signal(os.getpid(), str(folder), signal.SIGKILL)  # does not live there


def test_what_cannot_be_ended_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "_PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(watchdog, "processes", lambda folder: {4_194_305: "mongod"})
    assert not watchdog.end(str(folder))
    assert not watchdog.clean(str(folder))
    assert folder.exists()


def segment() -> tuple[int, int]:
    """A new System V segment: key and id."""
    libc = ctypes.CDLL(None, use_errno=True)
    key = int.from_bytes(os.urandom(3), "big") + 1
    made = libc.shmget(key, 56, 0o1600)  # IPC_CREAT
    assert made >= 0
    return key, made


def exists(key: int) -> bool:
    return any(line.split()[0] == str(key) for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:])


@pytest.mark.parametrize("sign", ["", "-"], ids=["server", "single-user server"])
def test_shared_memory_that_a_pid_file_names_is_freed(folder: Path, sign: str) -> None:
    mine, other = segment(), segment()
    try:
        lines = [f"{sign}4194305", str(folder), "0", "5432", "", "", f"{mine[0]} {mine[1]}", "ready"]
        (folder / "p1" / "data" / "postmaster.pid").write_text("\n".join(lines))
        watchdog.end(str(folder))
        assert not exists(mine[0])
        assert exists(other[0])
    finally:
        for _, made in (mine, other):
            ctypes.CDLL(None).shmctl(made, 0, None)


def test_shared_memory_that_is_not_yet_named_is_freed_by_its_creator(folder: Path) -> None:
    mine = segment()
    (folder / "p1" / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{folder}\n")
    watchdog.end(str(folder))
    assert not exists(mine[0])


def test_no_pid_file_makes_it_wait_or_fail(folder: Path) -> None:
    for name, content in (("p2", "no number\n"), ("p3", ""), ("p4", "1\n2\n3\n4\n5\n6\nx y\n")):
        (folder / name / "data").mkdir(parents=True)
        (folder / name / "data" / "postmaster.pid").write_text(content)
    os.mkfifo(folder / "p1" / "data" / "postmaster.pid")
    (folder / "p5" / "data" / "postmaster.pid").mkdir(parents=True)
    started = time.monotonic()
    assert watchdog.clean(str(folder))
    assert time.monotonic() - started < 5
    assert not folder.exists()


def test_the_guard_waits_for_the_end_of_the_pipe(folder: Path) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
    before = {number: signal.getsignal(number) for number in numbers}
    inside = program(folder, "mongod", cwd=folder)
    read, write = os.pipe()
    try:
        os.close(write)
        watchdog.guard(read, str(folder))
        watchdog.guard(read, str(folder))  # the folder is gone: nothing to do
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        os.close(read)
        for number, handler in before.items():
            signal.signal(number, handler)
    assert inside.wait(5) == -signal.SIGKILL
    assert not folder.exists()


def test_the_program_ignores_ctrl_c_and_starts_fast(folder: Path) -> None:
    argv = [sys.executable, "-I", "-S", watchdog.__file__, str(folder)]
    guard = subprocess.Popen(argv, stdin=subprocess.PIPE)
    time.sleep(0.3)
    guard.send_signal(signal.SIGINT)
    guard.send_signal(signal.SIGTERM)
    time.sleep(0.1)
    assert guard.poll() is None
    assert folder.exists()
    assert guard.stdin
    guard.stdin.close()
    assert guard.wait(10) == 0
    assert not folder.exists()


@pytest.mark.parametrize("done", [False, True])
def test_the_group_of_a_command_ends_with_dbtrust(done: bool) -> None:
    """The other end of the pipe is closed, as the kernel does it for a killed process."""
    command = subprocess.Popen(["/bin/sh", "-c", "sleep 60 & sleep 60"], start_new_session=True)
    guard = subprocess.Popen(
        [sys.executable, "-I", "-S", watchdog.__file__, "--group"], stdin=subprocess.PIPE
    )
    guard.communicate(b"%d %s" % (command.pid, b"done" if done else b""), timeout=20)
    assert (command.poll() is None) is done or command.wait(20) == -signal.SIGKILL
    if done:
        os.killpg(command.pid, signal.SIGKILL)
    assert command.wait(20) == -signal.SIGKILL
