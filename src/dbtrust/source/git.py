"""What changed in the user's repository since a revision, as git tells; nothing of the repository is run or written."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dbtrust.model.errors import ConfigError

_SAFE = ("-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "-c", "core.hooksPath=/dev/null")


@dataclass(frozen=True, slots=True)
class Changes:
    """Paths relative to the folder that was asked about. `added` are new, also those that git does not know yet."""

    since: str
    added: frozenset[str]
    edited: frozenset[str]
    removed: frozenset[str]

    def touch(self, file: str) -> bool:
        return file in self.added or file in self.edited


def changes_since(root: Path, revision: str) -> Changes:
    """The changes of the working tree since the commit where HEAD and `revision` part. Raises ConfigError."""
    if revision.startswith("-") or not _git(
        root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"
    ):
        _git(root, "rev-parse", "--git-dir", said="no git repository")
        raise ConfigError(
            f"--since {revision}: git knows no such revision",
            next="name a commit, branch or tag; a shallow clone may need git fetch",
        )
    base = (_git(root, "merge-base", revision, "HEAD") or revision).strip()
    changed = dict(
        _pairs(
            _git(
                root,
                "diff",
                "--relative",
                "--no-renames",
                "--no-ext-diff",
                "--name-status",
                "-z",
                base,
                "--",
                ".",
            )
        )
    )
    new = _git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", ".").split("\0")
    by = {kind: frozenset(p for p, k in changed.items() if k == kind) for kind in ("A", "M", "T", "D")}
    return Changes(base[:12], by["A"] | frozenset(filter(None, new)), by["M"] | by["T"], by["D"])


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    parts = [part for part in text.split("\0") if part]
    yield from ((path, kind[:1]) for kind, path in zip(parts[::2], parts[1::2], strict=True))


def _git(root: Path, *arguments: str, said: str = "") -> str:
    """What git prints; "" where it fails, or with `said` a ConfigError. Raises ConfigError where there is no git."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", *_SAFE, "-C", str(root), *arguments], capture_output=True, env=clean, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except OSError as error:
        raise ConfigError(
            f"--since needs git: {error.strerror}", next="install git, or leave out --since"
        ) from error
    if done.returncode and said:
        why = done.stderr.decode(errors="replace").strip().splitlines()
        raise ConfigError(
            f"--since: {said}: {why[0] if why else root}", next="leave out --since, or run it in a clone"
        )
    return done.stdout.decode(errors="replace") if done.returncode == 0 else ""
