"""dbtrust demo: the example project in a folder of the reader's own, checked, with an HTML report."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, cast

import click

from dbtrust.cli import output
from dbtrust.cli.check import run_project
from dbtrust.cli.options import report_options, shared
from dbtrust.model.errors import ConfigError

#: Tells a copy of the demo from any other folder: file -> SHA-256 of what was copied.
MARKER = ".dbtrust-demo.json"
REPORT = "report.html"
_LEFT_OUT = ("__pycache__", ".pytest_cache", MARKER, REPORT)


@click.command()
@click.argument("folder", default="dbtrust-demo", type=click.Path(path_type=Path))
@report_options
def demo(folder: Path, **options: Any) -> int:
    """Copy the example project to FOLDER, check it and write report.html there.

    FOLDER is made (default: dbtrust-demo). A second run takes the copy that is there: change an index, a
    query or a constraint in it and see what is refuted. The example is a small shop on both engines.
    """
    asked = shared(options)
    output.check_output(asked.output)
    tell = output.note if asked.format != "text" or asked.output else output.say
    tell(copy_demo(folder))
    report = run_project(folder, asked)
    output.show(report, asked)
    page = (folder / REPORT).resolve()
    output.write_file(page, output.render(report, asked._replace(format="html"), errors=True))
    tell(f"report: {page}")
    return report.exit_code


def copy_demo(folder: Path) -> str:
    """Makes or refreshes the copy and says what was done. Raises ConfigError where it cannot."""
    try:
        if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
            _copy(folder, {})
            return f"copied the example project to {folder}"
        if not folder.is_dir() or (known := _marker(folder)) is None:
            raise ConfigError(
                f"{folder} exists and is no copy of the demo", next="name a folder that does not exist"
            )
        if changed := _changed(folder, known):
            return f"using {folder} with your changes in {', '.join(changed)} (delete it for a fresh copy)"
        _copy(folder, known)
        return f"using the copy of the example project in {folder}"
    except OSError as error:
        raise ConfigError(
            f"cannot copy the demo to {folder}: {error.strerror}", next="name another folder"
        ) from error


def example() -> Traversable:
    """The example project: inside an installed package, beside src in a checkout. Raises ConfigError."""
    inside = files("dbtrust") / "examples" / "shop"
    if inside.is_dir():
        return inside
    beside = Path(__file__).resolve().parents[3] / "examples" / "shop"
    if beside.is_dir():
        return cast("Traversable", beside)
    raise ConfigError("the example project is not installed", next="install dbtrust again")


def _copy(folder: Path, known: dict[str, str]) -> None:
    """Copies what differs, removes what the example no longer has, and writes the marker last."""
    marks: dict[str, str] = {}
    with as_file(example()) as source:
        for path in _files(source):
            name = path.relative_to(source).as_posix()
            marks[name] = _digest(path)
            if known.get(name) != marks[name]:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, folder / name)
    for name in known.keys() - marks.keys():
        (folder / name).unlink(missing_ok=True)
    output.write_file(folder / MARKER, json.dumps(marks, indent=1) + "\n")


def _files(source: Path) -> Iterator[Path]:
    for path in sorted(source.rglob("*")):
        inner = path.relative_to(source).parts
        if path.is_file() and path.suffix != ".pyc" and not any(part in _LEFT_OUT for part in inner):
            yield path


def _marker(folder: Path) -> dict[str, str] | None:
    """What an earlier run copied, or None where this is no copy."""
    try:
        marks = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return cast("dict[str, str]", marks) if isinstance(marks, dict) else None


def _changed(folder: Path, known: dict[str, str]) -> list[str]:
    """The copied files that were changed or deleted since."""
    return sorted(n for n, mark in known.items() if not (folder / n).is_file() or _digest(folder / n) != mark)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
