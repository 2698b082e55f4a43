"""The servers of the tests live in memory where there is plenty: their files live for seconds."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

_PLACE = Path("/dev/shm")
_PREFIX = _PLACE / "dbtrust-tests-"
#: In bytes; a whole run of the tests takes about a fifth of it.
_PLENTY = 8 << 30


def make_home() -> Path | None:
    """A folder for DBTRUST_HOME, which is set; None where another one is wished or memory is short."""
    if os.environ.get("DBTRUST_HOME") or not _is_fit():
        return None
    _remove_left_overs()
    folder = Path(f"{_PREFIX}{os.getpid()}")
    folder.mkdir(mode=0o711)
    os.environ["DBTRUST_HOME"] = str(folder)
    return folder


def home() -> Path | None:
    """The folder of this run of the tests; None where they live on the disk."""
    folder = os.environ.get("DBTRUST_HOME", "")
    return Path(folder) if folder.startswith(str(_PREFIX)) else None


def remove_home(folder: Path) -> None:
    del os.environ["DBTRUST_HOME"]
    shutil.rmtree(folder, ignore_errors=True)


def _is_fit() -> bool:
    if not (_PLACE.is_dir() and os.access(_PLACE, os.W_OK)) or os.statvfs(_PLACE).f_flag & os.ST_NOEXEC:
        return False
    found = re.search(r"(?m)^MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    available = int(found[1]) << 10 if found else 0
    return min(available, shutil.disk_usage(_PLACE).free) >= _PLENTY


def _remove_left_overs() -> None:
    """Of runs that were killed."""
    for folder in _PLACE.glob(f"{_PREFIX.name}*"):
        if not Path("/proc", folder.name.rsplit("-", 1)[1]).exists() and folder.stat().st_uid == os.geteuid():
            shutil.rmtree(folder, ignore_errors=True)
