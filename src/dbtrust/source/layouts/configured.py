"""Is a folder a project, or any folder?"""

from __future__ import annotations

from pathlib import Path

from dbtrust.model.project import Config
from dbtrust.source.config import CONFIG_FILE, load_config
from dbtrust.source.text import read_text


def config_of(folder: Path) -> Config | None:
    """The configuration of a folder, None where it has none. Raises ConfigError for one that is wrong."""
    if (folder / CONFIG_FILE).exists():
        return load_config(folder)
    shared = folder / "pyproject.toml"
    if shared.is_file() and "[tool.dbtrust" in read_text(shared, folder):
        return load_config(folder)
    return None
