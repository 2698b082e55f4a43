"""The folder `baselines` beside the configuration: one JSON file for each query, made to be reviewed."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeGuard, cast

from dbtrust.model.baseline import Baseline, Decision, Example
from dbtrust.model.engine import Engine
from dbtrust.model.errors import ConfigError, DbtrustError
from dbtrust.model.location import Location, locate
from dbtrust.source.text import read_text, replace_text

FOLDER = "baselines"
#: The version of the file's form; a higher one is of a newer dbtrust.
FORMAT = 1
_ENGINES: tuple[Engine, ...] = ("postgres", "mongo")
_MEND = "mend the file, or delete it and run dbtrust claims baseline"


def path_of(engine: Engine, subject: str) -> str:
    """baselines/postgres/users.by_id.json, relative to the project."""
    return f"{FOLDER}/{engine}/{subject.removeprefix('query:')}.json"


def read_baselines(root: Path) -> tuple[list[Baseline], list[DbtrustError]]:
    """Every baseline of the project, and an error for each file that is none."""
    found: list[Baseline] = []
    errors: list[DbtrustError] = []
    for path in sorted(p for e in _ENGINES for p in (root / FOLDER / e).glob("*.json")):
        if path.name.startswith("."):
            continue
        try:
            found.append(parse(read_text(path, root), path.relative_to(root).as_posix()))
        except DbtrustError as error:
            errors.append(error)
    return found, errors


def parse(text: str, file: str) -> Baseline:
    """Raises ConfigError with the place: no JSON, a newer form, another form, or the file of another query."""
    try:
        data: Any = json.loads(text)
    except json.JSONDecodeError as error:
        place = Location(file, error.lineno, error.colno)
        raise ConfigError(f"no baseline: {error.msg}", location=place, next=_MEND) from None
    except RecursionError:
        raise ConfigError("no baseline: nested too deep", location=Location(file, 1, 1), next=_MEND) from None
    return _Reader(text, file).baseline(data)


class _Reader:
    """Reads one decoded file; what is wrong is told with the line of the key that it stands behind."""

    def __init__(self, text: str, file: str) -> None:
        self._text, self._file = text, file

    def baseline(self, data: Any) -> Baseline:
        top = self._mapping(data, "format")
        version = top.get("format")
        if isinstance(version, int) and not isinstance(version, bool) and version > FORMAT:
            step = "use that dbtrust, or delete the file and run dbtrust claims baseline"
            message = f"a baseline of a newer dbtrust (format {version}; this one reads {FORMAT})"
            raise ConfigError(message, location=self._place("format"), next=step)
        if version != FORMAT or isinstance(version, bool):
            raise self._wrong("format")
        engine, subject = self._word(top, "engine"), self._word(top, "subject")
        if engine not in _ENGINES:
            raise self._wrong("engine")
        if path_of(engine, subject) != self._file:
            message = f"it holds the baseline of {subject}, whose file is {path_of(engine, subject)}"
            raise ConfigError(message, location=self._place("subject"), next="rename or delete the file")
        data_then = self._mapping(top.get("data", {}), "data")
        examples = tuple(self._example(e) for e in self._list(top, "examples"))
        return Baseline(
            subject, engine, self._word(top, "server"), data_then, examples, Location(self._file, 1, 1)
        )

    def _example(self, value: Any) -> Example:
        data = self._mapping(value, "examples")
        choices = self._mapping(data.get("choices", {}), "choices")
        if not all(isinstance(word, str) for word in choices.values()):
            raise self._wrong("choices")
        plans = tuple(self._decision(p) for p in self._list(data, "plans"))
        return Example(self._word(data, "label"), self._word(data, "given"), choices, plans)

    def _decision(self, value: Any) -> Decision:
        data = self._mapping(value, "plans")
        cost, tree = data.get("cost"), self._list(data, "tree")
        if cost is not None and (isinstance(cost, bool) or not isinstance(cost, (int, float))):
            raise self._wrong("cost")
        if not tree or not all(isinstance(line, str) for line in tree):
            raise self._wrong("tree")
        return Decision(tuple(tree), None if cost is None else float(cost))

    def _mapping(self, value: Any, key: str) -> dict[str, Any]:
        if not _is_mapping(value):
            raise self._wrong(key)
        return dict(value)

    def _list(self, data: Mapping[str, Any], key: str) -> list[Any]:
        value = data.get(key)
        if not isinstance(value, list):
            raise self._wrong(key)
        return cast("list[Any]", value)

    def _word(self, data: Mapping[str, Any], key: str) -> str:
        value = data.get(key)
        if not isinstance(value, str):
            raise self._wrong(key)
        return value

    def _wrong(self, key: str) -> ConfigError:
        return ConfigError(f"no baseline: {key} is missing or wrong", location=self._place(key), next=_MEND)

    def _place(self, key: str) -> Location:
        match = re.search(rf'"{key}"\s*:', self._text)
        return locate(self._text, match.start(), self._file) if match else Location(self._file, 1, 1)


def _is_mapping(value: Any) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)


def render(baseline: Baseline) -> str:
    """The text of the file: the same for the same baseline."""
    document = {
        "format": FORMAT,
        "subject": baseline.subject,
        "engine": baseline.engine,
        "server": baseline.server,
        "data": baseline.data,
        "examples": [_example(example) for example in baseline.examples],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _example(example: Example) -> dict[str, Any]:
    head: dict[str, Any] = {"label": example.label, "given": example.given}
    if example.choices:
        head["choices"] = dict(example.choices)
    return head | {"plans": [_decision(plan) for plan in example.plans]}


def _decision(plan: Decision) -> dict[str, Any]:
    tree = {"tree": list(plan.tree)}
    if plan.cost is None:
        return tree
    return {"cost": int(plan.cost) if plan.cost.is_integer() else plan.cost, **tree}


def check_writable(root: Path) -> None:
    """Raises ConfigError where no file could be written. Makes no folder that is not there; leaves nothing."""
    folder = root / FOLDER
    try:
        for place in (folder, *(folder / engine for engine in _ENGINES)):
            if place.exists() or place.is_symlink():
                with tempfile.TemporaryFile(dir=place):
                    pass
        if not folder.exists():
            with tempfile.TemporaryFile(dir=root):
                pass
    except OSError as error:
        raise _unwritable(FOLDER, error) from error


def write(root: Path, files: Iterable[tuple[str, str | None]]) -> None:
    """Replaces each (relative path, text) as a whole and removes those whose text is None. Raises ConfigError."""
    for name, text in files:
        path = root / name
        try:
            if text is None:
                path.unlink(missing_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                replace_text(path.resolve(), text)
        except OSError as error:
            raise _unwritable(name, error) from error


def _unwritable(name: str, error: OSError) -> ConfigError:
    return ConfigError(f"cannot write {name}: {error.strerror}", next="mend the rights of the folder")
