"""Which servers a run acts on: options first, then the named target of the configuration."""

from __future__ import annotations

import os
from pathlib import Path

from dbtrust.model.errors import ConfigError
from dbtrust.model.project import Config
from dbtrust.model.words import nearest


def target_urls(
    config: Config, target: str | None, postgres: str | None, mongo: str | None
) -> tuple[str | None, str | None]:
    """The URLs of PostgreSQL and MongoDB, or None each. Raises ConfigError for an unknown target or an unset name."""
    if target is None:
        return postgres, mongo
    if target not in config.targets:
        close = nearest(target, config.targets)
        step = f"did you mean {close}?" if close else f"add [targets.{target}] to {config.file}"
        raise ConfigError(f"no target {target}", next=step)
    urls = {
        engine: _resolve(config, target, engine, value) for engine, value in config.targets[target].items()
    }
    return postgres or urls.get("postgres"), mongo or urls.get("mongo")


def _resolve(config: Config, target: str, engine: str, value: str) -> str:
    kind, _, rest = value.partition(":")
    place = config.locations.get(f"targets.{target}")
    if kind == "env":
        if not (url := os.environ.get(rest)):
            raise ConfigError(
                f"targets.{target}.{engine}: {rest} is not set",
                location=place or config.locations["project"],
                next=f"set {rest}",
            )
        return url
    if kind == "file":
        path = config.root / Path(rest)
        try:
            return path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigError(
                f"targets.{target}.{engine}: {rest}: {error.strerror}", next="mend the path"
            ) from error
    return value
