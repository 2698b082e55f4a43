"""A small project with migrations of both engines, and the command line on fresh databases."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dbtrust.cli.main import run
from dbtrust.report.json import schema

CONFIG = '[project]\nname = "small"\n[postgres]\n[mongo]\n[migrations]\nfolder = "m"\n'
FILES: Mapping[str, str] = {
    "0001_a.sql": "CREATE TABLE a (id int PRIMARY KEY);\n",
    "0001_a.down.sql": "DROP TABLE a;\n",
    "0002_items.py": (
        "from dbtrust.migrations import create_collection, create_index\n"
        "steps = [create_collection('items'), create_index('items', 'n', name='by_n')]\n"
    ),
    "0003_b.sql": "-- migrate:up\nALTER TABLE a ADD v text;\n-- migrate:down\nALTER TABLE a DROP v;\n",
}
Call = Callable[..., tuple[int, dict[str, Any]]]


def write(folder: Path, files: Mapping[str, str] = FILES) -> Path:
    """The project with these files in its folder of migrations."""
    (folder / "m").mkdir(parents=True, exist_ok=True)
    (folder / "dbtrust.toml").write_text(CONFIG, encoding="utf-8")
    for name, text in files.items():
        (folder / "m" / name).write_text(text, encoding="utf-8")
    return folder


def caller(capsys: pytest.CaptureFixture[str], **urls: str) -> Call:
    """call("up", project, …): exit code and document; `urls` are given as options, but for those in `without`."""

    def call(*arguments: str | Path, without: tuple[str, ...] = ()) -> tuple[int, dict[str, Any]]:
        options = [word for name, url in urls.items() if name not in without for word in (f"--{name}", url)]
        code = run(["migrate", *map(str, arguments), *options, "--format", "json"])
        document = json.loads(capsys.readouterr().out)
        jsonschema.validate(document, schema(), cls=jsonschema.Draft202012Validator)
        return code, document

    return call


def told(document: dict[str, Any]) -> list[tuple[str, str]]:
    """(number, verdict) in the order of the numbers."""
    return sorted((v["subject"].partition(":")[2], v["verdict"]) for v in document["verdicts"])


def states(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(m["number"], m["state"]) for m in document["migrations"]]
