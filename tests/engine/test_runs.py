"""No server, folder, socket or shared memory outlives dbtrust, however it ends."""

from __future__ import annotations

import os
import pwd
import random
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

import dbtrust
from dbtrust.engine import runs, watchdog
from dbtrust.engine.home import ServerUser, reachable
from dbtrust.engine.runs import Run, sweep
from dbtrust.engine.waiting import await_true
from dbtrust.model.errors import ServerError

SOURCE = Path(dbtrust.__file__).parents[1]

START = """
import sys, time
from dbtrust.engine.runs import Run
from dbtrust.engine.postgres.server import find_postgres, start_postgres
with Run() as run:
    server = start_postgres(run, find_postgres("17"), progress=print)
    print("up", flush=True)
    {then}
"""
BOTH = """
    from dbtrust.engine.mongo.server import find_mongod, start_mongo
    start_mongo(run, find_mongod("8.0"))
    time.sleep(60)
"""


def child(code: str, python: str | None = None, **options: object) -> subprocess.Popen[str]:
    """A process of dbtrust's that runs `code`."""
    packages = Path(pytest.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": f"{SOURCE}:{packages}"}
    command = [python or sys.executable, "-c", code]
    return subprocess.Popen(  # type: ignore[call-overload]
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def guards(home: Path) -> list[int]:
    """The watchdogs of that home."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if any(word.endswith(b"watchdog.py") for word in words) and bytes(home / "runs") in b" ".join(words):
            found.append(int(entry.name))
    return found


def orphans() -> set[str]:
    """Shared memory that nobody has attached."""
    rows = [line.split() for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]]
    return {row[1] for row in rows if row[6] == "0"}


def eventually_no_orphans(before: set[str]) -> set[str]:
    """What is left of it: a server of somebody else has such memory for a moment when it starts."""
    deadline = time.monotonic() + 5
    while (rest := orphans() - before) and time.monotonic() < deadline:
        time.sleep(0.05)
    return rest


def left(home: Path) -> list[str]:
    """Everything of a run that is still there."""
    found = [f"{name} {pid}" for pid, name in watchdog.processes(str(home)).items()]
    found += [f"watchdog {pid}" for pid in guards(home)]
    return found + [str(path) for path in (home / "runs").glob("[!.]*")]


def eventually_nothing(home: Path) -> list[str]:
    deadline = time.monotonic() + 15
    while (rest := left(home)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return rest


def test_a_run_leaves_nothing(fresh_home: Path) -> None:
    with Run() as run:
        assert run.folder.parent == fresh_home / "runs"
        server = run.add("p")
        assert stat.S_IMODE(server.stat().st_mode) == 0o700
        assert run.folder.stat().st_mode & 0o007 == 0
        assert run.add("p") != server
        assert await_true(lambda: len(guards(fresh_home)) == 1, 15)
        assert sweep() == [], "its owner lives"
    assert eventually_nothing(fresh_home) == []


def test_an_error_in_the_block_leaves_nothing(fresh_home: Path) -> None:
    with pytest.raises(KeyboardInterrupt), Run() as run:
        run.add("p")
        raise KeyboardInterrupt
    assert left(fresh_home) == []


def test_a_stale_run_is_swept_and_a_half_made_one_too(fresh_home: Path) -> None:
    folder = fresh_home / "runs" / "0badcafe"
    (folder / "p1" / "data").mkdir(parents=True)
    (folder / "lock").touch()
    (fresh_home / "runs" / "0badbabe").mkdir()
    (fresh_home / "runs" / "a-file").touch()
    shutil.copy("/bin/sleep", fresh_home / "mongod")
    server = subprocess.Popen([fresh_home / "mongod", "60"], cwd=folder / "p1")
    assert sweep() == ["0badbabe", "0badcafe"]
    assert server.wait(5) == -signal.SIGKILL
    assert [path.name for path in (fresh_home / "runs").glob("0*")] == []


def test_what_cannot_be_swept_is_not_named(fresh_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (fresh_home / "runs" / "0badbabe").mkdir(parents=True)
    with monkeypatch.context() as patched:
        patched.setattr(watchdog, "clean", lambda folder: False)
        assert sweep() == []
    assert sweep() == ["0badbabe"]


def test_a_folder_that_cannot_be_made_is_one_line(fresh_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(size: int) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(runs.secrets, "token_hex", full)
    with pytest.raises(ServerError, match="No space left on device") as caught, Run():
        pass
    assert "DBTRUST_HOME" in caught.value.next


def test_a_run_whose_watchdog_does_not_start_leaves_nothing(
    fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(fresh_home / "no-python"))
    with pytest.raises(ServerError), Run():
        pass
    assert left(fresh_home) == []

    def interrupted(self: Run) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Run, "_watch", interrupted)
    with pytest.raises(KeyboardInterrupt), Run():
        pass
    assert left(fresh_home) == []


def test_a_server_folder_on_a_full_disk_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, mode: int = 0) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "mkdir", full)
        with pytest.raises(ServerError, match="No space left on device"):
            run.add("p")


@pytest.mark.parametrize("watched", [True, False], ids=["watchdog", "sweep"])
def test_a_kill_at_any_moment_leaves_nothing(servers_home: Path, watched: bool) -> None:
    """From before the folder is there to both servers running; then with the watchdog killed as well."""
    with child(START.format(then="pass")) as warm:  # the template is made
        assert warm.wait(60) == 0
    before, draw = orphans(), random.Random(17 + watched)
    for step in range(6):
        process = child(START.format(then=BOTH))
        time.sleep(0.25 + 0.3 * step + 0.3 * draw.random())
        process.kill()
        if not watched:
            for pid in guards(servers_home):
                os.kill(pid, signal.SIGKILL)
        process.communicate(timeout=20)  # nothing holds its streams open
        if not watched:
            sweep()
        assert eventually_nothing(servers_home) == [], step
        assert eventually_no_orphans(before) == set(), step
    assert sweep() == []


def test_a_kill_while_templates_are_made_leaves_nothing(fresh_home: Path) -> None:
    before = orphans()
    for step in range(4):
        process = child(START.format(then="time.sleep(60)"))
        time.sleep(0.35 + 0.15 * step)
        process.kill()
        for pid in guards(fresh_home):
            os.kill(pid, signal.SIGKILL)
        process.communicate(timeout=20)
        sweep()
        assert eventually_nothing(fresh_home) == [], step
        assert eventually_no_orphans(before) == set(), step
    shown = [path for path in (fresh_home / "templates").glob("*") if path.is_dir()]
    assert all((path / "data" / "PG_VERSION").exists() for path in shown)
    with child(START.format(then="pass")) as process:
        assert process.wait(60) == 0


def test_ctrl_c_in_the_terminal_reaches_no_server_before_dbtrust(servers_home: Path) -> None:
    waiting = START.format(
        then="""
    import psycopg
    try:
        print("waiting", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print(psycopg.connect(server.admin_url()).execute("SELECT 'alive'").fetchone(), flush=True)
    """
    )
    process = child(waiting, start_new_session=True)
    assert process.stdout
    while process.stdout.readline() != "waiting\n":
        pass
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=20)
    assert "alive" in output, errors
    assert eventually_nothing(servers_home) == []


def test_a_fork_that_lives_on_does_not_keep_the_servers(servers_home: Path) -> None:
    forking = START.format(
        then="""
    import os
    pid = os.fork()
    if pid == 0:
        os.close(1); os.close(2)
        time.sleep(30)
        os._exit(0)
    print(pid, flush=True)
    time.sleep(60)
    """
    )
    process = child(forking)
    assert process.stdout
    while process.stdout.readline() != "up\n":
        pass
    orphan = int(process.stdout.readline())
    try:
        process.kill()
        process.communicate(timeout=20)
        assert eventually_nothing(servers_home) == []
    finally:
        os.kill(orphan, signal.SIGKILL)


def test_twenty_runs_at_once_all_end_right(servers_home: Path) -> None:
    query = """
    import psycopg
    with psycopg.connect(server.owner_url("postgres")) as connection:
        print(connection.execute("SELECT 40 + 2").fetchone()[0])
    """
    processes = [child(START.format(then=query)) for _ in range(20)]
    for process in processes:
        output, errors = process.communicate(timeout=180)
        assert process.returncode == 0, errors
        assert output.endswith("up\n42\n")
    assert eventually_nothing(servers_home) == []


def test_of_two_processes_one_makes_the_template_and_the_other_waits(fresh_home: Path) -> None:
    processes = [child(START.format(then="pass")) for _ in range(2)]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sum("initdb" in output for output in outputs) == 1
    assert sum("waiting for another process" in output for output in outputs) == 1


def _python_of(user: ServerUser) -> str | None:
    """A Python of this version that `user` may run: this one, or the system's with this one's packages."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = [Path(pytest.__file__).parents[1], SOURCE]
    for program in (sys.executable, f"/usr/bin/{name}", f"/usr/local/bin/{name}"):
        base = Path(program).resolve()
        library = base.parents[1] / "lib" / name
        if base.exists() and all(
            path.exists() and reachable(path, user) for path in [base, library, *packages]
        ):
            return program
    return None


DAEMON = ServerUser(pwd.getpwnam("daemon").pw_uid, pwd.getpwnam("daemon").pw_gid, "daemon")
#: This user, and for root a plain one too, where there is a Python that such a one may run.
USERS = ["self", *(["daemon"] if os.geteuid() == 0 and _python_of(DAEMON) else [])]


@pytest.mark.parametrize("user", USERS)
def test_every_user_can_run_servers(user: str, fresh_home: Path) -> None:
    show = START.format(
        then="""
    import os, psycopg
    from dbtrust.engine.mongo.server import find_mongod, start_mongo
    mongo = start_mongo(run, find_mongod("8.0"))
    print("owner", os.stat(server.folder).st_uid, os.stat(mongo.folder / "data").st_uid, os.geteuid())
    """
    )
    options: dict[str, object] = {}
    if user == "daemon":
        os.chown(fresh_home, DAEMON.uid, DAEMON.gid)
        options = {"user": DAEMON.uid, "group": DAEMON.gid, "extra_groups": [], "cwd": "/"}
    process = child(show, python=_python_of(DAEMON) if user == "daemon" else None, **options)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    server, mongo, me = map(int, output.rsplit("owner", 1)[1].split())
    assert server == mongo
    assert server != 0
    assert (server == me) is (me != 0)
    assert left(fresh_home) == []
