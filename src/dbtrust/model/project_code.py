"""Calls functions that a project wrote over a database: what they print, return or end with is not ours to lose."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, redirect_stdout
from typing import Any

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


@contextmanager
def project_output() -> Generator[None]:
    """What the project prints goes to standard error: standard output is the report's."""
    with redirect_stdout(sys.stderr):
        yield
