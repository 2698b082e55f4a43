"""Starting server programs, and saying in one line why one did not start."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dbtrust.engine.home import server_user
from dbtrust.model.errors import ServerError

#: Messages in English, times in UTC; and nothing of the caller's environment, where secrets may be.
_KEPT = ("PATH", "LD_LIBRARY_PATH", "SystemRoot")


class Reason(NamedTuple):
    """One line for the user, and what to do about it."""

    message: str
    next: str


def environment() -> dict[str, str]:
    """The environment of every server program."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def spawn(
    argv: Sequence[str | Path], *, folder: Path, log: Path, stdin: Path | None = None
) -> subprocess.Popen[bytes]:
    """Starts a program in `folder` as the servers' user, deaf to Ctrl-C; its output goes to `log`.

    Raises ServerError if the system cannot run the program.
    """
    user = server_user()
    with log.open("ab") as output, (stdin or Path(os.devnull)).open("rb") as source:
        try:
            return subprocess.Popen(
                [os.fspath(word) for word in argv],
                stdin=source,
                stdout=output,
                stderr=output,
                cwd=folder,
                env=environment(),
                start_new_session=True,
                umask=0o077,
                user=user.uid if user else None,
                group=user.gid if user else None,
                extra_groups=[] if user else None,
            )
        except OSError as error:
            raise cannot_run(Path(argv[0]), error) from error
        except subprocess.SubprocessError as error:  # setuid is refused where only one user is mapped
            who = user.name if user else "this user"
            raise ServerError(
                f"{Path(argv[0]).name} cannot be run as user {who}: {error}",
                next="run dbtrust as a plain user",
            ) from error


def cannot_run(program: Path, error: OSError) -> ServerError:
    """What it means that the kernel did not execute `program`."""
    if error.errno == errno.ENOEXEC:
        machine = os.uname().machine
        return ServerError(
            f"{program} is made for another architecture than {machine} (exec format error)",
            next=f"install the one for {machine}",
        )
    if error.errno in (errno.EPERM, errno.EINVAL):
        return ServerError(
            f"{program.name} cannot be run as an unprivileged user: {error.strerror}",
            next="run dbtrust as a plain user",
        )
    return ServerError(
        f"{program} cannot be run: {error.strerror or error}",
        next="check its mode and that its file system allows execution",
    )


_CAUSE = re.compile(r"(?:FATAL|PANIC|error|ERROR):\s+(.*)")

_KNOWN: tuple[tuple[str, str, str], ...] = (
    (r"No space left on device", "the disk is full", "free some space, or set DBTRUST_HOME to a larger disk"),
    (
        r"loading shared libraries: libcurl\S*",
        "the system lacks the library libcurl, which mongod needs",
        "install it (Debian and Ubuntu: apt-get install libcurl4)",
    ),
    (
        r"loading shared libraries: (?P<what>[^:\s]+)",
        "the system lacks the library {what}",
        "install the package that holds it",
    ),
    (
        r"invalid locale (?:name|settings)|locale \S+ not (?:found|recognized)|not recognized by setlocale",
        "the system lacks the locale C.UTF-8",
        "install it (localedef -i C -f UTF-8 C.UTF-8)",
    ),
    (
        r"invalid value for parameter \"(?:log_)?timezone\"",
        "the system lacks time zone data",
        "install the package tzdata",
    ),
    (
        r"[Aa]ddress already in use",
        "its port is taken",
        "stop the program that uses the port, or start it again",
    ),
    (r"Cannot allocate memory", "the system has too little memory", "free some memory"),
)


def reason(log: str) -> Reason:
    """Why a program ended, by its log: a known cause, else its last error line, else its last line."""
    for pattern, message, step in _KNOWN:
        if found := re.search(pattern, log, re.IGNORECASE):
            return Reason(message.format(**found.groupdict()), step)
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    causes = [cause for line in lines if (cause := _cause(line))]
    return Reason((causes or lines or ["it said nothing"])[-1][:400], "")


def _cause(line: str) -> str:
    """What an error line of a log says, empty for any other line. mongod logs JSON, severities F and E."""
    if not line.startswith("{"):
        found = _CAUSE.search(line)
        return found[1] if found else ""
    try:
        entry: dict[str, Any] = json.loads(line)
        error = entry.get("attr", {}).get("error", "")
    except (ValueError, AttributeError, RecursionError):
        return ""
    if entry.get("s") not in ("F", "E"):
        return ""
    return f"{entry.get('msg', '')}{': ' if error else ''}{error}"


def read_log(log: Path, start: int = 0) -> str:
    """The last 64 kB of a log after byte `start`, empty if there is none."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(start, log.stat().st_size - (1 << 16)))
            return stream.read().decode(errors="replace")
    except OSError:
        return ""


def log_size(log: Path) -> int:
    """The bytes that a log holds now: what a program says later comes after them."""
    return log.stat().st_size if log.exists() else 0


def failure(what: str, log: Path, start: int = 0) -> ServerError:
    """The error of a program that ended when it should not have, by its log after byte `start`."""
    why = reason(read_log(log, start))
    return ServerError(f"{what} did not start: {why.message}", next=why.next)
