"""The programs that a patch must be taken by: git's, and patch where the machine has one."""

from __future__ import annotations

import shutil

GIT = ["git", "apply", "-p1"]
TOOLS = [GIT, ["patch", "-p1"]] if shutil.which("patch") else [GIT]
