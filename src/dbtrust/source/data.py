"""The generators of [data.NAME]: one INSERT … SELECT in SQL, or `rows(n, now, seed)` in Python."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dbtrust.model.errors import ConfigError, QueryFileError
from dbtrust.model.location import Location
from dbtrust.model.project import Config, DataConfig
from dbtrust.source.modules import raised
from dbtrust.source.text import read_text


@dataclass(frozen=True, slots=True)
class RowSource:
    """A generator as read: `sql` for a .sql file, else `rows` runs the Python one."""

    config: DataConfig
    project: Config
    text: str
    sql: str | None

    @property
    def location(self) -> Location:
        """The generator's file."""
        return Location(self.config.file, 1, 1)

    def rows(self, now: datetime) -> Iterator[Mapping[str, Any]]:
        """The rows of the Python generator. Raises QueryFileError at the line of the project that raised."""
        name = self.config.file
        try:
            module = self._module()
            yield from module.rows(self.config.rows, now, self.config.seed)
        except Exception as error:
            raise raised(error, self.project.root, f"generator {name}") from error

    def _module(self) -> Any:
        path = self.project.root / self.config.file
        spec = importlib.util.spec_from_file_location(f"_dbtrust_data_{self.config.name}", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        # The text that the template's key was made of, not a file that may have changed since.
        exec(compile(self.text, str(path), "exec"), module.__dict__)  # noqa: S102 the project's own code is what check runs
        if not callable(getattr(module, "rows", None)):
            place = Location(self.config.file, 1, 1)
            raise QueryFileError(
                "no function rows(n, now, seed)", location=place, next="define it; it yields mappings"
            )
        return module


def read_generator(config: Config, item: DataConfig) -> RowSource:
    """Reads one generator's text. Raises ConfigError or QueryFileError with the place."""
    path = config.root / item.file
    if not path.is_file():
        raise ConfigError(
            f"data.{item.name}: no file {item.file}", location=item.location, next="mend the path"
        )
    text = read_text(path, config.root)
    if item.file.endswith(".py"):
        return RowSource(item, config, text, None)
    if item.file.endswith(".sql"):
        return RowSource(item, config, text, text)
    raise ConfigError(
        f"data.{item.name}: {item.file} is neither .sql nor .py",
        location=item.location,
        next="use one of the two",
    )
