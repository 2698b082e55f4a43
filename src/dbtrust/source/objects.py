"""What the Python of a project declares: contract classes, query methods with their marks, proof functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from dbtrust.model.errors import ConfigError
from dbtrust.model.location import Location
from dbtrust.model.project import ClaimLine, Config, Example, Query
from dbtrust.queries.marks import Mark
from dbtrust.queries.mongo import AsyncMongoQueries
from dbtrust.source.modules import relative


@dataclass(frozen=True, slots=True)
class MongoMethod:
    """A method of a MongoQueries class. `parameters` are those without a default."""

    subject: str
    name: str
    owner: Any
    location: Location
    root: Path
    parameters: tuple[str, ...]
    claims: tuple[ClaimLine, ...] = ()
    examples: tuple[Example, ...] = ()

    @property
    def asynchronous(self) -> bool:
        """Does it want an AsyncDatabase?"""
        return issubclass(self.owner, AsyncMongoQueries)

    def call(self, db: Any, values: Mapping[str, Any]) -> Any:
        """Runs the method over `db`."""
        return getattr(self.owner(db), self.name)(**values)


@dataclass(frozen=True, slots=True)
class MongoProof:
    """A proof function and the text of its outcome."""

    name: str
    function: Callable[[Any], object]
    claim: ClaimLine
    location: Location
    root: Path


def bound_queries(owner: Any, config: Config, queries: Sequence[Query]) -> dict[str, Any]:
    """Subject -> bound method description, for the queries that a contract class binds.

    Raises ConfigError where the object is no SqlQueries class.
    """
    bound: Mapping[str, Any] | None = getattr(owner, "__dbtrust_queries__", None)
    if bound is None:
        raise ConfigError(
            f"{owner!r} is no SqlQueries class",
            location=_config(config, "postgres.contracts"),
            next="name a class",
        )
    found: dict[str, Any] = {}
    for name, item in bound.items():
        file = relative(Location(str(Path(item.query.file).resolve())), config.root).file
        for query in queries:
            if query.name == name and query.file == file:
                found[query.subject] = item
    return found


def mongo_methods(owner: Any, config: Config) -> list[MongoMethod]:
    """The methods of a query class that carry a claim or an example. Raises ConfigError for anything but a class."""
    if not inspect.isclass(owner):
        raise ConfigError(
            f"{owner!r} is no class",
            location=_config(config, "mongo.queries"),
            next="name a MongoQueries class",
        )
    methods: list[MongoMethod] = []
    for name, function in inspect.getmembers(owner, inspect.isfunction):
        claims, examples = _marks(function, "claims"), _marks(function, "examples")
        if claims or examples:
            methods.append(_method(owner, name, function, claims, examples, config))
    return methods


def _method(
    owner: Any, name: str, function: Any, claims: list[Mark], examples: list[Mark], config: Config
) -> MongoMethod:
    place = _place(function.__code__.co_filename, function.__code__.co_firstlineno, config)
    parameters = [
        p for p in list(inspect.signature(function).parameters.values())[1:] if p.default is p.empty
    ]
    return MongoMethod(
        subject=f"query:{owner.__name__}.{name}", name=name, owner=owner, location=place, root=config.root,
        parameters=tuple(p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)),
        claims=tuple(_claims(claims, config)),
        examples=tuple(Example(m.text, _place(m.file, m.line, config), values=m.values) for m in examples),
    )  # fmt: skip


def mongo_proofs(module: Any, config: Config) -> list[MongoProof]:
    """The functions of a proofs module that @proof marks, in the order of the file."""
    if not isinstance(module, ModuleType):
        raise ConfigError(
            f"{module!r} is no module", location=_config(config, "mongo.proofs"), next="name a module"
        )
    proofs: list[MongoProof] = []
    for name, function in vars(module).items():
        for claim in _claims(_marks(function, "proof"), config):
            place = _place(function.__code__.co_filename, function.__code__.co_firstlineno, config)
            proofs.append(MongoProof(name, function, claim, place, config.root))
    return proofs


def _marks(function: Any, name: str) -> list[Mark]:
    return list(getattr(function, f"__dbtrust_{name}__", []))


def _claims(marks: Iterable[Mark], config: Config) -> list[ClaimLine]:
    return [ClaimLine(" ".join(mark.text.split()), _claim_place(mark, config)) for mark in marks]


def _claim_place(mark: Mark, config: Config) -> Location:
    """The first character of the claim's text in the decorator's line, where it stands there as written."""
    place = _place(mark.file, mark.line, config)
    try:
        lines = Path(mark.file).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return place
    for number in range(mark.line, min(mark.line + 12, len(lines)) + 1):
        if (column := lines[number - 1].find(mark.text)) >= 0:
            return Location(place.file, number, column + 1)
    return place


def _place(file: str, line: int, config: Config) -> Location:
    return relative(Location(str(Path(file).resolve()), line, 1), config.root)


def _config(config: Config, key: str) -> Location:
    return config.locations.get(key, Location(config.file, 1, 1))
