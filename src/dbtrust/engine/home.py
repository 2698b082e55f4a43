"""Where dbtrust keeps its state, and the unprivileged user that servers run as when dbtrust is root."""

from __future__ import annotations

import hashlib
import os
import pwd
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from dbtrust.model.errors import ServerError

#: A unix socket's address holds 108 bytes with its final NUL (unix(7)).
SOCKET_PATH_LIMIT = 107
#: The longest path that is put below the ground: a run, a server, PostgreSQL's socket.
_LONGEST_SOCKET = "/runs/01234567/p99/.s.PGSQL.5432"


@dataclass(frozen=True, slots=True)
class ServerUser:
    """The user that servers run as when this process is root, which both PostgreSQL and prudence refuse."""

    uid: int
    gid: int
    name: str


def server_user() -> ServerUser | None:
    """The user for servers; None when they run as this process's own user, which is so unless it is root.

    `nobody`, or else the last user of the system: initdb wants a uid that has a name.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        others = [user for user in pwd.getpwall() if user.pw_uid != 0]
        if not others:
            raise ServerError(
                "servers do not run as root and this system has no other user",
                next="add a user, or run dbtrust as one",
            ) from None
        entry = others[-1]
    return ServerUser(entry.pw_uid, entry.pw_gid, entry.pw_name)


def reachable(path: Path, user: ServerUser | None) -> bool:
    """True if `user` may enter `path`, or read and execute it if it is a file, by its mode bits."""
    if user is None:
        return True
    path = path.resolve()
    return all(_may_enter(step.stat(), user) for step in [path, *path.parents])


def _may_enter(status: os.stat_result, user: ServerUser) -> bool:
    needed = 0o1 if stat.S_ISDIR(status.st_mode) else 0o5
    if status.st_uid == user.uid:
        needed <<= 6
    elif status.st_gid == user.gid:
        needed <<= 3
    return status.st_mode & needed == needed


def home() -> Path:
    """The folder of dbtrust's cache and state: DBTRUST_HOME, else the user's cache folder (root: system's).

    Raises ServerError if it cannot be made or written, or belongs to another user.
    """
    folder = _chosen_home()
    make_folder(folder)
    owner = folder.stat().st_uid
    if owner != os.geteuid():
        raise ServerError(
            f"the cache folder {folder} belongs to user {_name(owner)}, and this is {_name(os.geteuid())}",
            next="run dbtrust as one user, or set DBTRUST_HOME to a folder of this user's own",
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _unwritable(folder, "it is read-only")
    return folder


def _chosen_home() -> Path:
    chosen = os.environ.get("DBTRUST_HOME")
    if chosen:
        return Path(chosen).resolve()  # resolved, as /proc shows it
    # Nobody else may enter root's own folder, and the servers run as somebody else.
    if os.geteuid() == 0 and not os.environ.get("XDG_CACHE_HOME"):
        return Path(platformdirs.site_cache_dir("dbtrust")).resolve()
    return Path(platformdirs.user_cache_dir("dbtrust")).resolve()


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _unwritable(folder: Path, why: str) -> ServerError:
    return ServerError(
        f"the cache folder {folder} cannot be written: {why}",
        next="set DBTRUST_HOME to a folder that can be written",
    )


def make_folder(folder: Path) -> Path:
    """Makes a folder of dbtrust's own; where servers have a user of their own, that user may pass through.

    Raises ServerError if it cannot be made.
    """
    mode = 0o700 if os.geteuid() != 0 else 0o711
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=mode)
    except OSError as error:
        raise _unwritable(folder, error.strerror or str(error)) from error
    return folder


def private_folder(folder: Path) -> Path:
    """Makes a folder of mode 0700 that is owned by the servers' user."""
    try:
        folder.mkdir(mode=0o700)
        if user := server_user():
            os.chown(folder, user.uid, user.gid)
    except OSError as error:
        raise ServerError(
            f"the folder {folder} cannot be made: {error.strerror or error}",
            next="free some space, or set DBTRUST_HOME to another folder",
        ) from error
    return folder


def ground() -> Path:
    """The folder below which runs, templates and copied binaries lie: home(), or a stand-in.

    A stand-in is needed where the servers' user may not enter home(), or where home() is so long that a unix
    socket below it has no address.
    """
    folder = home()
    if len(os.fsencode(folder)) + len(_LONGEST_SOCKET) > SOCKET_PATH_LIMIT:
        return _stand_in(folder)
    return lasting_ground()


def lasting_ground() -> Path:
    """The folder of what `servers start` keeps: home() wherever the servers' user may enter."""
    folder = home()
    return folder if reachable(folder, server_user()) else _stand_in(folder)


def stand_ins() -> list[Path]:
    """The stand-in folders of this user, of every home."""
    found = [folder for base in _bases() for folder in base.glob(f"dbtrust-{os.geteuid()}-*")]
    return [folder for folder in found if _is_own(folder)]


def home_of(stand_in: Path) -> Path | None:
    """The home that a stand-in belongs to, None if it does not say so."""
    try:
        return Path((stand_in / "home").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _bases() -> list[Path]:
    """Temporary folders that every user may enter, the one that survives a reboot first."""
    return list(dict.fromkeys(Path(base) for base in ("/var/tmp", tempfile.gettempdir(), "/tmp")))


def _stand_in(folder: Path) -> Path:
    """The folder that stands in for a home; the name follows from the home, so that the next run finds it."""
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:8]
    user = server_user()
    for base in _bases():
        if base.is_dir() and os.access(base, os.W_OK | os.X_OK) and reachable(base, user):
            place = base / f"dbtrust-{os.geteuid()}-{digest}"
            break
    else:
        raise _unwritable(folder, "servers cannot use it, and no temporary folder can be written")
    make_folder(place)
    if not _is_own(place):  # anybody may make a folder of that name in a public place
        raise ServerError(
            f"the folder {place} was made by somebody else",
            next="remove it, or set DBTRUST_HOME to a short path that every user may enter",
        )
    (place / "home").write_text(str(folder), encoding="utf-8")
    return place


def _is_own(folder: Path) -> bool:
    status = folder.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o022
