"""A project as read from its folder: everything that can be read, and an error for everything that cannot."""

from __future__ import annotations

import ast
import glob
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from dbtrust.model.baseline import Baseline
from dbtrust.model.engine import Engine
from dbtrust.model.errors import ConfigError, DbtrustError, QueryFileError
from dbtrust.model.location import NOWHERE, Location
from dbtrust.model.project import Config, DataConfig, Query
from dbtrust.source.baselines import read_baselines
from dbtrust.source.migrations import History, read_history
from dbtrust.source.modules import load_object
from dbtrust.source.objects import MongoMethod, MongoProof, bound_queries, mongo_methods, mongo_proofs
from dbtrust.source.queries import parse_queries
from dbtrust.source.text import read_text


@dataclass(frozen=True, slots=True)
class SqlFile:
    """A file of [postgres] schema: its path relative to the project and its text."""

    file: str
    text: str


@dataclass(frozen=True, slots=True)
class Declared:
    """A declared collection: the object that the project's module holds, and where the configuration names it."""

    collection: Any
    location: Location


@dataclass(slots=True)
class Project:
    """What the folder holds; `errors` are the parts that could not be read."""

    config: Config
    schema: list[SqlFile] = field(default_factory=list[SqlFile])
    queries: list[Query] = field(default_factory=list[Query])
    proofs: list[Query] = field(default_factory=list[Query])
    history: History | None = None
    #: "query:users.by_id" -> the bound method's description, where a contract class binds that query.
    bound: dict[str, Any] = field(default_factory=dict[str, Any])
    collections: list[Declared] = field(default_factory=list[Declared])
    methods: list[MongoMethod] = field(default_factory=list[MongoMethod])
    mongo_proofs: list[MongoProof] = field(default_factory=list[MongoProof])
    #: Engine -> subject -> what the folder baselines holds.
    baselines: dict[Engine, dict[str, Baseline]] = field(default_factory=dict[Engine, dict[str, Baseline]])
    errors: list[DbtrustError] = field(default_factory=list[DbtrustError])

    def fills(self, item: DataConfig) -> Engine:
        """The engine that a generator fills.

        SQL fills a table. Python fills the collection of its name that is declared, or that the project has where it
        has no PostgreSQL, or that a MongoDB migration names and no SQL creates as a table; else a table.
        """
        if not item.file.endswith(".py"):
            return "postgres"
        if any(declared.collection.name == item.name for declared in self.collections):
            return "mongo"
        if self.config.mongo is None or self.config.postgres is None:
            return "postgres" if self.config.mongo is None else "mongo"
        return (
            "mongo" if self._names_collection(item.name) and not self._makes_table(item.name) else "postgres"
        )

    def _names_collection(self, name: str) -> bool:
        migrations = self.history.migrations if self.history is not None else ()
        return any(name in _strings(m.text) for m in migrations if m.engine == "mongo")

    def _makes_table(self, name: str) -> bool:
        migrations = self.history.migrations if self.history is not None else ()
        texts = [m.text for m in migrations if m.engine == "postgres"] + [s.text for s in self.schema]
        table = rf'(?i)\btable\s+(if\s+not\s+exists\s+)?("?\w+"?\.)?"?{re.escape(name)}(?![\w$])'
        return any(re.search(table, text) for text in texts)

    @property
    def unbound(self) -> list[Query]:
        """Queries of a file that a contract class binds which no method of it runs."""
        files = {query.file for query in self.queries if query.subject in self.bound}
        return [q for q in self.queries if q.file in files and q.subject not in self.bound]


def read_project(config: Config) -> Project:
    """Reads what the configuration names. Call it inside `project_path`; the Python of the project is imported."""
    project = Project(config)
    if config.migrations is not None:
        _read_history(project, config.migrations)
    if config.postgres is not None:
        _read_postgres(project)
    if config.mongo is not None:
        _read_mongo(project)
    _refuse_doubled_proofs(project)
    _refuse_idle_data(project)
    _read_baselines(project)
    return project


def _strings(text: str) -> set[str]:
    """The string constants of a Python text; none where it cannot be parsed, which its reader tells."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return set()
    return {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def _refuse_idle_data(project: Project) -> None:
    """A generator of an engine that the project does not have would fill nothing."""
    for item in project.config.data:
        engine = project.fills(item)
        if (project.config.postgres if engine == "postgres" else project.config.mongo) is None:
            what = "table of PostgreSQL" if engine == "postgres" else "collection of MongoDB"
            step = (
                f"add [{engine}], or write the generator in Python"
                if project.config.mongo
                else f"add [{engine}]"
            )
            message = f"data.{item.name}: {item.file} fills a {what}, and the project has no [{engine}]"
            project.errors.append(ConfigError(message, location=item.location, next=step))


def _read_baselines(project: Project) -> None:
    found, errors = read_baselines(project.config.root)
    project.errors.extend(errors)
    for baseline in found:
        project.baselines.setdefault(baseline.engine, {})[baseline.subject] = baseline


def _read_history(project: Project, folder: str) -> None:
    if not (project.config.root / folder).is_dir():
        where = project.config.locations.get("migrations.folder", NOWHERE)
        project.errors.append(
            ConfigError(f"no folder {folder}", location=where, next="make it or mend [migrations] folder")
        )
        return
    project.history = read_history(project.config.root, folder)
    project.errors.extend(project.history.errors)


def _read_postgres(project: Project) -> None:
    assert project.config.postgres is not None
    wanted = project.config.postgres
    for path in _expand(project, "postgres.schema", wanted.schema):
        if (text := _read(project, path)) is not None:
            project.schema.append(SqlFile(path, text))
    project.queries += _read_queries(project, "postgres.queries", wanted.queries)
    project.proofs += _read_queries(project, "postgres.proofs", wanted.proofs)
    for reference in wanted.contracts:
        if (found := _load(project, "postgres.contracts", reference)) is not None:
            project.bound.update(bound_queries(found, project.config, project.queries))


def _read_queries(project: Project, key: str, globs: Iterable[str]) -> list[Query]:
    queries: list[Query] = []
    for pattern in globs:
        base = _fixed_part(pattern)
        for path in _expand(project, key, [pattern]):
            if (text := _read(project, path)) is None:
                continue
            parsed = parse_queries(text, path, prefix=_prefix(project.config.root, path, base))
            queries += parsed.queries
            project.errors.extend(parsed.errors)
    return list({(q.file, q.name): q for q in queries}.values())


def _fixed_part(pattern: str) -> PurePosixPath:
    parts = PurePosixPath(pattern).parts
    wild = next((i for i, part in enumerate(parts) if glob.has_magic(part)), len(parts) - 1)
    return PurePosixPath(*parts[:wild])


def _prefix(root: Path, path: str, base: PurePosixPath) -> str:
    """Sub-folders below the globs' fixed part, dotted: "admin." for queries/admin/x.sql of queries/**/*.sql.

    Leading folders that hold Python modules are packages, not namespaces of queries: src/shop/users.sql of
    src/**/*.sql is plain "users".
    """
    folder, parts = base, list(PurePosixPath(path).parent.relative_to(base).parts)
    while parts and any((root / folder / parts[0]).glob("*.py")):
        folder /= parts.pop(0)
    return "".join(f"{part}." for part in parts)


def _read_mongo(project: Project) -> None:
    assert project.config.mongo is not None
    wanted = project.config.mongo
    for reference in wanted.collections:
        if (found := _load(project, "mongo.collections", reference)) is not None:
            project.collections.append(Declared(found, _place(project, "mongo.collections")))
    for reference in wanted.queries:
        if (found := _load(project, "mongo.queries", reference)) is not None:
            project.methods += mongo_methods(found, project.config)
    for reference in wanted.proofs:
        if (found := _load(project, "mongo.proofs", reference)) is not None:
            project.mongo_proofs += mongo_proofs(found, project.config)


def _load(project: Project, key: str, reference: str) -> Any:
    try:
        return load_object(reference, project.config, location=_place(project, key))
    except DbtrustError as error:
        if str(error) not in map(str, project.errors):  # a module is named once for each of its objects
            project.errors.append(error)
        return None


def _place(project: Project, key: str) -> Location:
    return project.config.locations.get(key, Location(project.config.file, 1, 1))


def _expand(project: Project, key: str, globs: Iterable[str]) -> list[str]:
    root = project.config.root
    found: list[str] = []
    for pattern in globs:
        matches = sorted(path for path in root.glob(pattern) if path.is_file())
        if not matches:
            step = "mend the path; globs are relative to the configuration file"
            project.errors.append(
                ConfigError(f"{key}: nothing matches {pattern}", location=_place(project, key), next=step)
            )
        found += [path.relative_to(root).as_posix() for path in matches]
    return list(dict.fromkeys(found))


def _read(project: Project, path: str) -> str | None:
    try:
        return read_text(project.config.root / path, project.config.root)
    except DbtrustError as error:
        project.errors.append(error)
        return None


def _refuse_doubled_proofs(project: Project) -> None:
    first: dict[str, Location] = {}
    proofs = [(q.name, q.location) for q in project.proofs] + [
        (p.name, p.location) for p in project.mongo_proofs
    ]
    for name, location in proofs:
        if name in first:
            message = f"a proof named {name} stands already at {first[name]}"
            project.errors.append(
                QueryFileError(message, location=location, next="give one of them another name")
            )
        first.setdefault(name, location)
