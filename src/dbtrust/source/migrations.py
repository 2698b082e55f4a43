"""The history of a project: numbered files of both engines in one order, with their options and down scripts."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NamedTuple

from dbtrust.model.errors import DbtrustError, QueryFileError
from dbtrust.model.location import Location, locate
from dbtrust.model.project import ClaimLine, Migration, Script
from dbtrust.model.words import nearest
from dbtrust.source.comments import line_comments
from dbtrust.source.modules import raised
from dbtrust.source.strange_marks import refuse_strange_marks
from dbtrust.source.text import read_text

_FILE = re.compile(
    r"^(?P<number>[0-9]+)_(?P<name>.+?)(?P<down>\.down|_rollback|\.rollback)?(?:\.up)?\.(?P<kind>sql|py)$"
)
_TIMEOUT = (r"[0-9]+(\.[0-9]+)?(us|ms|s|min|h|d)?", "2s")
#: Option -> what its value looks like, and an example of it.
_OPTIONS = {
    "transaction": (r"true|false", "false"), "lock_timeout": _TIMEOUT, "statement_timeout": _TIMEOUT,
    "retry": (r"[0-9]{1,6}", "3"),
}  # fmt: skip
#: Files of these names (with .sql) are no migrations: they run around them (docs/migrate.md).
HOOKS = ("before_up", "before_each", "after_each", "after_up")
_NO_MIGRATIONS = frozenset(f"{hook}.sql" for hook in HOOKS)
#: A ledger keeps a number as a 64-bit integer.
_HIGHEST = 2**63 - 1


@cache
def _mark() -> re.Pattern[str]:
    """The line that begins a half. Not compiled before a file has a comment: every start would pay for it."""
    return re.compile(r"^[ \t]*--[ \t]*migrate:(?P<half>up|down)\b(?P<options>[^\n]*)$", re.MULTILINE)


@cache
def _line() -> re.Pattern[str]:
    """A comment that says something about its migration."""
    return re.compile(r"^[ \t]*--[ \t]*(?P<key>verify|lossy|dbtrust)[ \t]*:(?P<value>[^\n]*)$", re.MULTILINE)


class History(NamedTuple):
    """The migrations by number, and what could not be read."""

    migrations: tuple[Migration, ...]
    errors: tuple[DbtrustError, ...]


class PythonMigration(NamedTuple):
    """A MongoDB migration as imported: `steps`, or `up` with an optional `down`."""

    steps: Sequence[Any] | None
    up: Callable[[Any], object] | None
    down: Callable[[Any], object] | None
    lossy: tuple[str, ...]
    verify: tuple[Callable[[Any], object], ...]


def read_history(root: Path, folder: str) -> History:
    """Reads every numbered file of a folder. Numbers are unique over both engines and give the order."""
    home = root / folder
    reader = _Reader(root, home)
    # Every start reads the whole folder: over a thousand files, pathlib alone would cost what the driver costs.
    with os.scandir(home) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            suffix = os.path.splitext(entry.name)[1]  # noqa: PTH122
            if suffix.lower() in (".sql", ".py"):
                _read_file(reader, entry, suffix)
            elif entry.is_dir() and (first := _first_inside(Path(entry.path))) is not None:
                file = first.relative_to(root).as_posix()
                reader.error("migrations in a sub-folder are not read", file, f"move it to {folder}")
    return reader.history()


def _read_file(reader: _Reader, entry: os.DirEntry[str], suffix: str) -> None:
    match, file = _FILE.match(entry.name), reader.file(entry.name)
    if entry.name == "__init__.py" or entry.name.startswith(".") or entry.name in _NO_MIGRATIONS:
        return
    if not entry.is_file():
        said = "a link that leads nowhere" if entry.is_symlink() else "no file"
        reader.error(said, file, "mend or remove it")
    elif suffix not in (".sql", ".py"):
        reader.error(f"{suffix} is not read as a migration", file, f"write {suffix.lower()}")
    elif match is None:
        reader.error("no number in the file's name", file, "name it NNNN_name.sql or NNNN_name.py")
    elif len(match["number"].lstrip("0")) > 19 or int(match["number"]) > _HIGHEST:
        reader.error(f"the number is above {_HIGHEST}", file, "give it a smaller number")
    else:
        reader.add(entry.path, file, match)


def _first_inside(folder: Path) -> Path | None:
    """A numbered file of a sub-folder: it would be passed over without a word."""
    return next((p for p in sorted(folder.iterdir()) if _FILE.match(p.name) and p.is_file()), None)


class _Reader:
    def __init__(self, root: Path, home: Path) -> None:
        self._root = root
        prefix = home.relative_to(root).as_posix()
        self._prefix = "" if prefix == "." else f"{prefix}/"
        self._ups: dict[int, Migration] = {}
        self._downs: dict[int, tuple[str, Script]] = {}
        self._errors: list[DbtrustError] = []

    def file(self, name: str) -> str:
        """A file of the folder as the project names it."""
        return self._prefix + name

    def error(self, message: str, file: str, step: str) -> None:
        self._errors.append(QueryFileError(message, location=Location(file, 1, 1), next=step))

    def add(self, path: str, file: str, match: re.Match[str]) -> None:
        number, name, place = match["number"], match["name"], Location(file, 1, 1)
        try:
            text = read_text(path, self._root)
            if match["kind"] == "sql":
                refuse_strange_marks(text, file, down=bool(match["down"]))
            if match["down"]:
                self._add_down(file, number, text)
            elif match["kind"] == "py":
                self._add_up(Migration("mongo", number, name, place, python=text))
            else:
                up, down = read_scripts(text, file)
                self._add_up(Migration("postgres", number, name, place, up=up, down=down))
        except DbtrustError as error:
            self._errors.append(error)

    def _add_up(self, migration: Migration) -> None:
        number = int(migration.number)
        if (other := self._ups.get(number)) is not None:
            self.error(
                f"number {migration.number} is taken by {other.location.file}",
                str(migration.location.file),
                "give one of them another number",
            )
            return
        self._ups[number] = migration

    def _add_down(self, file: str, written: str, text: str) -> None:
        number = int(written)
        if number in self._downs:
            self.error(f"a second down for number {written}", file, "keep one of them")
            return
        options, start = _leading_options(text, file, "down")
        self._downs[number] = (written, _script(text, start, file, options))

    def history(self) -> History:
        for number, (written, script) in self._downs.items():
            up = self._ups.get(number)
            if up is None or up.engine != "postgres":
                self.error(
                    f"a down without an up for number {written}", script.file, "add the up or remove the down"
                )
            elif up.down is not None:
                self.error(f"{up.location.file} has its own down", script.file, "keep one of them")
            else:
                self._ups[number] = Migration(
                    up.engine, up.number, up.name, up.location, up=up.up, down=script
                )
        return History(tuple(self._ups[n] for n in sorted(self._ups)), tuple(self._errors))


def read_scripts(text: str, file: str) -> tuple[Script, Script | None]:
    """The up and, where the file has both, the down of a .sql file. Raises QueryFileError for a wrong option."""
    marks = list(_mark().finditer(line_comments(text))) if "--" in text else []
    downs = [m for m in marks if m["half"] == "down"]
    ups = [m for m in marks if m["half"] == "up"]
    if len(ups) > 1 or len(downs) > 1:
        extra = (ups[1:] + downs[1:])[0]
        raise QueryFileError(
            f"a second -- migrate:{extra['half']}",
            location=locate(text, extra.start(), file),
            next="keep one of each",
        )
    down_at = downs[0].start() if downs else len(text)
    if ups and ups[0].start() > down_at:
        raise QueryFileError(
            "migrate:down stands before migrate:up",
            location=locate(text, down_at, file),
            next="write the up first",
        )
    up_options = _options(ups[0], text, file) if ups else {}
    up = _script(text[:down_at], ups[0].end() if ups else 0, file, up_options)
    if not downs:
        return up, None
    return up, _script(text, downs[0].end(), file, _options(downs[0], text, file))


def _leading_options(text: str, file: str, half: str) -> tuple[dict[str, str], int]:
    """A file that is a down as a whole may carry options in its own mark."""
    marks = [m for m in _mark().finditer(line_comments(text)) if m["half"] == half] if "--" in text else []
    return (_options(marks[0], text, file), marks[0].end()) if marks else ({}, 0)


def _script(text: str, start: int, file: str, options: dict[str, str]) -> Script:
    """The SQL keeps its place in the file: what stands before it becomes blank lines."""
    sql = text
    if start:
        column = start - (text.rfind("\n", 0, start) + 1)
        sql = "\n" * text.count("\n", 0, start) + " " * column + text[start:]
    if "--" not in text:
        return Script(sql, file, Location(file, 1, 1), options)
    verify: list[ClaimLine] = []
    lossy: list[str] = []
    rerunnable = False
    for match in _line().finditer(line_comments(text)):
        value, place = " ".join(match["value"].split()), locate(text, match.start("value") + 1, file)
        if match["key"] == "verify" and match.start() >= start:
            verify.append(ClaimLine(value, place))
        elif match["key"] == "lossy":
            lossy.append(declared_loss(value, place))
        elif match["key"] == "dbtrust":
            if value != "rerunnable":
                raise QueryFileError(
                    f"unknown mark {value!r}", location=place, next="did you mean rerunnable?"
                )
            rerunnable = True
    return Script(sql, file, Location(file, 1, 1), options, tuple(verify), tuple(lossy), rerunnable)


#: What a declared loss may be of.
_LOSSY = ("column", "table", "constraint")


def declared_loss(value: str, place: Location) -> str:
    """A declared loss as it stands there. Raises QueryFileError where it names no kind of object, or no object."""
    word, _, name = value.partition(" ")
    if word.lower() in _LOSSY and name:
        return value
    close = word if word.lower() in _LOSSY else nearest(word, _LOSSY)
    step = (
        f"did you mean -- lossy: {close} {name or 'NAME'}?"
        if close
        else "write -- lossy: column t.c, table t or constraint c"
    )
    raise QueryFileError(f"unknown word {word!r} behind lossy:", location=place, next=step)


def _options(match: re.Match[str], text: str, file: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for word in re.finditer(r"\S+", match["options"]):
        key, colon, value = word.group().partition(":")
        if key not in _OPTIONS or not colon or not value:
            place = locate(text, match.start("options") + word.start(), file)
            close = nearest(key, list(_OPTIONS))
            raise QueryFileError(
                f"unknown option {word.group()!r}",
                location=place,
                next=f"did you mean {close or 'transaction'}:…?",
            )
        pattern, example = _OPTIONS[key]
        if not re.fullmatch(pattern, value, re.ASCII):
            place = locate(text, match.start("options") + word.start(), file)
            step = f"write for example {key}:{example}"
            raise QueryFileError(f"{word.group()}: no value of {key}", location=place, next=step)
        options[key] = value
    return options


def load_python(migration: Migration, root: Path, code: CodeType | None = None) -> PythonMigration:
    """Runs a MongoDB migration's file under a private module name. Raises QueryFileError at the line that is wrong.

    `code` is what `compiled` gave for it, where that was asked before.
    """
    from dbtrust.model.project_code import project_output

    name = f"_dbtrust_migration_{migration.number}"
    module = ModuleType(name)
    module.__file__ = _absolute(migration, root)
    code = compiled(migration, root) if code is None else code
    sys.modules[name] = module
    try:
        with project_output():
            exec(code, module.__dict__)  # noqa: S102 migrations are code that is run
    except (Exception, SystemExit) as error:
        raise raised(error, root, f"migration {migration.number}") from error
    finally:
        del sys.modules[name]
    return _shape(vars(module), migration)


def compiled(migration: Migration, root: Path) -> CodeType:
    """The text that was read as code: the file itself may have changed since. Raises QueryFileError at a syntax error."""
    try:
        return compile(migration.python or "", _absolute(migration, root), "exec")
    except (SyntaxError, ValueError) as error:
        raise raised(error, root, f"migration {migration.number}") from error


def _absolute(migration: Migration, root: Path) -> str:
    """The file's path; not by pathlib, which takes longer for it than Python for compiling a short migration."""
    return os.path.join(root, str(migration.location.file))  # noqa: PTH118 pathlib is slower here than compiling the file


_Key = tuple[str | None, str | None]


class Loader:
    """Compiles and runs each file once: a run that undoes 500 migrations first looks whether each has a way back."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._loaded: dict[_Key, PythonMigration] = {}
        #: What was compiled and not run yet.
        self._codes: dict[_Key, CodeType] = {}

    def check(self, migration: Migration) -> None:
        """Raises QueryFileError where the file is no Python; nothing of it is run."""
        key = migration.location.file, migration.python
        if key not in self._codes and key not in self._loaded:
            self._codes[key] = compiled(migration, self._root)

    def __call__(self, migration: Migration) -> PythonMigration:
        """As `load_python`; another text of the same file is another migration."""
        key = migration.location.file, migration.python
        if key not in self._loaded:
            self._loaded[key] = load_python(migration, self._root, self._codes.pop(key, None))
        return self._loaded[key]


def _shape(names: Mapping[str, Any], migration: Migration) -> PythonMigration:
    from dbtrust.source.python_shape import Shape

    shape = Shape(names, migration)
    steps, up, down = shape.steps(), shape.function("up"), shape.function("down")
    if (steps is None) == (up is None):
        said = "both steps and up(db)" if up is not None else "neither steps nor up(db)"
        raise QueryFileError(
            f"the migration has {said}", location=migration.location, next="write exactly one of them"
        )
    if steps is not None and down is not None:
        raise QueryFileError(
            "steps have implied inverses; down(db) is not used",
            location=migration.location,
            next="remove down, or use up(db)",
        )
    return PythonMigration(steps, up, down, shape.lossy(), shape.verify())
