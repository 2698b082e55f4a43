"""A project as read from its folder: configuration, queries, migrations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from dbtrust.model.engine import Engine
from dbtrust.model.location import NOWHERE, Location


@dataclass(frozen=True, slots=True)
class PostgresConfig:
    """[postgres] of the configuration."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "strict": True}
    version: str = "17"
    schema: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()
    contracts: tuple[str, ...] = ()
    proofs: tuple[str, ...] = ()
    settings: Mapping[str, str | int | float | bool] = field(
        default_factory=dict[str, "str | int | float | bool"]
    )
    extensions: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MongoConfig:
    """[mongo] of the configuration."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "strict": True}
    version: str = "8.0"
    collections: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()
    proofs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DataConfig:
    """One generator: `name` is a table, or with a .py file possibly a declared collection."""

    name: str
    file: str
    rows: int
    seed: int = 1
    location: Location = NOWHERE


@dataclass(frozen=True, slots=True)
class Config:
    """dbtrust.toml or [tool.dbtrust] of pyproject.toml. Paths and globs are relative to `root`."""

    root: Path
    file: str
    name: str
    python: tuple[str, ...] = ()
    specs: str | None = None
    tests: tuple[str, ...] = ()
    postgres: PostgresConfig | None = None
    mongo: MongoConfig | None = None
    migrations: str | None = None
    data: tuple[DataConfig, ...] = ()
    fail_on: str = "error"
    strict: bool = False
    targets: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    #: "postgres.queries" -> where that key stands in the file.
    locations: Mapping[str, Location] = field(default_factory=dict[str, Location])


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """The text behind `-- claim:` with blanks collapsed, and where the claim's text starts."""

    text: str
    location: Location


@dataclass(frozen=True, slots=True)
class Example:
    """One example of a query. PostgreSQL: `text` is the bind list as written; MongoDB: `values` are Python values."""

    label: str
    location: Location
    text: str = ""
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Query:
    """A named query of a .sql file, with `:param` as written. `subject` is "query:FILE_STEM.NAME"."""

    engine: Engine
    subject: str
    name: str
    sql: str
    file: str
    location: Location
    sql_location: Location = NOWHERE
    operator: str = ""
    params: tuple[str, ...] | None = None
    doc: str = ""
    claims: tuple[ClaimLine, ...] = ()
    #: Comment lines that begin with a word that is nearly "claim", without a colon: the words behind it.
    unmarked: tuple[ClaimLine, ...] = ()
    examples: tuple[Example, ...] = ()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])


@dataclass(frozen=True, slots=True)
class Script:
    """One half of a PostgreSQL migration, with the options that stand beside the SQL."""

    sql: str
    file: str
    location: Location
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    verify: tuple[ClaimLine, ...] = ()
    lossy: tuple[str, ...] = ()
    rerunnable: bool = False
    #: Applies it to the database that libpq's parameters name, where it is a program; `sql` is empty then.
    run: Callable[[Mapping[str, str]], None] | None = None
    #: Of the up of a program: what runs its down as another text of the whole file has it.
    other_down: Callable[[str], Callable[[Mapping[str, str]], None]] | None = None


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step of the history. PostgreSQL: `up`, `down`; MongoDB and Alembic: `python`, the text of the file."""

    engine: Engine
    number: str
    name: str
    location: Location
    up: Script | None = None
    down: Script | None = None
    python: str | None = None

    @property
    def subject(self) -> str:
        return f"migration:{self.number}"

    @property
    def text(self) -> str:
        """The up as read: SQL, or the text of the Python file."""
        return self.up.sql if self.up is not None else self.python or ""

    @property
    def checksum(self) -> str:
        """SHA-256 of the up, with line ends as LF and without a byte order mark, in hexadecimal."""
        from hashlib import sha256

        return sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()
