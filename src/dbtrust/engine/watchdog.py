"""Ends every server below a folder and removes the folder: at once, or when dbtrust is gone.

This file is also a program, `python -I -S watchdog.py FOLDER` (or `--group`, for a command that dbtrust runs), whose
standard input is a pipe that dbtrust holds open: it must start in milliseconds, so it imports little. The kernel closes the pipe however dbtrust
ends. (PR_SET_PDEATHSIG would fire when a mere thread of dbtrust ends.)
"""

from __future__ import annotations

import binascii
import os
import signal
import sys
import time

#: What dbtrust starts below a folder, by /proc/PID/comm. A shell that stands in it is not ours to end.
_NAMES = frozenset({"postgres", "initdb", "mongod", "cp"})
#: PostgreSQL gets this long to end by itself, which also frees its shared memory; then it is killed.
_GRACE_SECONDS = 1.0
_PATIENCE_SECONDS = 20.0


def title(folder: str) -> str:
    """PostgreSQL's cluster_name for a server in `folder`: it shows in the title of each of its processes."""
    parent, _, name = folder.rstrip("/").rpartition("/")
    return f"{_prefix(parent)}{name}"


def _prefix(folder: str) -> str:
    return f"dbtrust-{binascii.crc32(os.fsencode(folder)):08x}-"


def processes(folder: str) -> dict[int, str]:
    """The live processes that dbtrust started below `folder`: process id to name."""
    found: dict[int, str] = {}
    for pid in _names("/proc"):
        if pid.isdigit():
            name = _read(f"/proc/{pid}/comm").decode(errors="replace").strip()
            if name in _NAMES and _lives_in(pid, folder):
                found[int(pid)] = name
    return found


def _lives_in(pid: str, folder: str) -> bool:
    """By its arguments, its title, or its working folder (root without CAP_SYS_PTRACE may not ask for it)."""
    words = [os.fsdecode(word) for word in _read(f"/proc/{pid}/cmdline").split(b"\0")]
    if any(word == folder or word.startswith(folder + "/") for word in words):
        return True
    if words[0].startswith((f"postgres: {title(folder)}: ", f"postgres: {_prefix(folder)}")):
        return True
    try:
        return f"{os.path.realpath(f'/proc/{pid}/cwd')}/".startswith(f"{folder}/")
    except OSError:  # it has just ended
        return False


def _read(path: str) -> bytes:
    try:
        # A program may put anything at a path below the folder: never wait for it and never follow it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    content = b""
    try:
        while piece := os.read(descriptor, 1 << 16):
            content += piece
    except OSError:
        pass
    finally:
        os.close(descriptor)
    return content


def wake(folder: str, pids: dict[int, str]) -> None:
    """Lets those processes of `folder` go on that somebody has stopped: they answer to no other signal."""
    for pid in pids:
        if _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()[:1] == [b"T"]:
            _signal(pid, folder, signal.SIGCONT)


def end(folder: str) -> bool:
    """Ends every process of `folder`, saving nothing, and frees its shared memory; True if none is left."""
    claims = _shared_memory(folder)
    creators = {claim[0] for claim in claims}
    started = time.monotonic()
    quiet = 0
    # Twice without any: between two looks a child that was about to become a server has become one.
    while quiet < 2:
        found = processes(folder)
        quiet = 0 if found else quiet + 1
        elapsed = time.monotonic() - started
        if elapsed > _PATIENCE_SECONDS:
            return False
        for pid, name in found.items():
            gentle = name == "postgres" and elapsed < _GRACE_SECONDS
            _signal(pid, folder, signal.SIGQUIT if gentle else signal.SIGKILL)
            creators.add(pid)
        time.sleep(0.01 if found else 0.002)
    _free_shared_memory(creators, {claim[1:] for claim in claims})
    return True


def _signal(pid: int, folder: str, number: int) -> None:
    """Sends a signal to a process of `folder`, and to no other that got its number in the meantime."""
    try:
        # Some builds of Python and some kernels have no pidfd; then the number must do.
        descriptor = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1
    except OSError:
        descriptor = -1
    try:
        if not _lives_in(str(pid), folder):
            return
        if descriptor >= 0:
            signal.pidfd_send_signal(descriptor, number)
        else:
            os.kill(pid, number)
    except OSError:
        pass
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _shared_memory(folder: str) -> set[tuple[int, int, int]]:
    """(process, key, id) of the System V segments that the pid files below `folder` name in line 7."""
    claims: set[tuple[int, int, int]] = set()
    for data in _data_folders(folder):
        lines = _read(f"{data}/postmaster.pid").decode(errors="replace").split("\n")
        try:
            pid = abs(int(lines[0]))  # a single-user server writes its id with a minus sign
            key, segment = [int(word) for word in lines[6].split()] if len(lines) > 6 else (0, -1)
        except (ValueError, IndexError):
            continue
        claims.add((pid, key, segment))
    return claims


def _data_folders(folder: str) -> list[str]:
    return [f"{folder}/data", *(f"{folder}/{child}/data" for child in _names(folder))]


def _names(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries]
    except OSError:
        return []


def _free_shared_memory(creators: set[int], claims: set[tuple[int, int]]) -> None:
    """Removes segments that nobody has attached and that those processes made or those pid files named."""
    for line in _read("/proc/sysvipc/shm").decode(errors="replace").split("\n")[1:]:
        fields = line.split()
        if len(fields) < 8 or fields[6] != "0":
            continue
        key, segment, creator = int(fields[0]), int(fields[1]), int(fields[4])
        if creator in creators or (key, segment) in claims:
            import ctypes  # slow to import and hardly ever needed: a server that ends by itself frees its own

            ctypes.CDLL(None).shmctl(segment, 0, None)  # 0 is IPC_RMID


def clean(folder: str) -> bool:
    """Ends every server below `folder` and removes it; True if nothing is left."""
    import shutil

    for _ in range(50):
        if not end(folder):
            return False
        # A child of a child may still have written a file: look again until the folder is gone.
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.lexists(folder):
            return True
        time.sleep(0.02)
    return False


def guard(descriptor: int, folder: str) -> None:
    """Waits until the other end of the pipe is closed, then cleans up. Ctrl-C is for dbtrust alone."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    while os.read(descriptor, 1):
        pass
    if os.path.lexists(folder):
        clean(folder)


def guard_group(descriptor: int) -> None:
    """Reads the number of a process group, and kills it when the pipe is closed without the word "done"."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    told = b""
    while piece := os.read(descriptor, 64):
        told += piece
    words = told.split()
    if words and words[-1] != b"done" and _group_lives(int(words[0])):
        os.killpg(int(words[0]), signal.SIGKILL)


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    if sys.argv[1] == "--group":
        guard_group(0)
    else:
        guard(0, sys.argv[1])
