"""Reads dbtrust.toml, or [tool.dbtrust] of pyproject.toml: every key is known, every error has its line."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, cast

from dbtrust.model.errors import ConfigError
from dbtrust.model.location import Location
from dbtrust.model.project import Config, DataConfig, MongoConfig, PostgresConfig
from dbtrust.model.words import nearest
from dbtrust.source.plain import Between, NotEmpty, fitted
from dbtrust.source.text import read_text

CONFIG_FILE = "dbtrust.toml"
_STRICT: dict[str, Any] = {"extra": "forbid", "strict": True}
_WORD = 2**63


# Each has a docstring and is not frozen: without the one and with the other a class takes three times as long to make.


@dataclass
class _Project:
    """[project]"""

    __pydantic_config__: ClassVar = _STRICT
    name: Annotated[str, NotEmpty()]
    python: tuple[str, ...] = ()
    specs: str | None = None
    tests: tuple[str, ...] = ()


@dataclass
class _Migrations:
    """[migrations]"""

    __pydantic_config__: ClassVar = _STRICT
    folder: str


@dataclass
class _Data:
    """[data.NAME]"""

    __pydantic_config__: ClassVar = _STRICT
    file: str
    rows: Annotated[int, Between(0, _WORD)]
    seed: Annotated[int, Between(-_WORD, _WORD)] = 1


@dataclass
class _Check:
    """[check]"""

    __pydantic_config__: ClassVar = _STRICT
    fail_on: Literal["error", "warning", "info", "never"] = "error"
    strict: bool = False


@dataclass
class _Target:
    """[targets.NAME]"""

    __pydantic_config__: ClassVar = _STRICT
    postgres: str | None = None
    mongo: str | None = None


@dataclass
class _File:
    """The whole file."""

    __pydantic_config__: ClassVar = _STRICT
    project: _Project
    postgres: PostgresConfig | None = None
    mongo: MongoConfig | None = None
    migrations: _Migrations | None = None
    data: dict[str, _Data] = field(default_factory=dict[str, _Data])
    check: _Check = field(default_factory=_Check)
    targets: dict[str, _Target] = field(default_factory=dict[str, _Target])


def find_config(folder: Path) -> tuple[Path, str]:
    """The configuration file of a project folder and the table it lives in ("" or "tool.dbtrust").

    Raises ConfigError where the folder has neither.
    """
    own = folder / CONFIG_FILE
    if own.is_file():
        return own, ""
    shared = folder / "pyproject.toml"
    if shared.is_file() and "tool.dbtrust" in read_text(shared, folder):
        return shared, "tool.dbtrust"
    if not folder.is_dir():
        raise ConfigError(f"{folder} is not a folder", next="name the folder that holds dbtrust.toml")
    raise ConfigError(
        f"no {CONFIG_FILE} and no [tool.dbtrust] in pyproject.toml in {folder}",
        next=f"write {CONFIG_FILE} with [project] name, or name another folder",
    )


def load_config(folder: Path) -> Config:
    """The checked configuration of the project in `folder`. Raises ConfigError with file:line:column."""
    path, table = find_config(folder)
    text = read_text(path, folder)
    document = _parse(text, path.name)
    for part in filter(None, table.split(".")):
        document = document.get(part, {})
    places = _Places(text, path.name, table)
    raw = _validate(document, places)
    return _config(folder.resolve(), path.name, raw, document, places)


def _parse(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        end = (text.count("\n") + 1, 1)
        line, column = (int(found[1]), int(found[2])) if found else end
        message = re.sub(r" \(at .*\)$", "", str(error))
        raise ConfigError(
            f"not valid TOML: {message}",
            location=Location(file, line, column),
            next="mend the syntax of this line",
        ) from None


def _validate(document: Mapping[str, Any], places: _Places) -> _File:
    """What does not plainly fit goes to pydantic, which knows what to say; it costs a third of a start."""
    if (plain := fitted(_File, document)) is not None:
        return plain
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(_File).validate_json(json.dumps(document, default=str), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    path = tuple(str(part) for part in first["loc"])
    if first["type"] in {"extra_forbidden", "unexpected_keyword_argument"}:
        raise _unknown_key(path, places)
    if first["type"] == "missing":
        where = places.of(path[:-1])
        raise ConfigError(
            f"{'.'.join(path)} is missing",
            location=where,
            next=f"add {path[-1]} = … to [{'.'.join(path[:-1])}]",
        )
    name = ".".join(part for part in path if not part.isdigit())
    raise ConfigError(
        f"{name}: {first['msg'][:1].lower()}{first['msg'][1:]}",
        location=places.of(path),
        next="see docs/configuration.md",
    )


def _unknown_key(path: tuple[str, ...], places: _Places) -> ConfigError:
    known = _known_keys(path[:-1])
    close = nearest(path[-1], known)
    step = f"did you mean {close}?" if close else f"known here: {', '.join(known)}"
    return ConfigError(f"unknown key {'.'.join(path)}", location=places.of(path), next=step)


def _known_keys(path: tuple[str, ...]) -> list[str]:
    models: dict[str, Any] = {
        "": _File, "project": _Project, "postgres": PostgresConfig, "mongo": MongoConfig, "migrations": _Migrations,
        "data": _Data, "check": _Check, "targets": _Target,
    }  # fmt: skip
    model = models.get(path[0] if path else "", _File)
    return [item.name for item in fields(model)]


def _config(root: Path, file: str, raw: _File, document: Mapping[str, Any], places: _Places) -> Config:
    data = tuple(
        DataConfig(name, item.file, item.rows, item.seed, places.of(("data", name, "file")))
        for name, item in raw.data.items()
    )
    targets = {name: _urls(item) for name, item in raw.targets.items()}
    _refuse_passwords(targets, places)
    folder = raw.migrations.folder if raw.migrations else None
    return Config(
        root=root, file=file, name=raw.project.name, python=raw.project.python, specs=raw.project.specs,
        tests=raw.project.tests, postgres=raw.postgres, mongo=raw.mongo, migrations=folder, data=data,
        fail_on=raw.check.fail_on, strict=raw.check.strict, targets=targets, locations=places.all(document),
    )  # fmt: skip


def _urls(target: _Target) -> dict[str, str]:
    said = {"postgres": target.postgres, "mongo": target.mongo}
    return {engine: url for engine, url in said.items() if url is not None}


def _refuse_passwords(targets: Mapping[str, Mapping[str, str]], places: _Places) -> None:
    for name, urls in targets.items():
        for engine, url in urls.items():
            if re.search(r"://[^/@]*:[^/@]+@|password=", url):
                raise ConfigError(
                    f"targets.{name}.{engine} holds a password", location=places.of(("targets", name, engine)),
                    next="write env:NAME or file:PATH instead",
                )  # fmt: skip


class _Places:
    """Where the keys of a TOML text stand: tomllib keeps no positions, so headers and `key =` are found again."""

    _HEADER = re.compile(r"^\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
    _KEY = re.compile(r"^(\s*)((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"|'[^']*'))*)\s*=")

    def __init__(self, text: str, file: str, table: str) -> None:
        self._file, self._prefix = file, _split_key(table) if table else ()
        self._found: dict[tuple[str, ...], Location] = {}
        header: tuple[str, ...] = ()
        for number, line in enumerate(text.splitlines(), 1):
            if match := self._HEADER.match(line):
                header = _split_key(match[1])
                self._found.setdefault(header, Location(file, number, line.index("[") + 1))
            elif match := self._KEY.match(line):
                key = header + _split_key(match[2])
                self._found.setdefault(key, Location(file, number, len(match[1]) + 1))

    def of(self, path: tuple[str, ...]) -> Location:
        """The place of the longest known beginning of `path`."""
        full = self._prefix + path
        for end in range(len(full), 0, -1):
            if place := self._found.get(full[:end]):
                return place
        return Location(self._file, 1, 1)

    def all(self, document: Mapping[str, Any]) -> dict[str, Location]:
        """ "postgres.queries" -> where that key stands."""
        keys = [(name,) for name in document]
        tables = {
            name: cast("Mapping[str, Any]", value)
            for name, value in document.items()
            if isinstance(value, Mapping)
        }
        keys += [(name, key) for name, table in tables.items() for key in table]
        return {".".join(key): self.of(key) for key in keys}


def _split_key(text: str) -> tuple[str, ...]:
    parts = re.findall(r"\"([^\"]*)\"|'([^']*)'|([\w-]+)", text)
    return tuple(a or b or c for a, b, c in parts)
