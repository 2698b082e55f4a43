"""Imports the Python of a project, and forgets it again, so that one process can check many projects."""

from __future__ import annotations

import importlib
import sys
import threading
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from dbtrust.model.errors import ConfigError, DbtrustError, QueryFileError
from dbtrust.model.location import NOWHERE, Location
from dbtrust.model.project import Config
from dbtrust.model.words import nearest

#: sys.path and sys.modules are the process's own: one project at a time may use them.
_ONE_PROJECT = threading.RLock()


@contextmanager
def project_path(config: Config) -> Generator[None]:
    """While open, [project] python leads sys.path; afterwards nothing of the project stays imported.

    Byte code is not written: a cached .pyc tells versions apart by whole seconds, so an edited file could be
    judged as it was before.
    """
    with _ONE_PROJECT:
        path, bytecode = list(sys.path), sys.dont_write_bytecode
        before = set(sys.modules)
        sys.path[:0] = [str(config.root / folder) for folder in config.python]
        sys.dont_write_bytecode = True
        importlib.invalidate_caches()
        try:
            yield
        finally:
            sys.path[:], sys.dont_write_bytecode = path, bytecode
            for name in set(sys.modules) - before:
                if _inside(sys.modules[name], config.root):
                    del sys.modules[name]


def _inside(module: ModuleType, root: Path) -> bool:
    places = [getattr(module, "__file__", None), *getattr(module, "__path__", [])]
    return any(place and Path(place).resolve().is_relative_to(root) for place in places)


def load_object(reference: str, config: Config, *, location: Location = NOWHERE) -> Any:
    """The object that "package.module:name" names; a reference without `:name` gives the module.

    Raises ConfigError where the reference is wrong and QueryFileError where the module's own code raises.
    """
    module_name, _, name = reference.partition(":")
    module = _module(module_name, config, location)
    if not name:
        return module
    if not hasattr(module, name):
        close = nearest(name, [n for n in vars(module) if not n.startswith("_")])
        step = f"did you mean {module_name}:{close}?" if close else "name an object of that module"
        raise ConfigError(f"{reference}: the module has no {name}", location=location, next=step)
    return getattr(module, name)


def _module(name: str, config: Config, location: Location) -> ModuleType:
    try:
        return importlib.import_module(name)
    except DbtrustError as error:
        error.location = relative(error.location, config.root)
        raise
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            step = "check [project] python, which is put on sys.path"
            raise ConfigError(f"no module named {error.name}", location=location, next=step) from error
        raise raised(error, config.root, f"importing {name}") from error
    except Exception as error:
        raise raised(error, config.root, f"importing {name}") from error


def raised(error: BaseException, root: Path, doing: str) -> QueryFileError:
    """An exception of the project's code as an error at the innermost line that belongs to the project."""
    place = NOWHERE
    if isinstance(error, SyntaxError) and error.filename:
        place = relative(Location(error.filename, error.lineno, error.offset), root)
    else:
        for frame in traceback.extract_tb(error.__traceback__):
            if Path(frame.filename).resolve().is_relative_to(root):
                place = relative(Location(frame.filename, frame.lineno, (frame.colno or 0) + 1), root)
    text = " ".join(str(error).split()) or "no message"
    return QueryFileError(
        f"{doing} raised {type(error).__name__}: {text}", location=place, next="mend the project's code"
    )


def relative(location: Location, root: Path) -> Location:
    """The same location with its file relative to `root`, as POSIX."""
    if location.file is None or not Path(location.file).is_absolute():
        return location
    path = Path(location.file).resolve()
    file = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    return Location(file, location.line, location.column)
