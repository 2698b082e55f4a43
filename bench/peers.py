"""The peers that a benchmark installs into a cache of its own, never into dbtrust's environment."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import distributions
from pathlib import Path

from platformdirs import user_cache_path


def cache(kind: str, packages: Sequence[str]) -> Path:
    """The folder of a set of packages."""
    key = hashlib.sha256(repr(sorted(packages)).encode()).hexdigest()[:12]
    return user_cache_path("dbtrust") / "bench" / f"{kind}-{key}"


def python_peer(*packages: str) -> Path | None:
    """The folder that holds the Python packages, for PYTHONPATH; None where they cannot be had."""
    folder = cache("python", packages)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--target",
        str(folder),
    ]
    return _installed(folder, [*pip, *packages])


def environment_peer(*packages: str) -> Path | None:
    """A virtual environment of its own with the packages; None where they cannot be had."""
    folder = cache("environment", packages)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if not (folder / "done").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    return _installed(folder, [*pip, *packages])


def node_peer(*packages: str) -> Path | None:
    """The node_modules folder that holds the npm packages; None where they cannot be had."""
    folder = cache("node", packages)
    npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder)]
    found = _installed(folder, [*npm, *packages])
    return found / "node_modules" if found else None


def _installed(folder: Path, command: Sequence[str]) -> Path | None:
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except (OSError, subprocess.CalledProcessError):
            return None
        (folder / "done").touch()
    return folder


def python_version(folder: Path, name: str) -> str:
    """The version of a package in a folder of python_peer."""
    found = (
        d.version for d in distributions(path=[str(folder)]) if d.metadata["Name"].lower() == name.lower()
    )
    return next(found, "?")


def node_version(modules: Path, name: str) -> str:
    """The version of a package in a folder of node_peer."""
    return str(json.loads((modules / name / "package.json").read_text(encoding="utf-8"))["version"])
