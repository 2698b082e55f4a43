"""Calls functions that a project wrote over a database: what they print, return or end with is not ours to lose."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from dbtrust.model.errors import FAILED, DbtrustError


class ProjectCodeError(DbtrustError):
    """A project's function ended the process, or gave something that nobody would run."""

    code = FAILED


def unfit(function: object) -> str:
    """Why this cannot be called with a database and be done after it, "" where it can."""
    import functools
    import inspect

    if not callable(function):
        return f"is {function!r}, no function"
    bare: Any = function
    while isinstance(bare, functools.partial):
        bare = bare.func
    for one in (bare, type(bare).__call__):
        if inspect.iscoroutinefunction(one):
            return "is async: nothing would run it"
        if inspect.isgeneratorfunction(one) or inspect.isasyncgenfunction(one):
            return "has a yield: nothing would run it"
    try:
        inspect.signature(function).bind(None)
    except TypeError as error:
        return f"does not take the database alone: {error}"
    except ValueError:
        return ""  # a builtin that tells no signature
    return ""


def called(function: Callable[[Any], object], db: Any) -> Any:
    """What the function gives. Raises ProjectCodeError for sys.exit() and for a result that is still to be run."""
    import inspect

    with project_output():
        try:
            value = function(db)
        except SystemExit as error:
            said = ProjectCodeError(f"it called sys.exit({'' if error.code is None else repr(error.code)})")
            raise said.with_traceback(error.__traceback__) from error
    if inspect.isawaitable(value) or inspect.isgenerator(value) or inspect.isasyncgen(value):
        if close := getattr(value, "close", None):
            close()
        raise ProjectCodeError(
            f"it gave a {type(value).__name__}, and what is in that did not run",
            next="write a function without async and yield, or run it to its end there",
        )
    return value


class _Output:
    """Where standard output goes while a project's code runs in one or several threads; the last to end puts it back."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._inside = 0
        self._stream: TextIO | None = None
        self._kept: int | None = None

    def enter(self) -> None:
        with self._mutex:
            self._inside += 1
            if self._inside == 1:
                _flush()
                self._stream, sys.stdout = sys.stdout, sys.stderr
                self._kept = _descriptor_away()

    def leave(self) -> None:
        with self._mutex:
            self._inside -= 1
            if self._inside == 0:
                _flush()  # also what was printed to sys.__stdout__
                sys.stdout = self._stream
                if self._kept is not None:
                    os.dup2(self._kept, _STDOUT)
                    os.close(self._kept)


def _descriptor_away() -> int | None:
    """Descriptor 1, which a program that is started writes to, becomes 2; what it was, None where it was closed.

    Python has None for a stream that the caller closed, and then its number may be that of a connection.
    """
    if sys.__stdout__ is None:
        return None
    try:
        kept = os.dup(_STDOUT)
    except OSError:
        return None
    if sys.__stderr__ is not None:
        os.dup2(_STDERR, _STDOUT)
    else:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, _STDOUT)
        os.close(nowhere)
    return kept


def _flush() -> None:
    """A reader that went away, and a closed stream, are met where the report is written."""
    for stream in (sys.stdout, sys.__stdout__):
        if stream is not None:
            with suppress(OSError, ValueError):
                stream.flush()


_STDOUT, _STDERR = 1, 2
_output = _Output()


@contextmanager
def project_output() -> Generator[None]:
    """What the project prints, and what the programs that it starts print, goes to standard error: standard output is
    the report's."""
    _output.enter()
    try:
        yield
    finally:
        _output.leave()
