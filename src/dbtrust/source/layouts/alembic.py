"""Alembic: revisions in Python whose order is a graph. Read as text; nothing of the project is imported here."""

from __future__ import annotations

import ast
import configparser
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from dbtrust.model.errors import DbtrustError, QueryFileError
from dbtrust.model.location import Location
from dbtrust.model.project import Migration, Script
from dbtrust.source.layouts.folder import Folder, natural
from dbtrust.source.layouts.reading import Read, Reading
from dbtrust.source.layouts.scripts import NO_TRANSACTION
from dbtrust.source.migrations import declared_loss

INI = "alembic.ini"


@dataclass(frozen=True, slots=True)
class _Revision:
    id: str
    needs: tuple[str, ...]
    file: str
    name: str
    up: int | None
    down: int | None
    lossy: tuple[str, ...] = ()
    text: str = ""


def read(folder: Folder) -> Reading | None:
    """None without alembic.ini (or [tool.alembic] in pyproject.toml) and a folder of revisions that it leads to."""
    if INI not in folder.files and not _in_pyproject(folder):
        return None
    places = [p for p in _places(folder) if p is not None]
    if not places:
        return None
    home = places[0]
    reading = Reading(
        "Alembic", home.path or folder.path, consumed=frozenset(_inside(folder, places)), program=folder.path
    )
    revisions = [r for place in places for r in _revisions(place, reading)]
    for revision in _ordered(revisions, reading):
        reading.reads.append(_read(revision))
    return reading


def _inside(folder: Folder, places: list[Folder]) -> Iterable[str]:
    """The folders that belong to the history: those of the revisions and, below its own, what is above them."""
    for place in places:
        yield from (f.path for f in place.walk())
        yield from (
            f.path
            for f in place.above()
            if f.path.startswith(f"{folder.path}/" if folder.path else "") and f.path
        )


def _in_pyproject(folder: Folder) -> bool:
    return "pyproject.toml" in folder.files and "[tool.alembic" in folder.try_text("pyproject.toml")


def _places(folder: Folder) -> list[Folder | None]:
    """The folders of revisions: what the configuration names, else a folder `versions` beside an env.py."""
    said = _said(folder)
    location = _resolved(folder, said.get("script_location", ""))
    versions = [
        p
        for part in re.split(r"[\s,;:]+", said.get("version_locations", ""))
        if part and (p := _resolved(folder, part))
    ]
    if versions:
        return list(versions)
    if location is not None:
        return [location.folders.get("versions")]
    found = [f for f in folder.walk() if "env.py" in f.files and "versions" in f.folders]
    return [found[0].folders["versions"]] if found else []


def _said(folder: Folder) -> dict[str, str]:
    """The options of [alembic], with %(here)s left out: paths are relative to the file."""
    if INI in folder.files:
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read_string(folder.text(INI))
        except (configparser.Error, DbtrustError):
            return {}
        section = "alembic" if parser.has_section("alembic") else next(iter(parser.sections()), "")
        return dict(parser.items(section)) if section else {}
    try:
        said = tomllib.loads(folder.text("pyproject.toml")).get("tool", {}).get("alembic", {})
    except (tomllib.TOMLDecodeError, DbtrustError):
        return {}
    return {key: _text(value) for key, value in dict[str, object](said).items()}


def _text(value: object) -> str:
    return value if isinstance(value, str) else " ".join(_listed(value))


def _resolved(folder: Folder, said: str) -> Folder | None:
    """The folder that a path of the configuration names: relative, below the file's folder, or package:path."""
    plain = said.replace("%(here)s", ".").replace("%%(here)s", ".").strip()
    if ":" in plain:
        package, _, path = plain.partition(":")
        tail = f"{package.replace('.', '/')}/{path}"
        return _at(folder, tail) or _at(folder, f"src/{tail}")
    return _at(folder, plain) if plain else None


def _at(folder: Folder, path: str) -> Folder | None:
    for part in PurePosixPath(path).parts:
        if part == ".":
            continue
        if part.startswith("/") or part not in folder.folders:
            return None
        folder = folder.folders[part]
    return folder


def _revisions(place: Folder, reading: Reading) -> Iterable[_Revision]:
    for folder in place.walk():
        for file in folder.files:
            if not file.endswith(".py") or file == "__init__.py":
                continue
            try:
                text, path = folder.text(file), folder.place(file)
                if (found := _revision(text, path)) is not None:
                    yield replace(found, lossy=tuple(_lossy(text, path, reading)))
            except DbtrustError as error:
                reading.errors.append(error)


def _lossy(text: str, file: str, reading: Reading) -> Iterable[str]:
    """The losses that a revision declares in comments, docstrings and SQL; one that names no object is an error."""
    said = {text.count("\n", 0, m.start()) + 1: m["value"] for m in _LOSSY.finditer(text)}
    tree = ast.parse(text)
    for node in [tree, *(n for n in tree.body if isinstance(n, ast.FunctionDef))]:
        if ast.get_docstring(node) is not None:
            first = node.body[0]
            lines = text.split("\n")[first.lineno - 1 : first.end_lineno]
            found = (_IN_DOCSTRING.match(line) for line in lines)
            said |= {first.lineno + n: m["value"].strip("\"'") for n, m in enumerate(found) if m}
    for line, value in sorted(said.items()):
        try:
            yield declared_loss(" ".join(value.split()), Location(file, line, 1))
        except DbtrustError as error:
            reading.errors.append(error)


_LOSSY = re.compile(r"^[ \t]*(?:#[ \t]*(?:--[ \t]*)?|--[ \t]*)lossy[ \t]*:(?P<value>[^\n]*)$", re.MULTILINE)
_IN_DOCSTRING = re.compile(r"[ \t]*[rR]?[\"']*[ \t]*lossy[ \t]*:(?P<value>.*)")


def _revision(text: str, file: str) -> _Revision | None:
    """None where the file assigns no `revision`. Raises QueryFileError for what is no Python."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None) or 1
        message = f"no Python: {getattr(error, 'msg', None) or error}"
        raise QueryFileError(message, location=Location(file, line, 1), next="mend the file") from None
    names = dict(_assigned(tree))
    if not isinstance(names.get("revision"), str):
        return None
    functions = {n.name: n.lineno for n in tree.body if isinstance(n, ast.FunctionDef)}
    said = (ast.get_docstring(tree) or "").strip().split("\n")[0]
    needs = (*_listed(names.get("down_revision")), *_listed(names.get("depends_on")))
    up, down = functions.get("upgrade"), functions.get("downgrade")
    return _Revision(str(names["revision"]), needs, file, said, up, down, text=text)


def _assigned(tree: ast.Module) -> Iterable[tuple[str, object]]:
    """Top-level names and the literals that they are given."""
    for node in tree.body:
        targets = (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target]
            if isinstance(node, ast.AnnAssign)
            else []
        )
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        for target in targets:
            if isinstance(target, ast.Name) and value is not None:
                try:
                    yield target.id, ast.literal_eval(value)
                except ValueError:
                    continue


def _listed(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(str(v) for v in value) if isinstance(value, tuple | list | set) else ()  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _ordered(revisions: list[_Revision], reading: Reading) -> list[_Revision]:
    """Each revision behind those that it needs; branches one after the other, by their files' names."""
    known: dict[str, _Revision] = {}
    for revision in revisions:
        if (other := known.get(revision.id)) is not None:
            _wrong(reading, f"revision {revision.id} is taken by {other.file}", revision.file)
            continue
        known[revision.id] = revision
    waiting = sorted(known.values(), key=lambda r: natural(r.file))
    done: dict[str, _Revision] = {}
    while waiting:
        ready = next((r for r in waiting if all(_find(n, done) for n in r.needs)), None)
        if ready is None:
            break
        waiting.remove(ready)
        done[ready.id] = ready
    for revision in waiting:
        missing = next((n for n in revision.needs if not _find(n, known)), None)
        said = f"there is no revision {missing}" if missing else "its revisions need each other"
        _wrong(reading, f"revision {revision.id} cannot be reached: {said}", revision.file)
    return list(done.values())


def _find(wanted: str, known: dict[str, _Revision]) -> bool:
    """Alembic takes an abbreviated identifier, too; a branch label is taken as found."""
    return wanted in known or any(k.startswith(wanted) for k in known) or "@" in wanted


def _wrong(reading: Reading, message: str, file: str) -> None:
    reading.errors.append(QueryFileError(message, location=Location(file, 1, 1), next="mend down_revision"))


def _read(revision: _Revision) -> Read:
    up = Script(
        "", revision.file, Location(revision.file, revision.up or 1, 1), NO_TRANSACTION, lossy=revision.lossy
    )
    down = (
        Script("", revision.file, Location(revision.file, revision.down, 1), NO_TRANSACTION)
        if revision.down
        else None
    )
    migration = Migration(
        "postgres", revision.id, revision.name, Location(revision.file, 1, 1), up, down, revision.text
    )
    return Read(migration, (revision.file,))
