"""What the names of a MongoDB migration must be: errors at the line that sets them, before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from dbtrust.model.errors import QueryFileError
from dbtrust.model.location import Location
from dbtrust.model.project import Migration
from dbtrust.model.project_code import unfit
from dbtrust.model.steps import Step
from dbtrust.model.words import nearest

#: Words that SQL's declarations begin with, and those that people write for them here.
_KINDS = ("column", "table", "constraint", "collection", "field", "index")

if TYPE_CHECKING:
    import ast


class Shape(NamedTuple):
    """The names that a file sets, as its migration reads them. Every call raises QueryFileError."""

    names: Mapping[str, Any]
    migration: Migration

    def steps(self) -> list[Any] | None:
        if self.names.get("steps") is None:
            return None
        steps = self._list("steps", "the functions of dbtrust.migrations")
        for number, step in enumerate(steps, 1):
            if not isinstance(step, Step):
                raise self.wrong(
                    "steps", f"step {number} is {step!r}, no step", "use the functions of dbtrust.migrations"
                )
        return steps

    def function(self, name: str) -> Any:
        found = self.names.get(name)
        if found is not None and (why := unfit(found)):
            raise self.wrong(name, f"{name} {why}", f"write def {name}(db):")
        return found

    def verify(self) -> tuple[Any, ...]:
        functions = self._list("verify", "functions of the database")
        for function in functions:
            if why := unfit(function):
                name = getattr(function, "__name__", "one")
                raise self.wrong("verify", f"verify: {name} {why}", "give functions that take the database")
        return tuple(functions)

    def lossy(self) -> tuple[str, ...]:
        texts = self._list("lossy", "texts")
        if wrong := [text for text in texts if not isinstance(text, str)]:
            raise self.wrong("lossy", f"lossy: {wrong[0]!r} is no text", 'write lossy = ["..."]')
        for text in texts:
            word, _, name = text.strip().partition(" ")
            if not word.strip(".") or (name and nearest(word.lower(), _KINDS)):
                said = f"lossy: {text!r} names no collection and no field"
                raise self.wrong("lossy", said, f"write lossy = [{name or 'products.tags'!r}]")
        return tuple(texts)

    def _list(self, name: str, of: str) -> list[Any]:
        value = self.names.get(name, ())
        if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
            said: object = cast("object", value)
            raise self.wrong(name, f"{name} is {said!r}, no list", f"write {name} = [...], a list of {of}")
        return list(cast("Iterable[Any]", value))

    def wrong(self, name: str, message: str, step: str) -> QueryFileError:
        file = self.migration.location.file
        return QueryFileError(
            f"migration {self.migration.number}: {message}",
            location=Location(file, _line_of(name, self.migration.python or ""), 1), next=step,
        )  # fmt: skip


def _line_of(name: str, text: str) -> int:
    """The line that sets a name last; 1 where none does (an import, exec)."""
    import ast

    lines = [node.lineno for node in ast.parse(text).body if name in _sets(node)]
    return lines[-1] if lines else 1


def _sets(node: ast.stmt) -> Sequence[str]:
    import ast

    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]
