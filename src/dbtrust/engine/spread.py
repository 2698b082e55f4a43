"""Keeps new files out of the way of those that were deleted a moment ago."""

from __future__ import annotations

import fcntl
import os
from array import array
from contextlib import suppress
from pathlib import Path

#: linux/fs.h: FS_IOC_GETFLAGS, FS_IOC_SETFLAGS and FS_TOPDIR_FL, `chattr +T`.
_GET_FLAGS, _SET_FLAGS, _TOP_FOLDER = 0x80086601, 0x40086602, 0x00020000


def spread(folder: Path) -> None:
    """Lets ext4 put each sub-folder into a block group of its own; other file systems say no, which is fine.

    Without a journal ext4 passes over every inode of a group that was freed in the last minutes (ialloc.c,
    recently_deleted): where runs come and go, copying a template took 1.3 s instead of 0.09 s, and where databases
    do, one sixth of all processor time went there.
    """
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            flags = array("L", [0])
            fcntl.ioctl(descriptor, _GET_FLAGS, flags)
            if not flags[0] & _TOP_FOLDER:
                fcntl.ioctl(descriptor, _SET_FLAGS, array("L", [flags[0] | _TOP_FOLDER]))
        finally:
            os.close(descriptor)
